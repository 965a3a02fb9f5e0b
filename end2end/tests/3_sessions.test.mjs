// A person's sessions: seen from another browser, and ended from there.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { PASSWORD, accessible, fits, hydrated, launch, person, picture, signUp, until } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test("a session that is ended from another browser is out, its live page too", { timeout: 90_000 }, async () => {
  const desk = await person(browser);
  const { email, slug } = await signUp(desk.page, "Session Steel");
  await hydrated(desk.page);

  const phone = await person(browser, {
    viewport: { width: 390, height: 844 },
    userAgent:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
  });
  await phone.page.goto("/sign-in");
  await phone.page.getByLabel("Work e-mail").fill(email);
  await phone.page.getByLabel("Password").fill(PASSWORD);
  await phone.page.getByRole("button", { name: "Sign in" }).click();
  await phone.page.waitForURL(new RegExp(`/w/${slug}$`));
  await hydrated(phone.page);
  await phone.page.goto(`/w/${slug}/sessions`);
  await hydrated(phone.page);
  await fits(phone.page, "sessions on a phone");
  await picture(phone.page, "sessions-phone");
  // A page that is not live, and one that is.
  const tab = await phone.context.newPage();
  await tab.goto(`/w/${slug}/members`);
  await hydrated(tab);
  const opened = phone.page.waitForResponse((response) => response.url().includes(`/w/${slug}/live`));
  await phone.page.goto(`/w/${slug}/sources`);
  await hydrated(phone.page);
  assert.ok((await opened).ok());

  await desk.page.getByRole("link", { name: "Maja Lind" }).click();
  await desk.page.getByRole("heading", { name: "Your sessions", level: 1 }).waitFor();
  const rows = desk.page.getByRole("row").filter({ has: desk.page.getByRole("rowheader") });
  assert.equal(await rows.count(), 2);
  assert.match(await rows.first().innerText(), /This one/);
  await accessible(desk.page, "sessions");
  await picture(desk.page, "sessions");
  await rows.filter({ hasText: "Safari on iPhone" }).getByRole("button", { name: /^End/ }).click();
  const pressed = Date.now();
  // What it showed is gone, and words say why.
  await phone.page.waitForURL(/\/sign-in\?next=/);
  assert.ok(Date.now() - pressed < 7_000, `it was led to the sign-in after ${Date.now() - pressed} ms`);
  await phone.page.getByText("Your session has ended, or you have not signed in yet.").waitFor();
  await accessible(phone.page, "sign-in after a session ended");
  // The other one asks when somebody turns to it.
  await tab.evaluate(() => void window.dispatchEvent(new Event("focus")));
  await tab.waitForURL(/\/sign-in\?next=/);
  await until("the session has left the list", 10, async () => (await rows.count()) === 1);

  // Its next request is nobody's.
  const refused = await phone.page.request.get(`/w/${slug}/live?page=overview&since=0`);
  assert.equal(refused.status(), 401);
  await phone.page.goto(`/w/${slug}`);
  assert.match(phone.page.url(), /\/sign-in\?next=/);
  // The desk goes on.
  await desk.page.goto(`/w/${slug}`);
  await desk.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  assert.deepEqual([...desk.faults, ...phone.faults], []);
});

test("pages that nothing moves on share one stream, and a refused one leads out whoever is out", { timeout: 90_000 }, async () => {
  const { page, context, faults } = await person(browser);
  const { slug } = await signUp(page, "Steady Steel");
  // What the page before follows is over.
  await page.goto("about:blank");
  const streams = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname.endsWith("/live")) streams.push(url.searchParams.get("page"));
  });
  await page.goto(`/w/${slug}/members`);
  await hydrated(page);
  await until("the frame is followed", 15, () => streams.length === 1);
  const bar = page.getByRole("navigation", { name: "Workspace", exact: true });
  const go = async (name) => {
    const read = page.waitForResponse((response) => response.url().includes("/api/session/frame"));
    await bar.getByRole("link", { name, exact: true }).click();
    await read;
  };
  for (const name of ["API tokens", "Retention", "Audit"]) await go(name);
  assert.deepEqual(streams, ["frame"]);
  // One that is live has its own, and none beside it.
  await go("Sources");
  await until("the page is followed", 15, () => streams.length === 2);
  await go("Members");
  await until("the frame is followed again", 15, () => streams.length === 3);
  assert.deepEqual(streams, ["frame", "sources", "frame"]);

  // The next stream is nobody's: the browser does not say why it was refused, so the page asks.
  await page.route(
    (url) => url.pathname.endsWith("/live"),
    async (route) => {
      await context.clearCookies();
      await route.fulfill({ status: 401 });
    },
  );
  await page.goto(`/w/${slug}/members`);
  await page.waitForURL(/\/sign-in\?next=/);
  assert.deepEqual(faults, []);
});
