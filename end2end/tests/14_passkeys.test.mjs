// Passkeys, with the browser's own virtual authenticator: added, shown after the password and in its place, to confirm, not
// fooled by an answer that was used, lost, and replaced by a recovery code.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { device } from "../support/authenticator.mjs";
import { PASSWORD, hydrated, launch, letter, looks, person, signUp, until } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

async function addPasskey(page, name) {
  await page.getByLabel("Name of the new passkey").fill(name);
  await page.getByRole("button", { name: "Add a passkey" }).click();
}

async function rename(page, from, to) {
  const row = page.getByRole("listitem").filter({ hasText: from });
  // The list is read again after each change, and its forms are closed then.
  await page.waitForLoadState("networkidle");
  await until("the form is open", 10, async () => {
    if (!(await row.locator("details").evaluate((one) => one.open))) await row.locator("summary").click();
    return row.getByLabel("New name").isVisible();
  });
  await row.getByLabel("New name").fill(to);
  await row.getByRole("button", { name: "Save the name" }).click();
  await page.getByText(to, { exact: true }).waitFor();
}

async function keepCodes(page) {
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  const codes = (await page.locator(".cs-code code").innerText()).trim().split(/\s+/);
  assert.equal(codes.length, 10);
  await page.getByRole("button", { name: "I have kept them" }).click();
  return codes;
}

async function signOut(page, slug) {
  await page.goto(`/w/${slug}`);
  await hydrated(page);
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.waitForURL(/\/sign-in/);
}

async function password(page, email) {
  await page.goto("/sign-in");
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Enter your code", level: 1 }).waitFor();
}

const usePasskey = (page) => page.getByRole("button", { name: "Use a passkey" }).click();
const overview = (page) => page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

test("a passkey is added, signs in with and without a password, confirms, and is lost and recovered from", { timeout: 180_000 }, async () => {
  const desk = await person(browser);
  const { page } = desk;
  const { email, slug } = await signUp(page, "Passkey Plant");
  const phone = await device(desk);
  await page.goto("/second-factor");
  await hydrated(page);
  await addPasskey(page, "iPhone");
  const codes = await keepCodes(page);
  await page.getByText("10 recovery codes are left.").waitFor();
  await page.getByText("iPhone", { exact: true }).waitFor();
  await letter(email, /passkey was added/i);
  await looks(page, "passkeys");
  await rename(page, "iPhone", "Phone of the night shift");
  await rename(page, "Phone of the night shift", "iPhone");
  // The device knows that it holds one already.
  await addPasskey(page, "iPhone again");
  await page.getByText("holds a passkey of your account already").waitFor();

  // After the password, in place of a code.
  await signOut(page, slug);
  await password(page, email);
  await hydrated(page);
  await page.getByLabel("Recovery code").waitFor();
  await looks(page, "sign-in-passkey");
  // A device that is not unlocked does not help.
  await phone.lock();
  await usePasskey(page);
  await page.getByRole("alert").filter({ hasText: "No passkey was used" }).waitFor();
  await phone.unlock();
  const sent = page.waitForRequest((request) => request.url().includes("/api/passkeys/second_step"));
  await usePasskey(page);
  await page.waitForURL(new RegExp(`/w/${slug}$`));
  await overview(page);

  // Somebody who wrote down what was sent, and knows the password.
  const used = (await sent).postData();
  assert.match(used, /credential=/);
  const thief = await person(browser);
  await password(thief.page, email);
  const headers = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" };
  const post = (path, data) => thief.page.request.post(path, { headers, data });
  assert.equal((await post("/api/passkeys/second_step", used)).status(), 409, "nothing was asked");
  assert.equal((await post("/api/passkeys/begin_second_step", "")).status(), 200);
  assert.equal((await post("/api/passkeys/second_step", used)).status(), 422, "it answers another question");
  assert.equal((await post("/api/passkeys/second_step", used)).status(), 409, "which is used up");
  assert.equal((await thief.page.request.get(`/w/${slug}/live?page=overview&since=0`)).status(), 401);

  // The step before a dangerous act.
  await page.goto(`/confirm-it?next=/w/${slug}/members`);
  await hydrated(page);
  await usePasskey(page);
  await page.waitForURL(new RegExp(`/w/${slug}/members$`));

  // In place of the password as well.
  await signOut(page, slug);
  await page.goto("/sign-in");
  await hydrated(page);
  await usePasskey(page);
  await page.waitForURL(new RegExp(`/w/${slug}$`));
  await overview(page);

  // The phone is lost: a recovery code, without script too.
  await phone.lose();
  const plain = await person(browser, { javaScriptEnabled: false });
  await password(plain.page, email);
  await plain.page.getByLabel("Recovery code").fill(codes[0]);
  await plain.page.getByRole("button", { name: "Sign in" }).click();
  await plain.page.waitForURL(new RegExp(`/w/${slug}$`));
  await plain.page.goto("/second-factor");
  await plain.page.getByText("Adding a passkey needs JavaScript.").waitFor();
  await plain.page.getByRole("button", { name: "Remove the passkey iPhone" }).click();
  const question = plain.page.getByRole("dialog", { name: "Remove the passkey iPhone?" });
  await question.getByRole("button", { name: "Remove it" }).click();
  await plain.page.getByText("iPhone", { exact: true }).waitFor({ state: "detached" });
  await plain.page.getByText("recovery codes are left").waitFor({ state: "detached" });
  await letter(email, /passkey .* was removed/i);
  assert.deepEqual([...desk.faults, ...thief.faults], []);
});

test("a workspace that asks for a second factor takes a passkey for one", { timeout: 90_000 }, async () => {
  const desk = await person(browser);
  const { slug } = await signUp(desk.page, "Passkey Policy");
  await device(desk);
  await desk.page.goto(`/second-factor?next=/w/${slug}/members`);
  await hydrated(desk.page);
  await addPasskey(desk.page, "Laptop");
  await keepCodes(desk.page);
  await desk.page.waitForURL(new RegExp(`/w/${slug}/members$`));
  await desk.page.getByRole("button", { name: "Ask for a second factor" }).click();
  await desk.page.getByRole("button", { name: "Do not ask for it any more" }).waitFor();
  await desk.page.goto(`/w/${slug}`);
  await overview(desk.page);
  assert.deepEqual([...desk.faults], []);
});
