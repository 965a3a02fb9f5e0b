// The end of a workspace: an owner takes everything away in a file, asks for the end, takes it back, asks again, and is sent the
// certificate when it is gone.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { accessible, fits, hydrated, launch, letter, linkIn, person, picture, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const heading = (page) => page.getByRole("heading", { name: "Delete workspace", level: 1 }).waitFor();
const word = (page) => page.getByText(/This workspace is deleted with all that is in it on/);

/** Types the name and asks. */
async function ask(page, name) {
  await page.getByLabel(/Type the workspace's name/).fill(name);
  await page.getByRole("button", { name: "Delete this workspace" }).click();
}

test("a workspace is exported, kept after all, and then deleted with a certificate", { timeout: 240_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug, email } = await signUp(page, "Ending Mill");
  await hydrated(page);
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
  const certificate = await gone(email);
  await page.goto(certificate);
  await page.getByRole("heading", { name: "Certificate of deletion", level: 1 }).waitFor();
  await page.getByText("Ending Mill").waitFor();
  const counts = page.getByRole("table", { name: "What was removed, by kind" });
  await counts.getByRole("row", { name: /^memberships 1/ }).waitFor();
  await counts.getByRole("row", { name: /^audit entries/ }).waitFor();
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
  assert.deepEqual(faults, []);
});

/** The link of the letter that tells of the end: it comes within a minute and a half. */
async function gone(email) {
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
