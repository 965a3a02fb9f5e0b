// Onboarding: the steps of the set-up, sample data that is nobody's, the cause of the wait as it changes, and the first event.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Agent, accessible, address, hydrated, launch, letter, looks, pair, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
const agent = new Agent("onboarding");
before(async () => (browser = await launch()));
after(async () => {
  agent.stop();
  await browser?.close();
});

const card = (page, name) => page.getByRole("heading", { name, level: 2, exact: true });
const sample = (page) => page.getByRole("heading", { name: "Sample data · not your machines" });

test("a new workspace is set up, shows sample data, and the first event takes its place", { timeout: 180_000 }, async () => {
  const { page, context, faults } = await person(browser, { timezoneId: "Europe/Stockholm" });
  const { slug } = await signUp(page, "Stepwise Steel", { stay: true });
  await hydrated(page);
  await page.getByRole("heading", { name: "Set up your workspace", level: 1 }).waitFor();

  // The browser knows where it is.
  const zone = page.getByLabel("Time zone", { exact: true });
  await until("the browser's time zone", 10, async () => (await zone.inputValue()) === "Europe/Stockholm");
  await accessible(page, "the first step");
  await picture(page, "welcome-first");
  await zone.fill("Nowhere/Else");
  await page.getByRole("button", { name: "Save and continue" }).click();
  await page.getByRole("alert").getByText("Choose a time zone from the list").waitFor();
  await zone.fill("Europe/Stockholm");
  await page.getByLabel("Region (optional)").fill("Europe");
  await page.getByRole("button", { name: "Save and continue" }).click();

  // The first site goes along; it is left for later.
  await card(page, "First site").waitFor();
  assert.equal(await page.getByLabel("Time zone of the site").inputValue(), "Europe/Stockholm");
  await page.getByRole("button", { name: "Skip this step" }).click();
  await card(page, "Colleagues").waitFor();
  const colleague = address();
  await page.getByLabel("E-mail").fill(colleague);
  await page.getByRole("button", { name: "Send invitation" }).click();
  await page.getByRole("listitem").getByText(colleague).waitFor();
  await letter(colleague);
  await accessible(page, "the colleagues");
  await page.getByRole("link", { name: "Continue", exact: true }).click();
  await card(page, "First source").waitFor();
  await looks(page, "welcome");

  // Back to what was skipped, then over.
  const steps = page.getByRole("list", { name: "Steps of the set-up" });
  await steps.getByText("skipped").waitFor();
  await steps.getByRole("link", { name: "First site" }).click();
  await page.getByLabel("Name of the site").fill("Mill 1");
  await page.getByRole("button", { name: "Save and continue" }).click();
  await card(page, "First source").waitFor();
  await page.getByRole("link", { name: "Go to the overview" }).click();
  await page.getByText("Set-up: 3 of 4 steps are over.").waitFor();

  // Sample data, said on every card, and nothing of it the workspace's own.
  await card(page, "No source is connected").waitFor();
  await sample(page).waitFor();
  const machines = page.getByRole("table", { name: "Sample machines" });
  assert.equal(await machines.getByRole("rowheader").count(), 3);
  assert.equal(await machines.getByRole("link").count(), 0, "nothing of it leads anywhere");
  const said = await page.locator(".cs-sample .cs-card").evaluateAll((cards) => cards.map((one) => getComputedStyle(one, "::before").content));
  assert.ok(said.length >= 8 && said.every((words) => words.includes("not your machines")), said.join());
  await looks(page, "sample");
  await page.getByRole("button", { name: "Hide the sample data" }).click();
  await sample(page).waitFor({ state: "detached" });
  await page.reload();
  await hydrated(page);
  assert.equal(await sample(page).count(), 0, "it stays hidden");
  await page.getByRole("button", { name: "Show sample data" }).click();
  await sample(page).waitFor();

  // In another tab an agent is paired; this one follows, in one document.
  await page.evaluate(() => (window.sameDocument = true));
  const wizard = await context.newPage();
  await pair(wizard, slug, agent);
  await page.getByText("is paired and has never connected").waitFor({ timeout: 30_000 });
  await accessible(page, "waiting for the agent");
  const running = agent.start("run");
  await page.getByRole("table", { name: "Assets, worst state first" }).getByRole("rowheader").first().waitFor({ timeout: 60_000 });
  assert.equal(running.child.exitCode, null, running.said);
  assert.equal(await sample(page).count(), 0, "the first event takes its place");
  assert.ok(await page.evaluate(() => window.sameDocument), "the document was not loaded again");
  assert.equal(await page.getByText("Set-up:").count(), 0, "the last step is done by itself");

  await page.goto(`/w/${slug}/audit`);
  for (const act of ["Set the workspace up", "Name the first site and its time zone"]) {
    await page.getByRole("table").getByText(act).first().waitFor();
  }
  assert.deepEqual(faults, []);
});

test("the steps work without script", { timeout: 60_000 }, async () => {
  const { page } = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(page, "Plain Steps", { stay: true });
  await page.getByLabel("Time zone", { exact: true }).fill("europe/oslo");
  await page.getByRole("button", { name: "Save and continue" }).click();
  await card(page, "First site").waitFor();
  assert.equal(await page.getByLabel("Time zone of the site").inputValue(), "Europe/Oslo");
  for (const next of ["Colleagues", "First source"]) {
    await page.getByRole("button", { name: "Skip this step" }).click();
    await card(page, next).waitFor();
  }
  await page.getByRole("button", { name: "Do not remind me on the Overview" }).click();
  await page.waitForURL(new RegExp(`/w/${slug}$`));
  await sample(page).waitFor();
  assert.equal(await page.getByText("Set-up:").count(), 0);
  await page.getByRole("button", { name: "Hide the sample data" }).click();
  await page.getByRole("button", { name: "Show sample data" }).waitFor();
});
