// Members: asked in by letter, given another role, removed; and what each of them sees.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { invite, listen } from "../support/members.mjs";
import { PASSWORD, accessible, fits, hydrated, launch, letter, linkIn, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const colleague = (name) => `${name}${Date.now()}@plant.example`;
const sideBar = (page) => page.getByRole("navigation", { name: "Workspace", exact: true });
const dark = async (page) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark", 5, () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme.includes("dark")));
};

test("a colleague is invited, joins, gets other roles, and is out within seconds when removed", { timeout: 180_000 }, async () => {
  const desk = await person(browser);
  const { email: own, slug } = await signUp(desk.page, "Member Mill");
  await hydrated(desk.page);
  await sideBar(desk.page).getByRole("link", { name: "Members" }).click();
  await desk.page.getByRole("heading", { name: "Members", level: 1 }).waitFor();
  await desk.page.getByText("You are the last owner").waitFor();
  await accessible(desk.page, "members, alone");

  // What is wrong is told at the field, and what was typed stays.
  await desk.page.getByLabel("E-mail").fill(own);
  await desk.page.getByRole("button", { name: "Send invitation" }).click();
  await desk.page.getByRole("alert").filter({ hasText: "is a member of this workspace already" }).waitFor();
  assert.equal(await desk.page.getByLabel("E-mail").inputValue(), own);

  const email = colleague("joe");
  await invite(desk.page, email, "Operator");
  const open = desk.page.getByRole("table", { name: "Open invitations" });
  await open.getByRole("rowheader", { name: email }).waitFor();
  await accessible(desk.page, "members with an invitation");
  await picture(desk.page, "members-light");
  await dark(desk.page);
  await accessible(desk.page, "dark members with an invitation");
  await picture(desk.page, "members-dark");
  await desk.page.emulateMedia({ colorScheme: "light" });

  // The letter's link, in a browser where nobody is signed in.
  const link = linkIn(await letter(email, /invit/i));
  const joe = await person(browser);
  const answer = await joe.page.goto(link);
  assert.equal(answer.headers()["referrer-policy"], "same-origin", "no other site hears of the link");
  await hydrated(joe.page);
  await joe.page.getByRole("heading", { name: "Join Member Mill", level: 1 }).waitFor();
  await joe.page.getByText(email).first().waitFor();
  await accessible(joe.page, "an invitation");
  await picture(joe.page, "invite-light");
  await dark(joe.page);
  await accessible(joe.page, "a dark invitation");
  await picture(joe.page, "invite-dark");
  await joe.page.emulateMedia({ colorScheme: "light" });
  await joe.page.setViewportSize({ width: 390, height: 844 });
  await fits(joe.page, "an invitation on a phone");
  await picture(joe.page, "invite-phone");
  await joe.page.setViewportSize({ width: 1280, height: 800 });
  // Somebody else who is signed in uses nothing up.
  await desk.page.goto(link);
  await desk.page.getByText(`You are signed in as ${own}`).waitFor();

  await joe.page.getByLabel("Your name").fill("Joe Berg");
  await joe.page.getByLabel("Password").fill(PASSWORD);
  await joe.page.getByRole("button", { name: "Create account and join" }).click();
  await joe.page.waitForURL(new RegExp(`/w/${slug}$`));
  await joe.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await sideBar(joe.page).getByRole("link", { name: "Sources" }).waitFor();
  assert.equal(await sideBar(joe.page).getByRole("link", { name: "Members" }).count(), 0);
  await joe.page.goto(`/w/${slug}/members`);
  await joe.page.getByText("You are an operator here").waitFor();
  assert.equal(await joe.page.getByText(own).count(), 0, "an operator sees nobody else");
  await accessible(joe.page, "an operator's membership");
  // The link is used up.
  const again = await person(browser);
  assert.equal((await again.page.goto(link)).status(), 404);
  await again.page.getByText("This invitation is not valid any more. Ask for a new one.").waitFor();

  // Admin, then viewer: pages come and go.
  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  const change = async (role) => {
    await desk.page.getByLabel("Role of Joe Berg", { exact: true }).selectOption({ label: role });
    const [done] = await Promise.all([
      desk.page.waitForResponse((response) => response.url().includes("/members/change_role")),
      desk.page.getByRole("button", { name: "Change the role of Joe Berg" }).click(),
    ]);
    assert.ok(done.ok(), `changed to ${role}`);
  };
  await change("Admin");
  await joe.page.goto(`/w/${slug}`);
  await sideBar(joe.page).getByRole("link", { name: "Members" }).click();
  await joe.page.getByRole("table", { name: "Members" }).getByText(own).waitFor();
  assert.equal(await joe.page.getByRole("button", { name: /^(Remove|Offer ownership to) Maja/ }).count(), 0, "an owner is out of reach");
  await change("Viewer");
  await joe.page.goto(`/w/${slug}`);
  await sideBar(joe.page).getByRole("link", { name: "Sources" }).waitFor();
  for (const name of ["Members", "Audit"]) assert.equal(await sideBar(joe.page).getByRole("link", { name }).count(), 0, name);
  assert.equal((await joe.page.goto(`/w/${slug}/audit`)).status(), 403);
  await joe.page.goto(`/w/${slug}/members`);
  await joe.page.getByText("You are a viewer here").waitFor();

  // Removed: an open stream ends, the next page is not there.
  await hydrated(joe.page);
  await listen(joe.page, slug);
  await desk.page.getByRole("button", { name: "Remove Joe Berg" }).click();
  const question = desk.page.getByRole("dialog", { name: "Remove Joe Berg?" });
  await question.waitFor();
  await accessible(desk.page, "the question before a removal");
  await desk.page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  await desk.page.getByRole("button", { name: "Remove Joe Berg" }).press("Enter");
  await question.getByRole("button", { name: "Remove member" }).click();
  const pressed = Date.now();
  // The stream ends, and the page loads itself anew: one of the two is seen first.
  await joe.page.evaluate(() => window.ended).catch(() => {});
  assert.ok(Date.now() - pressed < 5_000, `their open stream ended after ${Date.now() - pressed} ms`);
  const people = desk.page.getByRole("table", { name: "Members" }).getByRole("rowheader");
  await until("one member is left", 10, async () => (await people.count()) === 1);
  assert.equal((await joe.page.request.get(`/w/${slug}`, { headers: { accept: "text/html" } })).status(), 404);

  // What was done is written down.
  await desk.page.goto(`/w/${slug}/audit`);
  const log = desk.page.getByRole("table", { name: "Audit log" });
  for (const act of ["Invite a member", "Accept an invitation", "Change a member's role", "Remove a member"]) {
    await log.getByRole("rowheader", { name: act }).first().waitFor();
  }
  assert.deepEqual([...desk.faults, ...joe.faults, ...again.faults], []);
});

test("members on a phone, by the menu and the palette, and ownership in two steps", { timeout: 120_000 }, async () => {
  const desk = await person(browser);
  const { slug } = await signUp(desk.page, "Two Keys Oven");
  await hydrated(desk.page);
  await desk.page.keyboard.press("Control+k");
  await desk.page.getByRole("dialog").waitFor();
  await desk.page.keyboard.type("members");
  await desk.page.getByRole("option", { name: /Members/ }).waitFor();
  await desk.page.keyboard.press("Enter");
  await desk.page.waitForURL(new RegExp(`/w/${slug}/members$`));
  const email = colleague("eve");
  await invite(desk.page, email, "Viewer");
  const eve = await person(browser, { viewport: { width: 390, height: 844 } });
  await eve.page.goto(linkIn(await letter(email, /invit/i)));
  await hydrated(eve.page);
  await eve.page.getByLabel("Your name").fill("Eve Lang");
  await eve.page.getByLabel("Password").fill(PASSWORD);
  await eve.page.getByRole("button", { name: "Create account and join" }).click();
  await eve.page.waitForURL(new RegExp(`/w/${slug}$`));

  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  await desk.page.getByRole("button", { name: "Offer ownership to Eve Lang" }).click();
  await desk.page.getByRole("dialog", { name: "Offer ownership to Eve Lang?" }).getByRole("button", { name: "Offer" }).click();
  await desk.page.getByRole("button", { name: "Withdraw the offer to Eve Lang" }).waitFor();
  await picture(desk.page, "members-offer-light");

  await eve.page.goto(linkIn(await letter(email, /offered|owner/i)));
  await hydrated(eve.page);
  await eve.page.getByRole("heading", { name: "Ownership is offered to you" }).waitFor();
  await fits(eve.page, "an offer on a phone");
  await accessible(eve.page, "an offer on a phone");
  await eve.page.getByRole("button", { name: "Accept ownership" }).click();
  await eve.page.getByRole("table", { name: "Members" }).waitFor();
  await eve.page.goto(`/w/${slug}`);
  await hydrated(eve.page);
  await eve.page.getByRole("button", { name: "More" }).click();
  await eve.page.getByRole("link", { name: "Members", exact: true }).click();
  await eve.page.getByRole("table", { name: "Members" }).waitFor();
  await fits(eve.page, "members on a phone");
  await accessible(eve.page, "members on a phone");
  await picture(eve.page, "members-phone");

  // Now the first owner may go.
  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  await desk.page.getByRole("button", { name: "Leave workspace" }).click();
  await desk.page.getByRole("dialog", { name: "Leave this workspace?" }).getByRole("button", { name: "Leave" }).click();
  await desk.page.waitForURL((url) => url.pathname === "/");
  assert.equal((await desk.page.goto(`/w/${slug}`)).status(), 404);
  assert.deepEqual([...desk.faults, ...eve.faults], []);
});

test("without script people are invited, asked again, and come in", { timeout: 90_000 }, async () => {
  const desk = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(desk.page, "Plain Members Plant");
  await desk.page.goto(`/w/${slug}/members`);
  const email = colleague("ann");
  await invite(desk.page, email, "Viewer");
  const first = linkIn(await letter(email, /invit/i));
  await desk.page.getByRole("button", { name: `Resend the invitation of ${email}` }).click();
  await desk.page.getByRole("alert").filter({ hasText: `Invitation sent to ${email}` }).waitFor();
  const link = await until("a second letter", 15, async () => {
    const newest = linkIn(await letter(email, /invit/i));
    return newest === first ? null : newest;
  });
  const ann = await person(browser, { javaScriptEnabled: false });
  assert.equal((await ann.page.goto(first)).status(), 404, "the first letter's link is dead");
  await ann.page.goto(link);
  // A wrong password comes back with its error to the page of the link.
  await ann.page.getByLabel("Your name").fill("Ann Ek");
  await ann.page.getByLabel("Password").fill(email);
  await ann.page.getByRole("button", { name: "Create account and join" }).click();
  await ann.page.getByText("This password is little more than names that others know").first().waitFor();
  await ann.page.getByLabel("Your name").fill("Ann Ek");
  await ann.page.getByLabel("Password").fill(PASSWORD);
  await ann.page.getByRole("button", { name: "Create account and join" }).click();
  await ann.page.waitForURL(new RegExp(`/w/${slug}$`));

  await desk.page.goto(`/w/${slug}/members`);
  await desk.page.getByRole("button", { name: "Remove Ann Ek" }).click();
  await desk.page.getByRole("dialog", { name: "Remove Ann Ek?" }).getByRole("button", { name: "Remove member" }).click();
  await until("one member is left", 10, async () => (await desk.page.getByRole("table", { name: "Members" }).getByRole("rowheader").count()) === 1);
  assert.equal((await ann.page.goto(`/w/${slug}`)).status(), 404);
});
