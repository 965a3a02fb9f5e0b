// A second factor: added from the page, asked for at the next sign-in, lost, and asked for by a workspace.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { code } from "../support/authenticator.mjs";
import { PASSWORD, accessible, hydrated, launch, letter, linkIn, looks, person, picture, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** From the page that offers it to the codes; the app's code of now is used up. Returns the secret and the codes. */
async function add(page, look = async () => {}) {
  await page.getByRole("button", { name: "Add a second factor" }).click();
  await page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  const secret = (await page.locator(".cs-code code").innerText()).trim();
  await look("second-factor-enrol");
  await page.getByLabel("Code that the app shows").fill(code(secret));
  await page.getByRole("button", { name: "Turn it on" }).click();
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  const codes = (await page.locator(".cs-code code").innerText()).trim().split(/\s+/);
  assert.equal(codes.length, 10);
  await look("second-factor-codes");
  await page.getByRole("button", { name: "I have kept them" }).click();
  return { secret, codes };
}

async function password(page, email) {
  await page.goto("/sign-in");
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Enter your code", level: 1 }).waitFor();
}

async function enter(page, typed, label = "Code of your app") {
  await page.getByLabel(label).fill(typed);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("a second factor is added, asked for, not fooled by a code that was used, and replaced by a recovery code", { timeout: 180_000 }, async () => {
  const desk = await person(browser);
  const { email, slug } = await signUp(desk.page, "Factor Foundry");
  await hydrated(desk.page);
  await desk.page.goto(`/w/${slug}/sessions`);
  await hydrated(desk.page);
  await desk.page.getByRole("heading", { name: "Second factor" }).waitFor();
  await desk.page.getByRole("link", { name: "Add one" }).click();
  await desk.page.getByRole("heading", { name: "Second factor", level: 1 }).waitFor();
  await looks(desk.page, "second-factor");

  const { secret, codes } = await add(desk.page, async (name) => {
    await looks(desk.page, name);
    if (name !== "second-factor-enrol") return;
    // A wrong code is told at its field.
    await desk.page.getByLabel("Code that the app shows").fill("12345");
    await desk.page.getByRole("button", { name: "Turn it on" }).click();
    await desk.page.getByText("This code is not right").first().waitFor();
  });
  await desk.page.waitForURL(new RegExp(`/w/${slug}/sessions$`));
  await desk.page.getByRole("link", { name: "Manage it" }).waitFor();
  await letter(email, /second factor was added/i);
  await desk.page.goto("/second-factor");
  await desk.page.getByText("10 recovery codes are left.").waitFor();
  await looks(desk.page, "second-factor-on");
  await desk.page.goto("/confirm-it");
  await desk.page.getByRole("heading", { name: "Confirm that it is you", level: 1 }).waitFor();
  await desk.page.getByLabel("Code of your app").waitFor();
  await hydrated(desk.page);
  await looks(desk.page, "confirm-it");

  // Out, and in again with a code.
  await desk.page.goto(`/w/${slug}`);
  await hydrated(desk.page);
  await desk.page.getByRole("button", { name: "Sign out" }).first().click();
  await desk.page.waitForURL(/\/sign-in/);
  await password(desk.page, email);
  await hydrated(desk.page);
  await looks(desk.page, "sign-in-code");
  const next = code(secret, 1);
  await enter(desk.page, next);
  await desk.page.waitForURL(new RegExp(`/w/${slug}$`));
  await desk.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

  // Somebody who looked over the shoulder.
  const thief = await person(browser);
  await password(thief.page, email);
  await hydrated(thief.page);
  await enter(thief.page, next);
  await thief.page.getByText("was used already").first().waitFor();
  assert.match(thief.page.url(), /\/sign-in\/code/);
  assert.equal((await thief.page.request.get(`/w/${slug}/live?page=overview&since=0`)).status(), 401);

  // The phone is lost: a recovery code, once.
  const plain = await person(browser, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  await password(plain.page, email);
  await plain.page.getByRole("link", { name: "Use a recovery code" }).click();
  await enter(plain.page, codes[0].toLowerCase(), "Recovery code");
  await plain.page.waitForURL(new RegExp(`/w/${slug}$`));
  await letter(email, /recovery code/i);
  await password(plain.page, email);
  await plain.page.getByRole("link", { name: "Use a recovery code" }).click();
  await enter(plain.page, codes[0], "Recovery code");
  await plain.page.getByText("was used already").first().waitFor();
  assert.deepEqual([...desk.faults, ...thief.faults], []);
});

test("a workspace asks its members for one, and leads them to it", { timeout: 180_000 }, async () => {
  const desk = await person(browser);
  const { slug } = await signUp(desk.page, "Policy Press");
  await hydrated(desk.page);
  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  const email = `policy${Date.now()}@plant.example`;
  await desk.page.getByLabel("E-mail").fill(email);
  await desk.page.getByRole("button", { name: "Send invitation" }).click();
  await desk.page.getByRole("alert").filter({ hasText: `Invitation sent to ${email}` }).waitFor();
  const joe = await person(browser);
  await joe.page.goto(linkIn(await letter(email, /invit/i)));
  await hydrated(joe.page);
  await joe.page.getByLabel("Your name").fill("Joe Berg");
  await joe.page.getByLabel("Password").fill(PASSWORD);
  await joe.page.getByRole("button", { name: "Create account and join" }).click();
  await joe.page.waitForURL(new RegExp(`/w/${slug}$`));

  // The owner first.
  await desk.page.getByRole("link", { name: "Add one for yourself first" }).click();
  await desk.page.getByRole("heading", { name: "Second factor", level: 1 }).waitFor();
  await add(desk.page);
  await desk.page.waitForURL(new RegExp(`/w/${slug}/members$`));
  await desk.page.getByRole("button", { name: "Ask for a second factor" }).click();
  await desk.page.getByRole("button", { name: "Do not ask for it any more" }).waitFor();
  await accessible(desk.page, "members who need a second factor");
  await picture(desk.page, "members-second-factor");

  await joe.page.goto(`/w/${slug}/sources`);
  assert.match(joe.page.url(), /\/second-factor\?next=/);
  await hydrated(joe.page);
  await joe.page.getByText("Policy Press asks its members for a second factor").waitFor();
  await accessible(joe.page, "a second factor that is asked for");
  await picture(joe.page, "second-factor-asked");
  await add(joe.page);
  await joe.page.waitForURL(new RegExp(`/w/${slug}/sources$`));
  await joe.page.getByRole("heading", { name: "Sources", level: 1 }).waitFor();
  assert.deepEqual([...desk.faults, ...joe.faults], []);
});

test("without script a second factor is added, and it is confirmed again", { timeout: 90_000 }, async () => {
  const { page } = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(page, "Plain Factor Plant");
  await page.goto(`/confirm-it?next=/w/${slug}/members`);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByText("This is not your password").first().waitFor();
  await page.goto(`/confirm-it?next=/w/${slug}/members`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.waitForURL(new RegExp(`/w/${slug}/members$`));
  await page.goto("/second-factor");
  const { secret } = await add(page);
  await page.getByText("10 recovery codes are left.").waitFor();
  await page.goto("/confirm-it");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByLabel("Code of your app").fill(code(secret, 1));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.waitForURL((url) => url.pathname === "/");
  await page.goto("/second-factor");
  await page.getByRole("button", { name: "Remove the second factor" }).click();
  await page.getByRole("dialog", { name: "Remove the second factor?" }).getByRole("button", { name: "Remove it" }).click();
  await page.getByRole("button", { name: "Add a second factor" }).waitFor();
});
