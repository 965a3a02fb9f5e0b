// Retention: an admin looks at what would go, shortens a time, and an owner stops all removal by a legal hold.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accessible, fits, hydrated, launch, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const table = (page) => page.getByRole("table", { name: "Retention by class of data" });
const letters = (page) => table(page).getByRole("row").filter({ has: page.getByRole("rowheader", { name: /^Dead letters/ }) });
const choice = (page) => page.getByLabel("Keep Dead letters for");

/** Asks for the preview of another time for dead letters. */
async function preview(page, words) {
  await choice(page).selectOption({ label: words });
  await page.getByRole("button", { name: "Change how long Dead letters is kept" }).click();
  await page.getByRole("heading", { name: "Change: Dead letters", level: 2 }).waitFor();
}

const kept = (page, key) => until(`dead letters kept for ${key}`, 10, async () => (await choice(page).inputValue()) === key);

test("a shorter time is previewed and confirmed, and a legal hold is placed and lifted", { timeout: 120_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug } = await signUp(page, "Keeping Mill");
  await hydrated(page);
  await page.getByRole("navigation", { name: "Workspace", exact: true }).getByRole("link", { name: "Retention" }).click();
  await page.getByRole("heading", { name: "Retention", level: 1 }).waitFor();
  assert.equal(await choice(page).inputValue(), "forever");
  await letters(page).getByText("default").waitFor();
  await accessible(page, "retention");
  await picture(page, "retention-light");

  await preview(page, "7 days");
  await page.getByText("This cannot be undone").waitFor();
  await page.getByText("Nothing is older than that now").waitFor();
  assert.match(page.url(), /class=dead_letters&days=7/);
  await accessible(page, "the preview of a shorter time");
  await picture(page, "retention-preview");
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Change: Dead letters" }).waitFor({ state: "detached" });
  await kept(page, "forever");

  await preview(page, "7 days");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Change: Dead letters" }).waitFor({ state: "detached" });
  await kept(page, "7");
  assert.equal(await letters(page).getByText("default").count(), 0);

  // A hold.
  await page.getByLabel("Reason").fill("Case 7");
  await page.getByRole("button", { name: "Place legal hold" }).click();
  await page.getByText("A legal hold is open: nothing is removed.").waitFor();
  await page.getByText("Case 7").waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark", 5, () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme.includes("dark")));
  await accessible(page, "dark retention under a hold");
  await picture(page, "retention-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, "retention on a phone");
  await accessible(page, "retention on a phone");
  await picture(page, "retention-phone");
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("button", { name: "Lift the hold: Case 7" }).click();
  await page.getByRole("button", { name: "Lift hold" }).click();
  await page.getByText("No hold is open.").waitFor();

  // All of it stands in the log.
  await page.goto(`/w/${slug}/audit`);
  for (const act of ["Change how long data is kept", "Place a legal hold", "Lift a legal hold"]) {
    await page.getByRole("table").getByText(act).first().waitFor();
  }
  assert.deepEqual(faults, []);
});

test("the two steps work without script", { timeout: 60_000 }, async () => {
  const plain = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(plain.page, "Plain Keeping");
  await plain.page.goto(`/w/${slug}/retention`);
  await preview(plain.page, "30 days");
  await plain.page.getByRole("button", { name: "Confirm" }).click();
  await plain.page.waitForURL(new RegExp(`/w/${slug}/retention$`));
  assert.equal(await choice(plain.page).inputValue(), "30");
});
