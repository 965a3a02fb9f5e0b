// Members limited to sites: a machine is moved to a site, a viewer is invited to it, and sees that machine alone.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { accept, listen } from "../support/members.mjs";
import { Agent, address, hydrated, launch, looks, pair, person, signUp } from "../support/stack.mjs";

let browser;
const agent = new Agent("sites");
before(async () => (browser = await launch()));
after(async () => {
  agent.stop();
  await browser?.close();
});

const machines = (page) => page.getByRole("table", { name: "Assets, worst state first" }).getByRole("rowheader");

test("a viewer of one site sees its machine alone, until the limit is lifted", { timeout: 240_000 }, async () => {
  const desk = await person(browser);
  const { slug } = await signUp(desk.page, "Two Plants");
  await pair(desk.page, slug, agent);
  agent.start("run");
  await desk.page.goto(`/w/${slug}`);
  await machines(desk.page).nth(1).waitFor({ timeout: 60_000 });

  // A site, and a machine at it.
  await desk.page.goto(`/w/${slug}/settings`);
  await hydrated(desk.page);
  await desk.page.getByLabel("Name of the new site").fill("Annexe");
  await desk.page.getByRole("button", { name: "Add the site" }).click();
  await desk.page.getByLabel("Name of Annexe").waitFor();
  await desk.page.goto(`/w/${slug}/sites`);
  await hydrated(desk.page);
  await desk.page.getByLabel(/^Site of /).first().selectOption({ label: "Annexe" });
  const moved = desk.page.waitForResponse((response) => response.url().includes("/api/sites/place"));
  await desk.page.getByRole("button", { name: /^Move / }).first().click();
  await moved;
  await looks(desk.page, "sites");
  await desk.page.getByRole("link", { name: "settings", exact: true }).click();
  const annexe = desk.page.getByRole("listitem").filter({ has: desk.page.getByText("Annexe", { exact: true }) });
  await annexe.getByText("1 machine,").waitFor();

  // A viewer of it alone.
  const email = address();
  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  await desk.page.getByLabel("E-mail").fill(email);
  await desk.page.getByLabel("Role", { exact: true }).selectOption({ label: "Viewer" });
  const sees = desk.page.getByRole("group", { name: "Sees", exact: true });
  await sees.getByRole("radio", { name: "Only these" }).check();
  await sees.getByRole("checkbox", { name: "Annexe" }).check();
  await desk.page.getByRole("button", { name: "Send invitation" }).click();
  await desk.page.getByText("Viewer · Annexe").waitFor();
  await looks(desk.page, "members-limited");

  const joe = await person(browser);
  await accept(joe.page, slug, email, "Joe Berg");
  await machines(joe.page).first().waitFor();
  assert.equal(await machines(joe.page).count(), 1, "the machine of their site alone");
  await joe.page.getByText("You see the machines of Annexe.").waitFor();
  await looks(joe.page, "overview-limited");
  for (const page of ["sites", "dead-letters"]) {
    const answer = await joe.page.request.get(`/w/${slug}/${page}`, { headers: { accept: "text/html" } });
    assert.equal(answer.status(), 403, page);
  }

  // The limit is lifted: what is open ends within seconds, the next page shows every machine.
  await joe.page.goto(`/w/${slug}/sessions`);
  await hydrated(joe.page);
  await listen(joe.page, slug);
  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  const row = desk.page.getByRole("row").filter({ hasText: email });
  await row.getByText("Annexe", { exact: true }).first().click();
  await row.getByRole("radio", { name: "Every site" }).check();
  const pressed = Date.now();
  await row.getByRole("button", { name: "Change which sites Joe Berg sees" }).click();
  await joe.page.evaluate(() => window.ended).catch(() => {});
  assert.ok(Date.now() - pressed < 6_000, `their open stream ended after ${Date.now() - pressed} ms`);
  // The page they had open loads itself anew meanwhile.
  const next = await joe.context.newPage();
  await next.goto(`/w/${slug}`);
  await machines(next).nth(1).waitFor();
  assert.equal(await next.getByText("You see the machines of").count(), 0);

  await desk.page.goto(`/w/${slug}/audit`);
  for (const act of ["Add a site", "Move a machine to a site", "Say which sites a member sees"]) {
    await desk.page.getByRole("table").getByText(act).first().waitFor();
  }
  assert.deepEqual([...desk.faults, ...joe.faults], []);
});
