// Rewriting history: machines that came with their names have none after it, while the agent goes on.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Agent, accessible, fits, hydrated, launch, pair, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
const agent = new Agent("rewriting");
before(async () => (browser = await launch()));
after(async () => {
  agent.stop();
  await browser?.close();
});

async function open(page, slug) {
  await page.goto(`/w/${slug}/masking`);
  await page.getByRole("heading", { name: "Masking", level: 1 }).waitFor();
  await page.getByRole("heading", { name: "Rewrite history", level: 2 }).waitFor();
}

test("names that are kept already are masked by a rewrite, and data goes on", { timeout: 300_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug } = await signUp(page, "Later Works");
  await open(page, slug);
  await page.getByText("so there is nothing to apply to what is kept").waitFor();
  assert.equal(await page.getByRole("button", { name: "Rewrite history" }).count(), 0, "there is nothing to press");

  await pair(page, slug, agent);
  const running = agent.start("run");
  await page.goto(`/w/${slug}`);
  const assets = page.getByRole("table", { name: /Assets/ });
  const names = () => assets.getByRole("rowheader").allTextContents();
  await until("machines have their names", 90, async () => {
    await page.goto(`/w/${slug}`);
    return (await names()).some((name) => name.startsWith("Engine "));
  });

  await open(page, slug);
  await hydrated(page);
  await page.getByLabel("Field", { exact: true }).fill("name");
  await page.getByLabel("What is left").selectOption({ label: "Hash with key" });
  await page.getByRole("button", { name: "Mask it" }).click();
  await until("the agent applies it", 60, async () => {
    await open(page, slug);
    return page.getByRole("table", { name: "Masked fields" }).getByText(/^applied by/).count();
  });

  await hydrated(page);
  await page.getByRole("button", { name: "Rewrite history", exact: true }).first().click();
  const question = page.getByRole("dialog", { name: "Rewrite history under the masks?" });
  await question.getByText("The clear values go for ever").waitFor();
  await question.getByRole("button", { name: "Rewrite history" }).click();
  await page.getByText(/^The last rewrite ended/).waitFor({ timeout: 120_000 });
  await accessible(page, "masking after a rewrite");
  await picture(page, "rewriting-light");
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, "rewriting on a phone");
  await picture(page, "rewriting-phone");
  await page.setViewportSize({ width: 1280, height: 800 });

  await page.goto(`/w/${slug}`);
  await assets.getByRole("rowheader").first().waitFor();
  const after = await names();
  assert.ok(after.length > 0 && after.every((name) => /^h:[\w-]{22}$/.test(name.trim())), after.join());
  await page.getByText(/behind the machines/).waitFor();
  assert.equal(running.child.exitCode, null, running.said);
  await page.goto(`/w/${slug}/audit`);
  await page.getByRole("table").getByText("Rewrite history under the masks").first().waitFor();
  assert.deepEqual(faults, []);
});
