// Masking at the agent: a name that is masked before anything was read, a value that is rounded while the agent runs, and what
// cannot be masked.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Agent, accessible, fits, hydrated, launch, pair, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
const agent = new Agent("masking");
before(async () => (browser = await launch()));
after(async () => {
  agent.stop();
  await browser?.close();
});

const table = (page) => page.getByRole("table", { name: "Masked fields" });
const row = (page, field) => table(page).getByRole("row").filter({ has: page.getByRole("rowheader", { name: new RegExp(`^${field}`) }) });

async function open(page, slug) {
  await page.goto(`/w/${slug}/masking`);
  await page.getByRole("heading", { name: "Masking", level: 1 }).waitFor();
}

/** Fills the form and sends it. */
async function mask(page, { of, field, rule, amount }) {
  if (of) await page.getByLabel("Stream", { exact: true }).selectOption({ label: of });
  await page.getByLabel("Field", { exact: true }).fill(field);
  await page.getByLabel("What is left").selectOption({ label: rule });
  if (amount) await page.getByLabel("How many, or how wide").fill(amount);
  await page.getByRole("button", { name: "Mask it" }).click();
}

test("what is masked at the agent is masked from the first row, and from the next change on", { timeout: 240_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug } = await signUp(page, "Quiet Works");
  await hydrated(page);
  await page.getByRole("navigation", { name: "Workspace", exact: true }).getByRole("link", { name: "Masking" }).click();
  await page.getByRole("heading", { name: "Masking", level: 1 }).waitFor();
  await page.getByText("Everything comes in the clear").waitFor();

  // An example beside the form, before anything is sent.
  await page.getByLabel("What is left").selectOption({ label: "Keep the last characters" });
  await page.getByLabel("Try it on a value").fill("DE89 3704 0044 0532");
  await page.getByText("What is left: •••0532").waitFor();
  await accessible(page, "masking");
  await picture(page, "masking-light");

  // Before there is any source: every stream that will ever come.
  await mask(page, { field: "name", rule: "Hash with key" });
  await row(page, "name").getByText("hashed with a key").waitFor();
  await row(page, "name").getByText("no agent reads it").waitFor();

  await pair(page, slug, agent);
  const running = agent.start("run");
  await page.goto(`/w/${slug}`);
  const assets = page.getByRole("table", { name: /Assets/ });
  await assets.getByRole("rowheader").first().waitFor({ timeout: 60_000 });
  await until("machines have hashes for names", 60, async () => {
    await page.goto(`/w/${slug}`);
    const names = await assets.getByRole("rowheader").allTextContents();
    return names.length > 0 && names.every((name) => /^h:[\w-]{22}$/.test(name.trim()));
  });
  assert.equal(running.child.exitCode, null, running.said);

  // While the agent runs: a measured value is rounded from its next sample on.
  await open(page, slug);
  await hydrated(page);
  await row(page, "name").getByText(/^applied by/).waitFor();
  await mask(page, { of: "plant-db: public.telemetry", field: "t24", rule: "Round down to steps", amount: "100" });
  await row(page, "t24").getByText("rounded down to steps of 100").waitFor();
  await until("the agent applies it", 60, async () => {
    await open(page, slug);
    return row(page, "t24").getByText(/^applied by/).count();
  });
  await page.goto(`/w/${slug}`);
  const heads = await assets.getByRole("columnheader").allTextContents();
  const place = heads.findIndex((head) => head.includes("LPC outlet temperature"));
  assert.ok(place > 0, heads.join());
  let cells = [];
  // A machine that stands still keeps its last value.
  const turning = assets.locator("tbody tr").filter({ hasText: /Running/ });
  const rounded = async () => {
    cells = await turning.locator(`:scope > :nth-child(${place + 1})`).allTextContents();
    // The rig has no such value.
    const numbers = cells.filter((cell) => /\d/.test(cell)).map((cell) => Number.parseFloat(cell.replaceAll(/[^0-9.]/g, "")));
    return numbers.length > 0 && numbers.every((number) => number > 0 && number % 100 === 0);
  };
  await until("values are whole hundreds", 90, rounded).catch((error) => assert.fail(`${error.message}: ${cells.join(" | ")}`));

  // What makes a row of it is not masked.
  await open(page, slug);
  await hydrated(page);
  await mask(page, { of: "plant-db: public.telemetry", field: "machine_id", rule: "Hash with key" });
  await page.getByText("says which machine a row of public.telemetry is of").waitFor();
  await mask(page, { of: "plant-db: public.telemetry", field: "machine_idd", rule: "Hide it" });
  await page.getByText("has a column machine_idd").waitFor();

  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark", 5, () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme.includes("dark")));
  await accessible(page, "dark masking");
  await picture(page, "masking-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, "masking on a phone");
  await accessible(page, "masking on a phone");
  await picture(page, "masking-phone");
  await page.setViewportSize({ width: 1280, height: 800 });

  // Nothing comes back by removing a mask, and the page says so.
  await page.getByRole("button", { name: /^Stop masking t24/ }).click();
  await row(page, "t24").getByText("Values that were masked do not come back.").waitFor();
  await page.getByRole("button", { name: "Stop masking", exact: true }).click();
  await row(page, "t24").waitFor({ state: "detached" });
  await page.goto(`/w/${slug}/audit`);
  for (const act of ["Mask a field", "Stop masking a field"]) {
    await page.getByRole("table").getByText(act).first().waitFor();
  }
  assert.ok(!running.said.includes("Engine "), running.said);
  assert.deepEqual(faults, []);
});

test("a mask is made and removed without script", { timeout: 60_000 }, async () => {
  const plain = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(plain.page, "Plain Masking");
  await open(plain.page, slug);
  await mask(plain.page, { field: "operator", rule: "Hide it" });
  await row(plain.page, "operator").getByText("hidden").waitFor();
  await plain.page.getByRole("button", { name: /^Stop masking operator/ }).click();
  await plain.page.getByRole("button", { name: "Stop masking", exact: true }).click();
  await plain.page.getByText("Everything comes in the clear").waitFor();
});
