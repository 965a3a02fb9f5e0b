// Plan and usage: an owner sees what is used of what, the operator sets a plan, its seats run out, and it is said.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { accessible, hydrated, launch, looks, person, signUp, stack } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** As the platform's operator does it on its machine. */
function setPlan(slug, plan, ...limits) {
  const args = ["set-plan", "--workspace", slug, "--plan", plan, ...limits.flatMap((limit) => ["--limit", limit])];
  return JSON.parse(execFileSync(stack.server, args, { env: { ...process.env, ...stack.operator }, encoding: "utf8" }));
}

const limits = (page) => page.getByRole("table", { name: "Limits of the plan" });
const limit = (page, name) => limits(page).getByRole("row").filter({ has: page.getByRole("rowheader", { name: new RegExp(`^${name}`) }) });

test("an owner sees plan and usage, and meets a limit in words", { timeout: 120_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug } = await signUp(page, "Metered Mill");
  await hydrated(page);
  await page.getByRole("navigation", { name: "Workspace", exact: true }).getByRole("link", { name: "Plan and usage" }).click();
  await page.getByRole("heading", { name: "Plan and usage", level: 1 }).waitFor();
  await page.getByRole("main").getByText("Unlimited").waitFor();
  await limit(page, "Seats").getByText("1 seat, without a limit").waitFor();
  await accessible(page, "plan and usage without limits");

  const set = setPlan(slug, "trial", "seats=1");
  assert.deepEqual(set.after, { plan: "trial", agreed: { seats: 1 } });
  await page.reload();
  await hydrated(page);
  await page.getByRole("main").getByText("Trial").waitFor();
  await limit(page, "Seats").getByText("1 of 1 seat").waitFor();
  await limit(page, "Seats").getByText("Limit reached").waitFor();
  await limit(page, "Events this month").getByText("Within the plan").waitFor();
  assert.equal(await page.getByRole("table", { name: "Usage by day" }).getByRole("row").count(), 31, "thirty days and a head");
  await looks(page, "usage");

  // No seat is left, and the page of members says so.
  await page.goto(`/w/${slug}/members`);
  await hydrated(page);
  await page.getByLabel("E-mail").fill("joe@plant.example");
  await page.getByRole("button", { name: /invit/i }).first().click();
  await page.getByText("All seats of this workspace's plan (1) are taken").waitFor();

  await page.goto(`/w/${slug}/audit`);
  await page.getByRole("table").getByText("Set the plan").first().waitFor();
  assert.deepEqual(faults, []);
});

test("the page is there without script", { timeout: 60_000 }, async () => {
  const plain = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(plain.page, "Plain Metering");
  await plain.page.goto(`/w/${slug}/usage`);
  await limit(plain.page, "Exports today").getByText("0 exports, without a limit").waitFor();
});
