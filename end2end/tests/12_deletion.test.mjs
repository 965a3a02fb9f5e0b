// The end of a workspace: an owner takes everything away in a file, asks for the end, takes it back, asks again, and is sent the
// certificate when it is gone.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { count, quoted, sql } from "../support/database.mjs";
import { Agent, accessible, fits, hydrated, launch, letter, linkIn, pair, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
// One of the workspace that goes, one of a workspace beside it.
const [going, staying] = [new Agent("going"), new Agent("staying")];
before(async () => (browser = await launch()));
after(async () => {
  going.stop();
  staying.stop();
  await browser?.close();
});

const heading = (page) => page.getByRole("heading", { name: "Delete workspace", level: 1 }).waitFor();
const word = (page) => page.getByText(/This workspace is deleted with all that is in it on/);

/** Types the name and asks. */
async function ask(page, name) {
  await page.getByLabel(/Type the workspace's name/).fill(name);
  await page.getByRole("button", { name: "Delete this workspace" }).click();
}

const of = (slug) => `workspace_id = (select id from auth.workspaces where slug = ${quoted(slug)})`;
const segments = (where) => count(`select count(*) from bronze_segments where ${where}`);
const chunks = (where) => count(`select count(*) from sample_chunks where ${where}`);

/** Connects an agent and lets it run until the workspace has received events and samples of them. */
async function fill(page, slug, agent) {
  await pair(page, slug, agent);
  agent.start("run");
  await until(`data of ${slug}`, 90, () => segments(of(slug)) > 0 && chunks(of(slug)) > 0);
}

/** What a workspace has received, to the byte. */
const received = (slug) =>
  sql(`select count(*), sum(event_count), md5(string_agg(encode(hash, 'hex'), ',' order by source_id, epoch, first_seq))
       from bronze_segments where ${of(slug)}`);

test("a workspace is exported, kept after all, and then deleted with a certificate", { timeout: 240_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug, email } = await signUp(page, "Ending Mill");
  await fill(page, slug, going);
  const other = await person(browser);
  const { slug: beside } = await signUp(other.page, "Staying Mill");
  await fill(other.page, beside, staying);
  staying.stop();
  await until("the other agent has ended", 20, () => staying.children.every((child) => child.exitCode !== null || child.signalCode !== null));
  let before = "";
  await until("nothing more comes from it", 20, async () => {
    const last = before;
    before = received(beside);
    if (last !== before) await new Promise((done) => setTimeout(done, 1_000));
    return last === before;
  });
  const gone = sql(`select id from auth.workspaces where slug = ${quoted(slug)}`);

  await page.goto(`/w/${slug}/members`);
  await page.getByRole("link", { name: "Delete this workspace" }).click();
  await heading(page);
  await page.getByRole("table", { name: "What the workspace has" }).getByRole("row", { name: /^Members 1/ }).waitFor();
  await accessible(page, "the page that deletes a workspace");
  await picture(page, "delete-light");

  // Everything first.
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Export everything" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), `${slug}.ndjson`);
  const lines = readFileSync(await download.path(), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines[0].name, "Ending Mill");
  assert.ok(lines.some((line) => line.kind === "member" && line.email === email));
  assert.ok(lines.some((line) => line.table === "audit_entries"));
  assert.deepEqual(lines.at(-1), { kind: "end", lines_before: lines.length - 1 });

  // The name, as it is written.
  await ask(page, "Ending");
  await page.getByText("This is not the workspace's name.").waitFor();
  assert.equal(await word(page).count(), 0);
  await ask(page, "Ending Mill");
  await word(page).waitFor();
  const asked = await letter(email, /will be deleted/);
  assert.ok(linkIn(asked, /\/delete$/).endsWith(`/w/${slug}/delete`));

  // A change of mind, on another page.
  await page.goto(`/w/${slug}/sources`);
  await hydrated(page);
  await word(page).waitFor();
  await page.getByRole("button", { name: "Keep workspace" }).click();
  await word(page).waitFor({ state: "detached" });
  await letter(email, /Mill” at Clarity Stream stays/);

  // Once more, and for good.
  await page.goto(`/w/${slug}/delete`);
  await hydrated(page);
  await ask(page, "Ending Mill");
  await word(page).waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, "a workspace that will go, on a phone");
  await accessible(page, "a workspace that will go");
  await picture(page, "delete-pending-phone");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });

  // Half a minute until its time has come, and half a minute until everybody has left.
  const certificate = await certified(email);
  await page.goto(certificate);
  await page.getByRole("heading", { name: "Certificate of deletion", level: 1 }).waitFor();
  await page.getByText("Ending Mill").waitFor();
  const counts = page.getByRole("table", { name: "What was removed, by kind" });
  await counts.getByRole("row", { name: /^memberships 1/ }).waitFor();
  await counts.getByRole("row", { name: /^audit entries/ }).waitFor();
  for (const kind of ["agents", "sources", "bronze segments", "sample chunks"]) {
    await counts.getByRole("row", { name: new RegExp(`^${kind} [1-9]`) }).waitFor();
  }
  await accessible(page, "the certificate");
  await picture(page, "certificate");
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, "the certificate on a phone");
  await page.setViewportSize({ width: 1280, height: 800 });

  // Its pages are as if they had never been.
  for (const path of [`/w/${slug}`, `/w/${slug}/delete`, `/deleted/${"ab".repeat(32)}`]) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 404, path);
  }
  // Nothing of its data is left, and nothing of the workspace beside it has changed.
  for (const table of ["bronze_segments", "sample_chunks", "sources", "agents"]) {
    assert.equal(count(`select count(*) from ${table} where workspace_id = '${gone}'`), 0, table);
  }
  assert.equal(received(beside), before);
  await other.page.goto(`/w/${beside}`);
  await other.page.getByRole("table", { name: /Assets/ }).getByRole("rowheader").first().waitFor();
  assert.deepEqual([...faults, ...other.faults], []);
});

/** The link of the letter that tells of the end: it comes within a minute and a half. */
async function certified(email) {
  const end = Date.now() + 120_000;
  for (;;) {
    try {
      return linkIn(await letter(email, /Mill” at Clarity Stream is deleted/), /\/deleted\//);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

test("asking and taking back work without script", { timeout: 60_000 }, async () => {
  const plain = await person(browser, { javaScriptEnabled: false });
  const { slug } = await signUp(plain.page, "Plain Ending");
  await plain.page.goto(`/w/${slug}/delete`);
  await ask(plain.page, "Plain Ending");
  await word(plain.page).waitFor();
  await plain.page.getByRole("button", { name: "Take it back" }).click();
  await plain.page.getByRole("button", { name: "Delete this workspace" }).waitFor();
  assert.equal(await word(plain.page).count(), 0);
});
