// Support access: one of the platform's own people enrols, asks, is let in by the owner, looks, and is put out again.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { code } from "../support/authenticator.mjs";
import { PASSWORD, accessible, hydrated, launch, letter, linkIn, looks, person, signUp, stack, until } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test("support asks, an owner lets it in for a time, and puts it out again", { timeout: 180_000 }, async () => {
  const owner = await person(browser);
  const { email, slug } = await signUp(owner.page, "Helped Mill");
  await hydrated(owner.page);

  // An account of ours: nothing before a password and a code of an app.
  const anna = await person(browser);
  await anna.page.goto("/ops");
  await anna.page.waitForURL(/\/ops\/sign-in$/);
  await anna.page.goto(stack.ops.link);
  await anna.page.getByRole("heading", { name: "Your account", level: 1 }).waitFor();
  await hydrated(anna.page);
  await looks(anna.page, "support-enrol");
  const secret = (await anna.page.locator(".cs-code code").innerText()).trim();
  await anna.page.getByLabel("Password").fill(PASSWORD);
  await anna.page.getByLabel("Code that the app shows").fill(code(secret));
  await anna.page.getByRole("button", { name: "Finish" }).click();
  await anna.page.waitForURL(/\/ops\/sign-in\?enrolled=1$/);
  await hydrated(anna.page);
  await looks(anna.page, "support-sign-in");
  await anna.page.getByLabel("E-mail").fill(stack.ops.email);
  await anna.page.getByLabel("Password").fill(PASSWORD);
  // The app's next code: the one of now was used up.
  await anna.page.getByLabel("Code of your app").fill(code(secret, 1));
  await anna.page.getByRole("button", { name: "Sign in" }).click();
  await anna.page.getByRole("heading", { name: "Workspaces", level: 1 }).waitFor();
  await accessible(anna.page, "support's workspaces");

  // To a workspace's own pages it is nobody.
  const outside = await anna.page.request.get(`/w/${slug}`, { maxRedirects: 0, headers: { accept: "text/html" } });
  assert.equal(outside.status(), 302);

  await anna.page.getByRole("link", { name: "Helped Mill" }).click();
  await anna.page.getByRole("heading", { name: "Helped Mill", level: 1 }).waitFor();
  await hydrated(anna.page);
  assert.equal(await anna.page.getByRole("heading", { name: "Sources" }).count(), 0);
  await looks(anna.page, "support-ask");
  await anna.page.getByLabel("Reason").fill("Case 7: events stopped at noon");
  await anna.page.getByRole("button", { name: "Ask the owners" }).click();
  await anna.page.getByRole("table", { name: "Your requests" }).getByText("Waiting").waitFor();

  // The owner's letter leads to the page where it is decided.
  const asked = await letter(email, /asks for access/);
  assert.match(asked.text, /Anna Berg.*Case 7/s);
  await owner.page.goto(linkIn(asked, /\/support$/));
  await owner.page.getByRole("heading", { name: "Support access", level: 1 }).waitFor();
  await hydrated(owner.page);
  await owner.page.getByText("Case 7: events stopped at noon").waitFor();
  await looks(owner.page, "support-request");
  // A page that is open meanwhile is told without being read anew.
  const open = await owner.context.newPage();
  await open.goto(`/w/${slug}/members`);
  await hydrated(open);
  const told = open.getByRole("note").filter({ hasText: "Anna Berg of Clarity Stream may read" });
  assert.equal(await told.count(), 0);
  await owner.page.getByRole("button", { name: "Approve access of Anna Berg" }).click();
  await owner.page.getByRole("heading", { name: "Has access now" }).waitFor();

  // While it lasts every page says so.
  await told.waitFor({ timeout: 6_000 });
  await owner.page.goto(`/w/${slug}`);
  await hydrated(owner.page);
  const banner = owner.page.getByRole("note").filter({ hasText: "Anna Berg of Clarity Stream may read" });
  await banner.waitFor();
  await looks(owner.page, "support-banner");

  await anna.page.reload();
  await anna.page.getByRole("heading", { name: "Sources" }).waitFor();
  await anna.page.getByText(/lets you look until/).waitFor();
  await hydrated(anna.page);
  await looks(anna.page, "support-look");

  // Out with the next page.
  await banner.getByRole("button", { name: "End now" }).click();
  await owner.page.waitForURL(new RegExp(`/w/${slug}/support$`));
  await told.waitFor({ state: "detached", timeout: 6_000 });
  await open.close();
  await owner.page.getByRole("table", { name: "Requests of before" }).getByText("Ended early").waitFor();
  await anna.page.reload();
  await anna.page.getByRole("table", { name: "Your requests" }).getByText("Ended early").waitFor();
  assert.equal(await anna.page.getByRole("heading", { name: "Sources" }).count(), 0);

  // In the log, in both names.
  await owner.page.goto(`/w/${slug}/audit`);
  for (const act of ["Ask for support access", "Approve support access", "Read as support", "End support access"]) {
    await owner.page.getByRole("table").getByText(act).first().waitFor();
  }
  assert.deepEqual([...owner.faults, ...anna.faults], []);

  // Asking and answering work without script.
  const plain = await person(browser, { javaScriptEnabled: false, storageState: await anna.context.storageState() });
  await plain.page.goto(`/ops/workspaces/${slug}`);
  await plain.page.getByLabel("Reason").fill("Case 8");
  await plain.page.getByRole("button", { name: "Ask the owners" }).click();
  await plain.page.getByRole("table", { name: "Your requests" }).getByText("Waiting").waitFor();
  const still = await person(browser, { javaScriptEnabled: false, storageState: await owner.context.storageState() });
  await still.page.goto(`/w/${slug}/support`);
  await still.page.getByRole("button", { name: "Refuse access of Anna Berg" }).click();
  await still.page.getByRole("table", { name: "Requests of before" }).getByText("Refused").waitFor();
});
