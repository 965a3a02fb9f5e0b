// Another role while a page is open: what the page still shows is refused at once, its stream ends, and the next page is the new
// role's.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { chooseRole, join, listen } from "../support/members.mjs";
import { hydrated, launch, person, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const sideBar = (page) => page.getByRole("navigation", { name: "Workspace", exact: true });

test("an admin who becomes a viewer is one from the next press on", { timeout: 120_000 }, async () => {
  const desk = await person(browser);
  const { slug } = await signUp(desk.page, "Changing Chimes");
  const joe = await person(browser);
  await join(desk.page, joe.page, slug, "Joe Berg", "Admin");
  await joe.page.goto(`/w/${slug}/members`);
  await hydrated(joe.page);
  await joe.page.getByLabel("E-mail").fill("eve@plant.example");
  await listen(joe.page, slug);

  await desk.page.goto(`/w/${slug}/members`);
  await hydrated(desk.page);
  const changed = desk.page.waitForResponse((response) => response.url().includes("/members/change_role"));
  await chooseRole(desk.page, "Joe Berg", "Viewer");
  assert.ok((await changed).ok());
  const at = Date.now();

  // The page is open still, with its form and its links: the server goes by the new role.
  await joe.page.getByRole("button", { name: "Send invitation" }).click();
  await joe.page.getByRole("alert").filter({ hasText: "Your role does not allow you to" }).waitFor();
  assert.equal((await joe.page.request.get(`/w/${slug}/audit.csv`)).status(), 403);
  // The stream ends, and the page loads itself anew: one of the two is seen first.
  await joe.page.evaluate(() => window.ended).catch(() => {});
  assert.ok(Date.now() - at < 5_000, `the stream of the old role ended after ${Date.now() - at} ms`);
  await joe.page.getByText("You are a viewer here").waitFor();
  await hydrated(joe.page);

  // The next page is a viewer's, its stream too.
  await sideBar(joe.page).getByRole("link", { name: "Sources" }).click();
  await joe.page.getByRole("heading", { name: "Sources", level: 1 }).waitFor();
  await sideBar(joe.page).getByRole("link", { name: "Members" }).waitFor({ state: "detached" });
  await sideBar(joe.page).getByRole("link", { name: "Sources" }).waitFor();
  await listen(joe.page, slug);
  await joe.page.goto(`/w/${slug}/members`);
  await joe.page.getByText("You are a viewer here").waitFor();

  // Nobody was invited.
  await desk.page.goto(`/w/${slug}/members`);
  await desk.page.getByRole("heading", { name: "No open invitations" }).or(desk.page.getByText("No open invitations")).first().waitFor();
  assert.deepEqual([...desk.faults, ...joe.faults], []);
});
