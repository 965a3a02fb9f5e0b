// Confirming that it is you, as it really comes about: a quarter of an hour after the sign-in an act asks for it, the way leads to the
// password or the passkey and back, and the act is done once.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { device } from "../support/authenticator.mjs";
import { ageSessions } from "../support/database.mjs";
import { chooseRole, join, signIn } from "../support/members.mjs";
import { PASSWORD, accessible, hydrated, launch, person, picture, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const asked = (page) => page.getByRole("alert").filter({ hasText: "Confirm that it is you" });
const members = (page, slug) => page.waitForURL(new RegExp(`/w/${slug}/members$`));
const confirming = (page) => page.getByRole("heading", { name: "Confirm that it is you", level: 1 }).waitFor();

/** Sends another role, which asks for a confirmation, and goes where it is given. */
async function refused(page, name, role) {
  await chooseRole(page, name, role);
  await asked(page).waitFor();
  await asked(page).getByRole("link", { name: "Confirm it" }).click();
  await confirming(page);
}

/** The role of a member as the server says it. */
async function roleIs(page, slug, name, role) {
  await page.goto(`/w/${slug}/members`);
  const chosen = page.getByLabel(`Role of ${name}`, { exact: true });
  assert.equal(await chosen.evaluate((select) => select.selectedOptions[0].textContent.trim()), role);
}

/** Sends another role, which is done now. */
async function done(page, slug, name, role) {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().includes("/members/change_role")),
    chooseRole(page, name, role),
  ]);
  assert.ok(answer.status() < 400, `changed to ${role}: ${answer.status()}`);
  await roleIs(page, slug, name, role);
}

test("a dangerous act asks a session of some time ago for the password or a passkey, and is done once", { timeout: 180_000 }, async () => {
  const desk = await person(browser);
  const { email, slug } = await signUp(desk.page, "Confirming Coke");
  const joe = await person(browser);
  await join(desk.page, joe.page, slug, "Joe Berg", "Viewer");
  const { page } = desk;
  const plain = await person(browser, { javaScriptEnabled: false });
  await plain.page.goto(`/sign-in?next=/w/${slug}/members`);
  await signIn(plain.page, email);
  await members(plain.page, slug);

  // A quarter of an hour later. What is no danger needs nothing.
  await roleIs(page, slug, "Joe Berg", "Viewer");
  await hydrated(page);
  ageSessions(email);
  await refused(page, "Joe Berg", "Operator");
  await hydrated(page);
  assert.equal(new URL(page.url()).searchParams.get("next"), `/w/${slug}/members`);
  await accessible(page, "the way to a dangerous act");
  await page.getByLabel("Password").fill("not the password at all");
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await page.getByText("This is not your password").first().waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await members(page, slug);
  // Nothing was done meanwhile: it is asked for again, and done.
  await roleIs(page, slug, "Joe Berg", "Viewer");
  await hydrated(page);
  await done(page, slug, "Joe Berg", "Operator");

  // Without script.
  ageSessions(email);
  await plain.page.goto(`/w/${slug}/members`);
  await refused(plain.page, "Joe Berg", "Admin");
  await plain.page.getByLabel("Password").fill(PASSWORD);
  await plain.page.getByRole("button", { name: "Confirm", exact: true }).click();
  await members(plain.page, slug);
  await roleIs(plain.page, slug, "Joe Berg", "Operator");
  await Promise.all([plain.page.waitForEvent("load"), chooseRole(plain.page, "Joe Berg", "Admin")]);
  await roleIs(plain.page, slug, "Joe Berg", "Admin");

  // With a passkey, which is added by somebody who has confirmed.
  await device(desk);
  await page.goto("/confirm-it?next=/second-factor");
  await hydrated(page);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await page.waitForURL(/\/second-factor$/);
  await page.getByLabel("Name of the new passkey").fill("Laptop");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "I have kept them" }).click();
  await page.getByText("10 recovery codes are left.").waitFor();
  ageSessions(email);
  await roleIs(page, slug, "Joe Berg", "Admin");
  await hydrated(page);
  await refused(page, "Joe Berg", "Viewer");
  await hydrated(page);
  await picture(page, "confirm-for-an-act");
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await members(page, slug);
  await roleIs(page, slug, "Joe Berg", "Admin");
  await hydrated(page);
  await done(page, slug, "Joe Berg", "Viewer");

  // Each act stands in the log once, and so does each confirmation.
  await page.goto(`/w/${slug}/audit`);
  const log = page.getByRole("table", { name: "Audit log" });
  await log.waitFor();
  assert.equal(await log.getByRole("rowheader", { name: "Change a member's role" }).count(), 3);
  assert.deepEqual([...desk.faults, ...joe.faults], []);
});
