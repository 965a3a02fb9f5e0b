// Single sign-on for an account that is there already: its password is given once, and then the provider leads to it. And the owner
// who comes in past it when it is required.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { code } from "../support/authenticator.mjs";
import { join, signIn } from "../support/members.mjs";
import { addSecondFactor, atProvider, known, ours, setUp, somebody, tryIt } from "../support/sso.mjs";
import { PASSWORD, hydrated, launch, looks, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const inside = async (page, slug) => {
  await page.waitForURL(new RegExp(`/w/${slug}$`));
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
};

test("a member links their account by password, and a marked owner comes in past single sign-on", { timeout: 180_000 }, async () => {
  const desk = await somebody(browser);
  const { email, slug } = await signUp(desk.page, "Linking Lathes");
  const joe = await somebody(browser);
  const theirs = await join(desk.page, joe.page, slug, "Joe Berg", "Operator");
  known(
    { sub: `owner-${slug}`, email, email_verified: true, name: "Maja Lind" },
    { sub: `joe-${slug}`, email: theirs, email_verified: true, name: "Joseph of the provider" },
  );
  await setUp(desk.page, slug);
  await tryIt(desk.page, slug, `owner-${slug}`);

  // The provider names Joe's address: the account is shown to be his before it is linked.
  const link = await somebody(browser);
  await link.page.goto(`/sso/start/${slug}`);
  await atProvider(link.page, `joe-${slug}`);
  await link.page.waitForURL(/\/sso\/link$/);
  await link.page.getByRole("heading", { name: "Is this account yours?", level: 1 }).waitFor();
  await link.page.getByText(`${theirs} has an account here already`).waitFor();
  await hydrated(link.page);
  await looks(link.page, "sso-link");
  assert.equal((await link.page.request.get(`/w/${slug}/live?page=overview&since=0`)).status(), 401, "not in yet");
  await link.page.getByLabel("Password").fill("somebody else's guess 5");
  await link.page.getByRole("button", { name: "Link and sign in" }).click();
  await link.page.getByText("This is not the password of this account").first().waitFor();
  await link.page.getByLabel("Password").fill(PASSWORD);
  await link.page.getByRole("button", { name: "Link and sign in" }).click();
  await inside(link.page, slug);
  // It is the account of before, under its own name; the way to it is used up.
  await link.page.goto(`/w/${slug}/sessions`);
  await link.page.getByText("by single sign-on").first().waitFor();
  await link.page.getByText("Joe Berg").first().waitFor();
  assert.equal((await link.page.goto("/sso/link")).status(), 404);

  // From then on the provider leads to it at once, without script too.
  const plain = await somebody(browser, { javaScriptEnabled: false });
  await plain.page.goto(`/sso/start/${slug}`);
  await atProvider(plain.page, `joe-${slug}`);
  await inside(plain.page, slug);

  // Required, with the owner marked who may come in past it.
  const secret = await addSecondFactor(desk.page);
  await desk.page.goto(`/w/${slug}/sso`);
  await hydrated(desk.page);
  await desk.page.getByRole("table", { name: "Members whom the provider knows" }).getByText(theirs).waitFor();
  await desk.page.getByRole("button", { name: /may come in past single sign-on$/ }).click();
  await desk.page.getByText("Marked", { exact: true }).waitFor();
  await desk.page.getByRole("button", { name: "Require single sign-on" }).click();
  await desk.page.getByRole("button", { name: "Require", exact: true }).click();
  await desk.page.getByRole("button", { name: "Do not require it any more" }).waitFor();
  // Joe's session by password has no seat here from its next page on.
  await joe.page.goto(`/w/${slug}`);
  await joe.page.getByText("This workspace asks for its single sign-on").first().waitFor();

  // The day when the provider is down: password and code, written down.
  const night = await somebody(browser);
  await night.page.goto("/sign-in");
  await hydrated(night.page);
  await signIn(night.page, email);
  await night.page.getByRole("heading", { name: "Enter your code", level: 1 }).waitFor();
  await night.page.getByLabel("Code of your app").fill(code(secret, 1));
  await night.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await inside(night.page, slug);
  await night.page.goto(`/w/${slug}/audit`);
  const log = night.page.getByRole("table", { name: "Audit log" });
  await log.getByRole("rowheader", { name: "Come in past single sign-on" }).first().waitFor();
  assert.deepEqual(ours([desk, joe, link, night].flatMap((one) => one.faults)), []);
});
