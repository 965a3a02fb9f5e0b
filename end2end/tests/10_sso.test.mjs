// Single sign-on: an owner sets the provider up, tests it and shows the domain to be theirs; a colleague joins by it; and from the
// moment it is required, a password opens the workspace no more.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { addSecondFactor, atProvider, known, ours, setUp, somebody, tryIt } from "../support/sso.mjs";
import { PASSWORD, accessible, fits, hydrated, launch, letter, picture, signUp, stack } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const phone = { width: 390, height: 844 };

test("an owner sets single sign-on up, a colleague joins by it, and required it shuts out a password", { timeout: 240_000 }, async () => {
  const desk = await somebody(browser);
  const { email, slug } = await signUp(desk.page, "Single Steel");
  const joe = `joe${Date.now()}@plant.example`;
  known(
    { sub: `owner-${slug}`, email, email_verified: true, name: "Maja Lind" },
    { sub: `joe-${slug}`, email: joe, email_verified: true, name: "Joe Berg" },
  );

  // The provider.
  await setUp(desk.page, slug);

  // The test: there and back.
  await tryIt(desk.page, slug, `owner-${slug}`);

  // Nobody joins by a domain that was not shown.
  const early = await somebody(browser);
  await early.page.goto(`/sso/start/${slug}`);
  await atProvider(early.page, `joe-${slug}`);
  await early.page.getByText("plant.example is not verified in this workspace").waitFor();
  await accessible(early.page, "single sign-on that was refused");
  await early.context.close();

  // The domain.
  await hydrated(desk.page);
  await desk.page.getByLabel("Domain", { exact: true }).fill("plant.example");
  await desk.page.getByRole("button", { name: "Add domain" }).click();
  const record = desk.page.locator(".cs-domains__record code");
  await record.first().waitFor();
  const [name, value] = await record.allInnerTexts();
  writeFileSync(stack.records, JSON.stringify({ [name.trim().toLowerCase()]: [value.trim()] }));
  await desk.page.getByRole("button", { name: "Check now: plant.example" }).click();
  await desk.page.getByText("Verified", { exact: true }).first().waitFor();
  await accessible(desk.page, "single sign-on");
  await picture(desk.page, "sso-light");
  await desk.page.setViewportSize(phone);
  await fits(desk.page, "single sign-on on a phone");
  await picture(desk.page, "sso-phone");
  await desk.page.setViewportSize({ width: 1280, height: 800 });

  // A colleague, from the sign-in, without script at first.
  const plain = await somebody(browser, { javaScriptEnabled: false, viewport: phone });
  await plain.page.goto("/sign-in");
  await plain.page.getByRole("link", { name: "Sign in with your company's account" }).click();
  await plain.page.getByLabel("Address of your workspace").fill(slug);
  await plain.page.getByRole("button", { name: "Go on" }).click();
  await atProvider(plain.page, `joe-${slug}`);
  await plain.page.waitForURL(new RegExp(`/w/${slug}$`));
  await plain.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await plain.page.goto(`/w/${slug}/sessions`);
  await plain.page.getByText("by single sign-on", { exact: true }).waitFor();

  // Required: the owner is marked first.
  await addSecondFactor(desk.page);
  await desk.page.goto(`/w/${slug}/sso`);
  await hydrated(desk.page);
  await desk.page.getByRole("button", { name: /may come in past single sign-on$/ }).click();
  await desk.page.getByText("Marked", { exact: true }).waitFor();
  await desk.page.getByRole("button", { name: "Require single sign-on" }).click();
  await desk.page.getByRole("button", { name: "Require", exact: true }).click();
  await desk.page.getByRole("button", { name: "Do not require it any more" }).waitFor();
  await plain.page.goto(`/w/${slug}`);
  await plain.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

  // Joe chooses a password by letter. It signs in, and opens this workspace no more.
  const other = await somebody(browser);
  await other.page.goto("/reset");
  await hydrated(other.page);
  await other.page.getByLabel("Work e-mail").fill(joe);
  await other.page.getByRole("button", { name: "Send the link" }).click();
  const mail = await letter(joe, /new password/i);
  await other.page.goto(mail.text.match(/https?:\/\/\S+\/reset\/\S+/)[0]);
  await hydrated(other.page);
  await other.page.getByLabel("New password").fill(PASSWORD);
  await other.page.getByRole("button", { name: "Change password" }).click();
  await other.page.waitForURL(/\/sign-in/);
  await other.page.getByLabel("Work e-mail").fill(joe);
  await other.page.getByLabel("Password").fill(PASSWORD);
  await other.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await other.page.getByText("This workspace asks for its single sign-on").first().waitFor();
  await accessible(other.page, "a workspace that asks for single sign-on");
  await other.page.getByRole("link", { name: "Sign in with single sign-on" }).first().click();
  await atProvider(other.page, `joe-${slug}`);
  await other.page.waitForURL(new RegExp(`/w/${slug}$`));
  assert.deepEqual(ours([...desk.faults, ...other.faults]), []);
});
