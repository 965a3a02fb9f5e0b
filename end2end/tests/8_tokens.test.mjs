// API tokens: made on a page, used by a program, shown as used, revoked; on a desk, on a phone and without script.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accessible, fits, hydrated, launch, person, picture, signUp, stack, until } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const sideBar = (page) => page.getByRole("navigation", { name: "Workspace", exact: true });
const dark = async (page) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark", 5, () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme.includes("dark")));
};
/** A box of the form that makes an account. */
const box = (page, scope) => page.locator(`#token-scopes input[value="${scope}"]`);
/** The API as a program uses it: no browser, no cookie. */
const ask = (path, token) =>
  fetch(`${stack.url}/api/v1/${path}`, { headers: token ? { authorization: `Bearer ${token}` } : {}, redirect: "manual" });
const shown = async (page) => {
  const text = await page.locator("pre", { hasText: /^cst_/ }).innerText();
  assert.match(text.trim(), /^cst_[A-Za-z0-9_-]{43}_[0-9A-Za-z]{6}$/);
  return text.trim();
};

test("a program gets a token, reads with it, and is out when it is revoked", { timeout: 120_000 }, async () => {
  const { page, context, faults } = await person(browser);
  const { slug } = await signUp(page, "Token Mill");
  await hydrated(page);
  await sideBar(page).getByRole("link", { name: "API tokens" }).click();
  await page.getByRole("heading", { name: "API tokens", level: 1 }).waitFor();
  await page.getByRole("heading", { name: "No API tokens yet" }).waitFor();
  await accessible(page, "API tokens, none");
  await picture(page, "tokens-empty");

  // What is wrong is told at the field, and what was typed stays.
  await page.getByLabel("Name of the program").fill("Grafana");
  await page.getByRole("button", { name: "Make token" }).click();
  await page.getByRole("alert").filter({ hasText: "Choose what the token may read" }).waitFor();
  assert.equal(await page.getByLabel("Name of the program").inputValue(), "Grafana");

  await box(page, "read:workspace").check();
  await box(page, "read:assets").check();
  await page.getByRole("button", { name: "Make token" }).click();
  await page.getByRole("heading", { name: "Your new token" }).waitFor();
  const token = await shown(page);
  const table = page.getByRole("table", { name: "Tokens of Grafana" });
  await table.getByRole("rowheader", { name: "Grafana" }).waitFor();
  await table.getByText("Never").waitFor();
  await accessible(page, "a new API token");
  await picture(page, "tokens-light");
  await dark(page);
  await accessible(page, "a dark page of API tokens");
  await picture(page, "tokens-dark");
  await page.emulateMedia({ colorScheme: "light" });
  // Scripts cannot read where it is kept, and no address has it.
  assert.ok(!(await page.evaluate(() => document.cookie)).includes("cst_"));
  assert.ok(!page.url().includes("cst_"));
  await page.getByRole("link", { name: "I have kept it" }).click();
  await page.getByRole("heading", { name: "Your new token" }).waitFor({ state: "detached" });
  assert.equal(await page.locator("pre", { hasText: /^cst_/ }).count(), 0, "it is not shown again");

  // The program.
  const answer = await ask("workspace", token);
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).slug, slug);
  assert.deepEqual((await (await ask("assets?limit=10", token)).json()).items, []);
  const refused = await ask("sources", token);
  assert.equal(refused.status, 403);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  assert.match((await refused.json()).detail, /read:sources/);
  assert.equal((await ask("workspace")).status, 401);
  // A browser that is signed in is no program.
  const cookie = await context.request.get("/api/v1/workspace");
  assert.equal(cookie.status(), 401);

  await page.reload();
  await hydrated(page);
  await table.getByText("Live").waitFor();
  assert.equal(await table.getByText("Never").count(), 0, "its use is shown");

  // A second one beside it, and the first revoked.
  await page.getByRole("button", { name: "Add a token to Grafana" }).click();
  const more = page.getByRole("dialog", { name: "Another token of Grafana" });
  await more.getByLabel("What it is for").fill("Next year");
  await more.locator('input[value="read:workspace"]').check();
  await more.getByRole("button", { name: "Make another token" }).click();
  await page.getByRole("heading", { name: "Your new token" }).waitFor();
  const next = await shown(page);
  assert.notEqual(next, token);
  await page.getByRole("button", { name: "Revoke Grafana" }).click();
  await page.getByRole("button", { name: "Revoke token" }).click();
  await table.getByText("Revoked").waitFor();
  assert.equal((await ask("workspace", token)).status, 401);
  assert.equal((await ask("workspace", next)).status, 200);

  await page.getByRole("button", { name: "Remove Grafana" }).click();
  await page.getByRole("button", { name: "Remove account" }).click();
  await page.getByRole("heading", { name: "No API tokens yet" }).waitFor();
  assert.equal((await ask("workspace", next)).status, 401);
  assert.deepEqual(faults, []);
});

test("API tokens on a phone, by the menu", { timeout: 60_000 }, async () => {
  const { page } = await person(browser, { viewport: { width: 390, height: 844 } });
  await signUp(page, "Pocket Tokens");
  await hydrated(page);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("link", { name: "API tokens" }).filter({ visible: true }).click();
  await page.getByRole("heading", { name: "API tokens", level: 1 }).waitFor();
  await page.getByLabel("Name of the program").fill("Line display with a rather long name");
  for (const scope of ["read:workspace", "read:assets", "read:sources", "read:series"]) await box(page, scope).check();
  await page.getByRole("button", { name: "Make token" }).click();
  await page.getByRole("heading", { name: "Your new token" }).waitFor();
  await shown(page);
  await fits(page, "API tokens on a phone");
  await accessible(page, "API tokens on a phone");
  await picture(page, "tokens-phone");
});

test("without script a token is made, shown and revoked", { timeout: 60_000 }, async () => {
  const { page } = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(page, "Plain Tokens");
  await page.goto(`/w/${slug}/tokens`);
  await page.getByLabel("Name of the program").fill("Script");
  await page.getByRole("button", { name: "Make token" }).click();
  await page.getByText("Choose what the token may read").first().waitFor();
  await page.getByLabel("Name of the program").fill("Script");
  await box(page, "read:workspace").check();
  await page.getByRole("button", { name: "Make token" }).click();
  await page.getByRole("heading", { name: "Your new token" }).waitFor();
  const token = await shown(page);
  assert.equal((await ask("workspace", token)).status, 200);
  await page.getByRole("button", { name: "Revoke Script" }).click();
  await page.getByRole("button", { name: "Revoke token" }).click();
  await page.getByRole("table", { name: "Tokens of Script" }).getByText("Revoked").waitFor();
  assert.equal((await ask("workspace", token)).status, 401);
});
