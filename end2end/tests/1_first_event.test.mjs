// The journey that the product exists for: sign up, pair an agent, see the first event, see a value change, sign out.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Agent, accessible, fits, hydrated, launch, person, picture, signUp, stack, until } from "../support/stack.mjs";

let browser;
const agent = new Agent("first");
before(async () => (browser = await launch()));
after(async () => {
  agent.stop();
  await browser?.close();
});

test("a new customer pairs an agent and sees their machines live", { timeout: 180_000 }, async (t) => {
  const { page, context, faults } = await person(browser);
  const { slug } = await signUp(page, "Nordmark Foundries");
  await hydrated(page);
  await page.getByRole("heading", { name: "No source is connected" }).or(page.getByText("No source is connected")).first().waitFor();
  await accessible(page, "the empty overview");

  // The code, shown once.
  await page.getByRole("main").getByRole("link", { name: "Connect a source" }).first().click();
  await page.getByRole("button", { name: "Make a pairing code" }).click();
  const code = (await page.getByLabel("Pairing code").textContent()).trim();
  assert.match(code, /^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
  await picture(page, "wizard-code-light");
  await accessible(page, "the wizard");

  // The agent shows it with its own key; the same six words on both sides.
  const pairing = agent.pair(code);
  const list = page.getByRole("list", { name: "Fingerprint of the agent's key" }).locator("li");
  await list.first().waitFor();
  const words = await list.allTextContents();
  assert.equal(words.length, 6);
  await until("the agent prints the same six words", 10, () => words.every((word) => pairing.said.includes(word)));
  await picture(page, "wizard-approve-light");
  await page.getByRole("button", { name: "Approve" }).click();
  assert.equal(await pairing.ended, 0, pairing.said);
  await page.getByRole("heading", { name: "is paired" }).waitFor();

  // From start to the first event on the page.
  const started = Date.now();
  const running = agent.start("run");
  await page.getByRole("link", { name: "Open the overview" }).click({ timeout: 30_000 });
  t.diagnostic(`first event on the page ${((Date.now() - started) / 1000).toFixed(1)} s after the agent's start`);
  await page.waitForURL(new RegExp(`/w/${slug}$`));
  const table = page.getByRole("table", { name: /Assets/ });
  await table.getByRole("rowheader").first().waitFor({ timeout: 30_000 });
  assert.equal(running.child.exitCode, null, running.said);

  // A value changes on the page when the machine's value changes, without a reload.
  await page.reload();
  await hydrated(page);
  const marked = await page.evaluate(() => (window.sameDocument = true));
  assert.ok(marked);
  const before = await table.innerText();
  await until("a value in the table changes", 20, async () => (await table.innerText()) !== before);
  assert.ok(await page.evaluate(() => window.sameDocument), "the document was not loaded again");
  await page.getByText(/behind the machines/).waitFor();
  await until("the chart is drawn", 15, () => page.locator("canvas").count());
  // A young workspace fills its page: minutes, not an hour that nobody knows. What the URL asks for is obeyed.
  const range = page.getByRole("button", { name: /choose the time range/ });
  assert.match(await range.innerText(), /Last (5|10|15) minutes/);
  await page.goto(`/w/${slug}?range=1h`);
  assert.match(await range.innerText(), /Last hour/);
  await page.goto(`/w/${slug}`);
  await hydrated(page);
  // States are known: their figures have lines, which live updates move without changing any height.
  for (const name of ["Machines running, today", "Availability in per cent, today", "Machines down, today"]) {
    const line = page.getByRole("img", { name });
    assert.match(await line.getAttribute("aria-label"), /at most/, name);
    assert.ok((await line.locator(".cs-spark__line").getAttribute("d")).startsWith("M"), `${name} is drawn`);
  }
  // A metric is called what the database's comment calls it.
  await page.getByRole("heading", { name: "LPC outlet temperature" }).waitFor();
  await table.getByRole("columnheader", { name: "LPC outlet temperature" }).waitFor();
  for (const text of await page.locator(".cs-bars td:last-child").allTextContents()) assert.notEqual(text, "0 s");
  await accessible(page, "the overview");
  await picture(page, "overview-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark", 5, () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme.includes("dark")));
  await accessible(page, "the dark overview");
  await picture(page, "overview-dark");
  await page.emulateMedia({ colorScheme: "light" });

  // The source tells the truth about itself.
  await page.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: "Sources" }).click();
  const row = page.getByRole("table", { name: "Sources" }).getByRole("row").filter({ hasText: "plant-db" });
  await row.getByText("Live", { exact: true }).waitFor({ timeout: 30_000 });
  await accessible(page, "the sources");
  await picture(page, "sources-light");
  await row.getByRole("link", { name: "plant-db" }).click();
  await page.getByText("public.telemetry").first().waitFor();
  await accessible(page, "a source");
  await picture(page, "source-light");

  // An Overview with machines needs its own code only, and a page whose code does not come says so.
  const cut = await context.newPage();
  const others = "**/pkg/split_*.wasm";
  let asked = 0;
  await cut.route(others, (route) => {
    asked += 1;
    return route.abort();
  });
  await cut.goto(`/w/${slug}`);
  await hydrated(cut);
  assert.equal(asked, 0, "the Overview asks for the code of other pages");
  await cut.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: "Sources" }).click();
  await cut.getByRole("alert").getByText("This page could not be loaded").waitFor();
  assert.ok(asked > 0);
  await cut.unroute(others);
  await cut.getByRole("button", { name: "Try again" }).click();
  await cut.waitForURL(new RegExp(`/w/${slug}/sources$`));
  await cut.getByRole("heading", { name: "Sources", level: 1 }).waitFor();
  await hydrated(cut);
  await cut.close();

  // An agent that stops is told as blind, not as quiet.
  agent.stop();
  await page.getByRole("navigation", { name: "Workspace" }).getByRole("link", { name: "Sources" }).click();
  await row.getByText("Blind", { exact: true }).waitFor({ timeout: 60_000 });

  // Phone.
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, path] of [["overview", ""], ["sources", "/sources"], ["letters", "/dead-letters"]]) {
    await page.goto(`/w/${slug}${path}`);
    await hydrated(page);
    await fits(page, name);
    await accessible(page, `${name} on a phone`);
    if (name === "overview") {
      const rows = await page.locator("table[data-stack=lines] tbody tr").all();
      assert.equal(rows.length, 25);
      for (const row of rows) {
        const { height } = await row.boundingBox();
        assert.ok(height >= 44 && height <= 64, `an asset is ${height} px high`);
      }
    }
    await picture(page, `${name}-phone`);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`/w/${slug}`);
  await fits(page, "the overview at 360 px");

  // Out means out, in every tab.
  await page.setViewportSize({ width: 1440, height: 900 });
  const tab = await context.newPage();
  await tab.goto(`/w/${slug}`);
  await page.goto(`/w/${slug}`);
  await hydrated(page);
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.waitForURL((url) => !url.pathname.startsWith("/w/"));
  await tab.reload();
  assert.match(tab.url(), /\/sign-in/);
  assert.deepEqual(faults, []);
});
