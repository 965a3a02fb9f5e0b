// The doors: who gets in, who does not, with what words; without script, with a keyboard, in both themes.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import {
  PASSWORD,
  accessible,
  address,
  fits,
  hydrated,
  launch,
  letter,
  linkIn,
  person,
  picture,
  signUp,
  stack,
  until,
} from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test("the public pages are accessible, fit a phone and ask nobody else for anything", { timeout: 120_000 }, async () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, path] of [["home", "/"], ["sign-in", "/sign-in"], ["sso", "/sso"], ["sign-up", "/sign-up"], ["sent", "/sign-up?sent=1"], ["reset", "/reset"], ["gallery", "/dev/ui"]]) {
      const { page, context, faults } = await person(browser, { colorScheme });
      await page.goto(path);
      await hydrated(page);
      await accessible(page, `${name}, ${colorScheme}`);
      await picture(page, `${name}-${colorScheme}`);
      if (path === "/sign-in" || path === "/sign-up") {
        const shown = page.locator(`.cs-auth__picture[data-for=${colorScheme}]`);
        await until(`the product's ${colorScheme} picture on ${name}`, 10, () => shown.evaluate((img) => img.complete && img.naturalWidth > 0));
      }
      await page.setViewportSize({ width: 360, height: 740 });
      await fits(page, `${name} at 360 px`);
      await picture(page, `${name}-${colorScheme}-phone`);
      assert.deepEqual(faults, [], name);
      await context.close();
    }
  }
});

test("sign-up, sign-out and sign-in work before WASM has loaded, and without it", { timeout: 60_000 }, async () => {
  const { page } = await person(browser, { javaScriptEnabled: false });
  const { email, slug } = await signUp(page, "Scriptless Works");
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.goto(`/w/${slug}`);
  assert.match(page.url(), /\/sign-in\?next=/);
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(new RegExp(`/w/${slug}$`));
});

test("wrong input is told beside the field, wrong passwords tell nothing, and the keyboard is enough", { timeout: 60_000 }, async () => {
  const { page, faults } = await person(browser);
  const { email } = await signUp(page, "Keyboard Mill");
  await hydrated(page);
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.waitForURL((url) => !url.pathname.startsWith("/w/"));
  const answers = [];
  for (const address of [email, "nobody@plant.example"]) {
    await page.goto("/sign-in");
    await hydrated(page);
    await page.getByLabel("Work e-mail").focus();
    await page.keyboard.type(address);
    await page.keyboard.press("Tab");
    await page.keyboard.type("wrong password 123");
    await page.keyboard.press("Enter");
    answers.push(await page.getByRole("alert").first().textContent());
  }
  assert.equal(answers[0], answers[1], "the same words for a known and an unknown account");

  await page.goto("/sign-up");
  await hydrated(page);
  await page.locator("form").first().evaluate((form) => (form.noValidate = true));
  await page.getByLabel("Work e-mail").fill("not an address");
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.locator("[aria-invalid=true]").first().waitFor();
  assert.deepEqual(faults, []);
});

test("a link that is used, and an address that is known, tell nothing but to the mailbox", { timeout: 90_000 }, async () => {
  const { page, context, faults } = await person(browser);
  const { email } = await signUp(page, "Letter Works");
  const used = linkIn(await letter(email, /./));
  await context.clearCookies();
  const answer = await page.goto(used);
  assert.equal(answer.status(), 404);
  await page.getByText("This link is not valid any more").waitFor();
  await accessible(page, "a link that was used");
  // The known address is answered as a new one is; the letters differ.
  const words = [];
  const fresh = address();
  for (const to of [email, fresh]) {
    await page.goto("/sign-up");
    await hydrated(page);
    await page.getByLabel("Work e-mail").fill(to);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
    words.push(await page.locator("main").innerText());
  }
  assert.equal(words[0], words[1]);
  assert.match((await letter(email, /account/i)).text, /\/sign-in/);
  await page.goto(linkIn(await letter(fresh, /./)));
  await hydrated(page);
  await page.getByText(fresh).waitFor();
  await accessible(page, "the second step of a sign-up");
  await fits(page, "the second step of a sign-up");
  await picture(page, "confirm-light");
  // What is wrong is told beside its field, and the link stays good.
  await page.getByLabel("Workspace").fill("Second Works");
  await page.getByLabel("Your name").fill("Joe");
  await page.getByLabel("Password").fill("aaaaaaaaaaaaaaaaaaaa");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.getByRole("alert").filter({ hasText: "easy to guess" }).waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(/\/w\/second-works/);
  // One more workspace, for somebody who is in.
  await page.goto("/new-workspace");
  await hydrated(page);
  await accessible(page, "a new workspace");
  await page.getByLabel("Workspace").fill("Third Works");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(/\/w\/third-works/);
  assert.deepEqual(faults, []);
});

test("a forgotten password is replaced by a link, and every session ends", { timeout: 120_000 }, async () => {
  const { page, faults } = await person(browser);
  const { email, slug } = await signUp(page, "Forgetful Foundry");
  const other = await person(browser);
  await other.page.goto("/sign-in");
  await hydrated(other.page);
  await other.page.getByRole("link", { name: "Forgot your password?" }).click();
  await other.page.getByLabel("Work e-mail").fill(email);
  await other.page.getByRole("button", { name: "Send the link" }).click();
  await other.page.getByRole("heading", { name: "Look into your mail" }).waitFor();
  const link = linkIn(await letter(email, /password/i));
  await other.page.goto(link);
  await hydrated(other.page);
  await other.page.getByLabel("New password").fill("another long passphrase 8");
  await picture(other.page, "new-password-light");
  await accessible(other.page, "a new password");
  await other.page.getByRole("button", { name: "Change password" }).click();
  await other.page.getByText("Your password is changed").waitFor();
  await accessible(other.page, "the sign-in after it");
  // Who was in is out; the old password is nobody's.
  await page.goto(`/w/${slug}`);
  assert.match(page.url(), /\/sign-in/);
  for (const [password, fine] of [[PASSWORD, false], ["another long passphrase 8", true]]) {
    await other.page.goto("/sign-in");
    await other.page.getByLabel("Work e-mail").fill(email);
    await other.page.getByLabel("Password").fill(password);
    await other.page.getByRole("button", { name: "Sign in" }).click();
    if (fine) await other.page.waitForURL(new RegExp(`/w/${slug}$`));
    else await other.page.getByText("do not belong together").waitFor();
  }
  assert.equal((await other.page.goto(link)).status(), 404);
  await letter(email, /changed/i);

  // Without script: asked for, chosen, and changed once more by whoever knows it.
  const plain = await person(browser, { javaScriptEnabled: false });
  await plain.page.goto("/reset");
  await plain.page.getByLabel("Work e-mail").fill(email);
  await plain.page.getByRole("button", { name: "Send the link" }).click();
  await plain.page.getByRole("heading", { name: "Look into your mail" }).waitFor();
  await plain.page.goto(linkIn(await letter(email, /choose/i, 2)));
  await plain.page.getByLabel("New password").fill("a third long passphrase 9");
  await plain.page.getByRole("button", { name: "Change password" }).click();
  await plain.page.getByText("Your password is changed").waitFor();
  await plain.page.getByLabel("Work e-mail").fill(email);
  await plain.page.getByLabel("Password").fill("a third long passphrase 9");
  await plain.page.getByRole("button", { name: "Sign in" }).click();
  await plain.page.waitForURL(new RegExp(`/w/${slug}$`));
  await plain.page.goto(`/w/${slug}/sessions`);
  await plain.page.getByLabel("Your password").fill("not this one at all");
  await plain.page.getByLabel("New password").fill(PASSWORD);
  await plain.page.getByRole("button", { name: "Change password" }).click();
  await plain.page.getByText("This is not your password").waitFor();
  await plain.page.getByLabel("Your password").fill("a third long passphrase 9");
  await plain.page.getByLabel("New password").fill(PASSWORD);
  await plain.page.getByRole("button", { name: "Change password" }).click();
  await plain.page.getByText("Your password is changed").waitFor();
  assert.deepEqual(faults, []);
});

test("another workspace is not there, and neither is an unknown page", { timeout: 60_000 }, async () => {
  const mine = await person(browser);
  const theirs = await person(browser);
  const { slug } = await signUp(theirs.page, "Their Plant");
  await signUp(mine.page, "My Plant");
  const answers = [];
  for (const path of [`/w/${slug}`, "/w/no-such-workspace"]) {
    const answer = await mine.page.goto(path);
    answers.push([answer.status(), (await mine.page.locator("main").innerText()).replaceAll(path, "")]);
  }
  assert.deepEqual(answers[0], answers[1], "another's workspace and none answer alike");
  assert.equal(answers[0][0], 404);
  assert.equal((await mine.page.goto("/no/such/page")).status(), 404);
  const live = await mine.page.request.get(`/w/${slug}/live?page=overview&since=0`);
  assert.equal(live.status(), 404);
});

test("a form sent from another site is refused", { timeout: 30_000 }, async () => {
  const { page } = await person(browser);
  const refused = await page.request.post("/api/session/sign_in", {
    headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    form: { email: "a@b.example", password: "x" },
  });
  assert.equal(refused.status(), 403);
  const headers = (await page.goto("/")).headers();
  assert.match(headers["content-security-policy"], /default-src 'none'/);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.ok(stack.url.startsWith("http://localhost"));
});

test("the palette opens by keyboard, jumps, and gives focus back", { timeout: 60_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug } = await signUp(page, "Palette Press");
  await hydrated(page);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await accessible(page, "the palette");
  await page.keyboard.type("sources");
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`/w/${slug}/sources$`));
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.deepEqual(faults, []);
});
