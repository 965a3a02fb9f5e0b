// The audit log: a person acts, finds it written down, filters, takes it as a file, and has the chain checked.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { accessible, fits, hydrated, launch, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

/** The rows of a CSV text as RFC 4180 has them. */
function rowsOf(csv) {
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < csv.length; at += 1) {
    const row = rows.at(-1);
    if (quoted && csv[at] === '"' && csv[at + 1] === '"') row[row.length - 1] += csv[(at += 1)];
    else if (csv[at] === '"') quoted = !quoted;
    else if (!quoted && csv[at] === ",") row.push("");
    else if (!quoted && csv.startsWith("\r\n", at)) (at += 1), rows.push([""]);
    else row[row.length - 1] += csv[at];
  }
  assert.deepEqual(rows.pop(), [""], "the last line ends like all others");
  return rows;
}

test("a person acts, finds it in the audit log, filters it and takes it as a file", { timeout: 120_000 }, async () => {
  const { page, faults } = await person(browser);
  // A name that a spreadsheet would run.
  const { email, slug } = await signUp(page, "=1+1 Audited Mill");
  await hydrated(page);

  // Something to find: a pairing code, made and not used.
  await page.getByRole("main").getByRole("link", { name: "Connect a source" }).first().click();
  await page.getByRole("button", { name: "Make a pairing code" }).click();
  const code = (await page.getByLabel("Pairing code").textContent()).trim();

  // The page is in the side bar; what was done is in it, newest first, with who and from where.
  await page.getByRole("navigation", { name: "Workspace", exact: true }).getByRole("link", { name: "Audit" }).click();
  await page.waitForURL(new RegExp(`/w/${slug}/audit$`));
  const table = page.getByRole("table", { name: "Audit log" });
  await table.waitFor();
  const acts = table.getByRole("rowheader");
  await until("three acts", 10, async () => (await acts.count()) === 3);
  assert.deepEqual(
    (await acts.allTextContents()).map((text) => text.split(",")[0]),
    ["Make a pairing code", "Sign in", "Create the workspace"],
  );
  const begun = table.getByRole("row").filter({ hasText: "Make a pairing code" });
  for (const text of ["Maja Lind", email, "Done"]) await begun.getByText(text).first().waitFor();
  assert.ok(!(await table.innerText()).includes(code), "a secret is in the log");
  await accessible(page, "the audit log");
  await picture(page, "audit-light");

  // One entry in full, at an address of its own.
  await begun.getByRole("link").click();
  await page.waitForURL(/[?&]entry=3/);
  await page.getByRole("heading", { name: "Entry 3: Make a pairing code" }).waitFor();
  await page.getByRole("table", { name: "What changed" }).getByRole("rowheader", { name: "agent" }).waitFor();
  await accessible(page, "an entry");
  await picture(page, "audit-entry-light");
  await page.getByRole("link", { name: "Close" }).click();
  await page.waitForURL((url) => !url.search.includes("entry"));
  await page.getByRole("heading", { name: /^Entry 3/ }).waitFor({ state: "detached" });

  // Filters stand in the URL, and what fits nothing says so.
  const filters = page.getByRole("search", { name: "Filter the audit log" });
  await filters.getByLabel("Act").selectOption({ label: "Sign in" });
  await filters.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL(/[?&]act=session\.sign_in/);
  await until("one act", 10, async () => (await acts.count()) === 1);
  await filters.getByLabel("Outcome").selectOption({ label: "Refused" });
  await filters.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("heading", { name: "No entry fits" }).waitFor();
  await accessible(page, "the audit log without a fitting entry");
  await page.getByRole("link", { name: "Show all entries" }).click();
  // With the first look at this page; the next ones add nothing.
  await until("all acts again", 10, async () => (await acts.count()) === 4);
  assert.equal(await filters.getByLabel("Outcome").inputValue(), "");

  // A failed sign-in of this account is told to its workspace; by whom nobody knows, so it says whose account.
  const stranger = await person(browser);
  await stranger.page.goto("/sign-in");
  await hydrated(stranger.page);
  await stranger.page.getByLabel("Work e-mail").fill(email);
  await stranger.page.getByLabel("Password").fill("not this passphrase 1");
  await stranger.page.getByRole("button", { name: "Sign in" }).click();
  await stranger.page.getByRole("alert").filter({ hasText: "do not belong together" }).first().waitFor();
  await until("the failed sign-in is in the log", 10, async () => {
    await page.goto(`/w/${slug}/audit?outcome=refused`);
    return (await acts.count()) === 1;
  });
  await table.getByText("Refused").waitFor();

  // Both files, the first as a person takes it. The name is a text there and no formula.
  await page.goto(`/w/${slug}/audit`);
  await hydrated(page);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export CSV" }).click()]);
  assert.equal(download.suggestedFilename(), `audit-${slug}.csv`);
  const [head, ...rows] = rowsOf(readFileSync(await download.path(), "utf8"));
  const column = (name) => head.indexOf(name);
  assert.deepEqual(
    rows.map((row) => row[column("act")]),
    ["workspace.create", "session.sign_in", "pairing.begin", "audit.read", "session.sign_in", "audit.export"],
  );
  assert.deepEqual(rows.map((row) => row[column("seq")]), ["1", "2", "3", "4", "5", "6"]);
  assert.equal(rows[0][column("object")], "'=1+1 Audited Mill");
  assert.equal(rows[4][column("outcome")], "refused");
  for (let at = 1; at < rows.length; at += 1) {
    assert.equal(rows[at][column("previous_hash")], rows[at - 1][column("hash")], "each follows from the one before");
  }
  const answer = await page.request.get(`/w/${slug}/audit.ndjson?act=pairing.begin`);
  assert.equal(answer.status(), 200);
  const lines = (await answer.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, 1);
  assert.deepEqual([lines[0].seq, lines[0].actor.kind, lines[0].object.kind], [3, "person", "pairing"]);
  assert.equal(lines[0].hash, rows[2][column("hash")]);

  // The check says what it looked at.
  await page.getByRole("link", { name: "Verify chain" }).click();
  const said = page.getByRole("alert").filter({ hasText: "The chain is whole." });
  await said.waitFor();
  assert.match(await said.textContent(), /7 entries were checked/);
  await accessible(page, "a checked audit log");
  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark", 5, () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme.includes("dark")));
  await accessible(page, "the dark audit log");
  await picture(page, "audit-dark");
  await page.emulateMedia({ colorScheme: "light" });

  // Phone: found in the menu, no sideways scroll.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`/w/${slug}`);
  await hydrated(page);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("link", { name: "Audit", exact: true }).click();
  await table.waitFor();
  await fits(page, "the audit log on a phone");
  await accessible(page, "the audit log on a phone");
  await picture(page, "audit-phone");
  await page.goto(`/w/${slug}/audit?entry=3`);
  await fits(page, "an entry on a phone");
  assert.deepEqual(faults, []);
});

test("without script the log is read, filtered and checked; another's is not there", { timeout: 60_000 }, async () => {
  const mine = await person(browser, { javaScriptEnabled: false });
  const theirs = await person(browser);
  const { slug } = await signUp(theirs.page, "Their Audited Plant");
  const { slug: own } = await signUp(mine.page, "Plain Audited Plant");
  const { page } = mine;
  await page.goto(`/w/${own}/audit`);
  await page.getByLabel("Person").fill("nobody");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("heading", { name: "No entry fits" }).waitFor();
  await page.getByRole("link", { name: "Show all entries" }).click();
  await page.getByRole("link", { name: "Verify chain" }).click();
  await page.getByText("The chain is whole. 3 entries were checked").waitFor();
  for (const path of ["audit", "audit.csv", "audit.ndjson"]) {
    assert.equal((await page.request.get(`/w/${slug}/${path}`)).status(), 404, path);
  }
  const outside = await person(browser);
  assert.equal((await outside.page.request.get(`/w/${slug}/audit.csv`)).status(), 401);
});
