// Settings of a workspace: another name, another address that old links lead to, sites, and the way there on a phone.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { hydrated, launch, looks, person, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const administration = (page) => page.getByRole("navigation", { name: "Workspace", exact: true });
const heading = (page, name, level = 1) => page.getByRole("heading", { name, level, exact: true });

test("a workspace is renamed, moves to another address, and old links lead there", { timeout: 120_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug } = await signUp(page, "Hasty Name");
  await hydrated(page);
  await administration(page).getByRole("link", { name: "Settings", exact: true }).click();
  await heading(page, "Workspace settings").waitFor();
  await looks(page, "settings");

  await page.getByLabel("Name of the workspace").fill("Well Considered Works");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.getByRole("button", { name: /Well Considered Works/ }).first().waitFor();

  // An address says what cannot be in it, and stays as it was typed.
  const address = page.getByLabel("Address of the workspace");
  await address.fill("wörks");
  await page.getByRole("button", { name: "Change the address" }).click();
  await page.getByText("letters of other alphabets").waitFor();
  assert.equal(await address.inputValue(), "wörks");
  const moved = `well-considered-${Date.now()}`;
  await address.fill(moved);
  await page.getByRole("button", { name: "Change the address" }).click();
  await page.waitForURL((url) => url.pathname === `/w/${moved}/settings`);
  await page.getByRole("listitem").getByText(slug, { exact: true }).waitFor();

  await page.goto(`/w/${slug}/audit?act=workspace.rename`);
  assert.equal(new URL(page.url()).pathname, `/w/${moved}/audit`, "an old link leads to the same page");
  await hydrated(page);

  // Nobody else is told a word of it, at either address.
  const other = await person(browser);
  await signUp(other.page, "Curious Neighbours");
  for (const of of [slug, moved]) {
    assert.equal((await other.page.request.get(`/w/${of}`, { headers: { accept: "text/html" } })).status(), 404, of);
  }

  await page.goto(`/w/${moved}/settings`);
  await hydrated(page);
  await page.getByLabel("Region (optional)").fill("Europe");
  await page.getByRole("button", { name: "Save the place" }).click();
  await page.getByText("Well Considered Works, Europe").waitFor();
  await page.getByLabel("Name of the new site").fill("Mill 2");
  await page.getByLabel("Time zone of the new site").fill("Europe/Oslo");
  await page.getByRole("button", { name: "Add the site" }).click();
  await page.getByLabel("Name of Mill 2").fill("Mill Two");
  await page.getByRole("button", { name: "Save Mill 2" }).click();
  await page.getByRole("button", { name: "Remove Mill Two" }).click();
  await page.getByRole("dialog", { name: "Remove Mill Two?" }).getByRole("button", { name: "Remove site" }).click();
  await page.getByRole("button", { name: "Remove Mill Two" }).waitFor({ state: "detached" });

  await page.goto(`/w/${moved}/audit`);
  for (const act of ["Rename the workspace", "Change the workspace's address", "Add a site", "Change a site", "Remove a site"]) {
    await page.getByRole("table").getByText(act).first().waitFor();
  }
  assert.deepEqual([...faults, ...other.faults], []);
});

test("on a phone the menu leads to the settings and to a new workspace", { timeout: 60_000 }, async () => {
  const { page, faults } = await person(browser, { viewport: { width: 390, height: 844 } });
  await signUp(page, "Pocket Plant");
  await hydrated(page);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("link", { name: "New workspace" }).waitFor();
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await heading(page, "Workspace settings").waitFor();
  assert.deepEqual(faults, []);
});

test("the settings work without script", { timeout: 60_000 }, async () => {
  const { page } = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(page, "Plain Settings");
  await page.goto(`/w/${slug}/settings`);
  await page.getByLabel("Name of the workspace").fill("Plainer Settings");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  assert.equal(await page.getByLabel("Name of the workspace").inputValue(), "Plainer Settings");
  await page.getByLabel("Address of the workspace").fill("api");
  await page.getByRole("button", { name: "Change the address" }).click();
  await page.getByText("This address cannot be had.").waitFor();
  await page.getByLabel("Address of the workspace").fill(`plainer-${Date.now()}`);
  await page.getByRole("button", { name: "Change the address" }).click();
  await page.waitForURL(/\/w\/plainer-\d+\/settings$/);
});
