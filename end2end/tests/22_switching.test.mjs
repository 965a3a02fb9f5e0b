// A person with several workspaces goes from one to the other by the menu: by mouse, by keyboard, on a phone and without script.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accessible, fits, hydrated, launch, person, picture, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const menu = (page) => page.getByRole("group", { name: "Workspaces", exact: true });
const card = (page) => page.locator("button.cs-workspace");
const overview = (page, slug) => page.waitForURL(new RegExp(`/w/${slug}$`));
/** The frame is the workspace's: its card, and where the side bar leads. */
async function isIn(page, name, slug) {
  await card(page).filter({ hasText: name }).waitFor();
  const sources = page.getByRole("navigation", { name: "Workspace", exact: true }).getByRole("link", { name: "Sources" });
  assert.equal(await sources.getAttribute("href"), `/w/${slug}/sources`);
}

test("workspaces are switched by the menu, by mouse and by keyboard", { timeout: 120_000 }, async () => {
  const { page, context, faults } = await person(browser);
  const { slug: first } = await signUp(page, "Switching North");
  await page.goto("/new-workspace");
  await hydrated(page);
  await page.getByLabel("Workspace").fill("Switching South");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(/\/w\/switching-south[^/]*/);
  const second = new URL(page.url()).pathname.split("/")[2];

  await page.goto(`/w/${second}`);
  await hydrated(page);
  await isIn(page, "Switching South", second);
  await card(page).click();
  await menu(page).getByRole("link", { name: "Switching South" }).waitFor();
  assert.equal(await menu(page).getByRole("link", { name: "Switching South" }).getAttribute("aria-current"), "true");
  await accessible(page, "the menu of workspaces");
  await picture(page, "workspaces-light");
  await menu(page).getByRole("link", { name: "Switching North" }).click();
  await overview(page, first);
  await isIn(page, "Switching North", first);
  await menu(page).waitFor({ state: "hidden" });

  // By keyboard: opened, left with Esc, opened again, and down to the other one.
  await card(page).focus();
  await page.keyboard.press("Enter");
  await menu(page).waitFor();
  await page.keyboard.press("Escape");
  await menu(page).waitFor({ state: "hidden" });
  assert.ok(await card(page).evaluate((button) => button === document.activeElement), "focus is back at the card");
  await page.keyboard.press("Enter");
  await menu(page).waitFor();
  const at = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  for (let pressed = 0; pressed < 4 && !(await at()).startsWith("Switching South"); pressed += 1) await page.keyboard.press("Tab");
  assert.match(await at(), /^Switching South/);
  await page.keyboard.press("Enter");
  await overview(page, second);
  await isIn(page, "Switching South", second);

  // A page of one is not a page of the other: what is open goes with the switch.
  await page.goto(`/w/${second}/members`);
  await hydrated(page);
  await card(page).click();
  await menu(page).getByRole("link", { name: "Switching North" }).click();
  await overview(page, first);
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

  // On a phone, from the sheet.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("group", { name: "More" }).getByRole("link", { name: "Switching South" }).click();
  await overview(page, second);
  await fits(page, "another workspace on a phone");

  // Without script: a popover and links.
  const plain = await person(browser, { javaScriptEnabled: false, storageState: await context.storageState() });
  await plain.page.goto(`/w/${first}`);
  await card(plain.page).click();
  await menu(plain.page).getByRole("link", { name: "Switching South" }).click();
  await overview(plain.page, second);
  await isIn(plain.page, "Switching South", second);
  assert.deepEqual(faults, []);
});
