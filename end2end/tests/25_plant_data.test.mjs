// With a plant's data: a viewer sees what masks leave and an owner the values, what could not be read is shown as text, and what is too
// old goes when the workers come by.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { count, quoted, sql } from "../support/database.mjs";
import { chooseRole, join } from "../support/members.mjs";
import { Agent, accessible, fits, hydrated, launch, pair, person, picture, signUp, stack, until } from "../support/stack.mjs";

let browser;
const agent = new Agent("plant-data");
before(async () => (browser = await launch()));
after(async () => {
  agent.stop();
  await browser?.close();
});

const assets = (page) => page.getByRole("table", { name: /Assets/ });
const names = async (page) => (await assets(page).getByRole("rowheader").allTextContents()).map((name) => name.trim());
const engine = (name) => name.startsWith("Engine ");
const hashed = (all) => all.length > 0 && all.every((name) => /^h:[\w-]{22}$/.test(name));

/** Without a choice the page takes what differs most between the machines that have come so far. */
const CHOSEN = "?metric=LPC%20outlet%20temperature";

/** The numbers of the column "LPC outlet temperature", of machines that turn. */
async function temperatures(page) {
  const heads = await assets(page).getByRole("columnheader").allTextContents();
  const place = heads.findIndex((head) => head.includes("LPC outlet temperature"));
  assert.ok(place > 0, heads.join());
  const turning = assets(page).locator("tbody tr").filter({ hasText: /Running/ });
  const cells = await turning.locator(`:scope > :nth-child(${place + 1})`).allTextContents();
  return cells.filter((cell) => /\d/.test(cell)).map((cell) => Number.parseFloat(cell.replaceAll(/[^0-9.]/g, "")));
}
const whole = (number) => number % 100 === 0;

/** Waits for machines that turn; each of their values is a whole hundred. */
const roundedOnly = (page) =>
  until("a machine that turns", 60, async () => {
    const numbers = await temperatures(page);
    assert.ok(numbers.every(whole), numbers.join());
    return numbers.length;
  });

/** Masks a field in views, for whoever is no admin. */
async function maskInViews(page, { of, field, rule, amount }) {
  await page.getByLabel("Stream", { exact: true }).selectOption({ label: of });
  await page.getByLabel("Field", { exact: true }).fill(field);
  await page.getByLabel("What is left").selectOption({ label: rule });
  if (amount) await page.getByLabel("How many, or how wide").fill(amount);
  await page.getByLabel("Where", { exact: true }).selectOption({ label: "In views, by role" });
  await page.getByLabel("In views, seen in the clear by").selectOption({ label: "Admins and above" });
  await page.getByRole("button", { name: "Mask it" }).click();
  const row = page.getByRole("table", { name: "Masked fields" }).getByRole("row");
  await row.filter({ has: page.getByRole("rowheader", { name: new RegExp(`^${field}`) }) }).getByText("Admins and above").waitFor();
}

/** What the palette finds by this text. */
async function search(page, text) {
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  const answer = page.waitForResponse((response) => response.url().includes("/search/find"));
  await page.getByRole("combobox", { name: "Search or jump to" }).fill(text);
  const found = await (await answer).text();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  return found;
}

test("masks by role, letters that cannot be read, and retention, with a plant's data", { timeout: 300_000 }, async () => {
  const desk = await person(browser);
  const { slug } = await signUp(desk.page, "Data Dairy");
  const workspace = `(select id from auth.workspaces where slug = ${quoted(slug)})`;
  await pair(desk.page, slug, agent);
  const running = agent.start("run");
  const eve = await person(browser);
  await join(desk.page, eve.page, slug, "Eve Lang", "Viewer");
  await until("machines have their names", 90, async () => {
    await desk.page.goto(`/w/${slug}${CHOSEN}`);
    if ((await assets(desk.page).getByRole("columnheader", { name: "LPC outlet temperature" }).count()) === 0) return false;
    return (await names(desk.page)).some(engine);
  });
  const clear = (await names(desk.page)).find(engine);

  // Masked in views: nothing changes at the agent, nor for the owner.
  await desk.page.goto(`/w/${slug}/masking`);
  await hydrated(desk.page);
  await maskInViews(desk.page, { of: "Every stream of every source", field: "name", rule: "Hash with key" });
  await maskInViews(desk.page, { of: "plant-db: public.telemetry", field: "t24", rule: "Round down to steps", amount: "100" });
  await accessible(desk.page, "masks in views");
  await picture(desk.page, "masks-in-views");
  await desk.page.goto(`/w/${slug}${CHOSEN}`);
  await hydrated(desk.page);
  assert.ok((await names(desk.page)).some(engine));
  await until("the owner sees the values", 60, async () => (await temperatures(desk.page)).some((number) => !whole(number)));
  assert.ok((await search(desk.page, clear)).includes(clear));

  // The viewer's page as it is sent, and as it is kept up to date.
  await eve.page.goto(`/w/${slug}${CHOSEN}`);
  await hydrated(eve.page);
  assert.ok(hashed(await names(eve.page)), (await names(eve.page)).join());
  await roundedOnly(eve.page);
  assert.ok(!(await (await eve.page.request.get(`/w/${slug}`)).text()).includes(clear), "the name is nowhere in the page");
  const first = await assets(eve.page).innerText();
  await eve.page.evaluate(() => (window.sameDocument = true));
  await until("a value in the viewer's table changes", 20, async () => (await assets(eve.page).innerText()) !== first);
  assert.ok(await eve.page.evaluate(() => window.sameDocument), "the document was not loaded again");
  assert.ok(hashed(await names(eve.page)), "what comes live is masked too");
  await roundedOnly(eve.page);
  assert.ok(!(await search(eve.page, clear)).includes(clear), "and nothing is found by what is masked");
  await picture(eve.page, "overview-of-a-viewer");

  // A letter that could not be read: what it holds is text, to the owner; a viewer reads none.
  sql(`insert into dead_letters
         (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
       select workspace_id, id, 1, 900000001, 'public.telemetry', 'e2e', 'No such unit: <i>furlong</i>',
              convert_to('{"machine_id": "<img src=x onerror=alert(1)>", "phone": "555 0100"}', 'UTF8'), 1, 1
       from sources
       where workspace_id = ${workspace}`);
  await desk.page.goto(`/w/${slug}/dead-letters`);
  await hydrated(desk.page);
  await desk.page.getByRole("heading", { name: "No such unit: <i>furlong</i>" }).waitFor();
  await desk.page.getByText("Show samples").click();
  await desk.page.getByText("<img src=x onerror=alert(1)>").waitFor();
  assert.equal(await desk.page.locator(".cs-letter img, .cs-letter h2 i").count(), 0);
  await accessible(desk.page, "a dead letter");
  await picture(desk.page, "dead-letter");
  await desk.page.setViewportSize({ width: 390, height: 844 });
  await fits(desk.page, "a dead letter on a phone");
  await desk.page.setViewportSize({ width: 1280, height: 800 });
  const hers = await eve.page.request.get(`/w/${slug}/dead-letters`, { headers: { accept: "text/html" } });
  assert.equal(hers.status(), 403);
  assert.ok(!(await hers.text()).includes("555 0100"), "letters are not a viewer's to read");

  // Another role: the open page is loaded anew, and is the new role's.
  await eve.page.goto(`/w/${slug}${CHOSEN}`);
  await hydrated(eve.page);
  await eve.page.evaluate(() => (window.sameDocument = true));
  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  await chooseRole(desk.page, "Eve Lang", "Admin");
  await until("the admin's page", 20, () => names(eve.page).then((all) => all.some(engine), () => false));
  assert.equal(await eve.page.evaluate(() => window.sameDocument), undefined);

  // Figures of a month ago: the preview counts them, the workers take them, and the page says what went and what is left.
  const minutes = `rollups where workspace_id = ${workspace} and grain = 60`;
  await until("there are figures", 90, () => count(`select count(*) from ${minutes}`) > 0);
  sql(`update rollups
       set from_at = from_at - interval '30 days', to_at = to_at - interval '30 days'
       where workspace_id = ${workspace} and grain = 60`);
  const { page } = desk;
  await page.goto(`/w/${slug}/retention`);
  await hydrated(page);
  const row = page.getByRole("table", { name: "Retention by class of data" }).getByRole("row");
  const figures = row.filter({ has: page.getByRole("rowheader", { name: /^Minute figures/ }) });
  await page.getByLabel("Keep Minute figures for").selectOption({ label: "7 days" });
  await page.getByRole("button", { name: "Change how long Minute figures is kept" }).click();
  await page.getByRole("heading", { name: "Change: Minute figures", level: 2 }).waitFor();
  await page.getByText(/^Minute figures will be kept for 7 days\. Older now: [1-9][\d\s,.]* rows?, /).waitFor();
  await picture(page, "retention-preview-of-data");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Change: Minute figures" }).waitFor({ state: "detached" });
  const env = { ...process.env, ...stack.workersEnv };
  const said = execFileSync(stack.workers, ["retain", "--workspace", slug], { env, encoding: "utf8" });
  assert.match(said, /Minute figures\s+[1-9]\d* rows removed, [1-9]\d* bytes freed/);
  await until("new figures, and no old ones", 60, () => count(`select count(*) from ${minutes} and from_at < now() - interval '8 days'`) === 0);
  await page.goto(`/w/${slug}/retention`);
  await figures.getByText(/^[1-9][\d\s,.]* rows?, .+ removed$/).waitFor();
  await picture(page, "retention-after-a-run");
  // Raw samples were too young: all of them are there, with the oldest's time and their size.
  const samples = row.filter({ has: page.getByRole("rowheader", { name: /^Raw samples/ }) });
  await samples.getByText("nothing was old enough").waitFor();
  await page.goto(`/w/${slug}/audit`);
  await page.getByRole("table").getByText("Remove what is older than it is kept").first().waitFor();
  assert.equal(running.child.exitCode, null, running.said);
  assert.deepEqual([...desk.faults, ...eve.faults], []);
});
