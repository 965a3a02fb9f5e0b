// Another e-mail address: asked for on one's own page, made by the link in its letter, stopped by the one in the other.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { signIn } from "../support/members.mjs";
import { address, hydrated, launch, letter, linkIn, looks, person, signUp } from "../support/stack.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

async function ask(page, slug, email) {
  await page.goto(`/w/${slug}/sessions`);
  await page.getByLabel("New e-mail address").fill(email);
  await page.getByRole("button", { name: "Send the letter" }).click();
  await page.getByText("We have sent a letter to").waitFor();
}

test("an address becomes another one by the link in its letter, for its person alone", { timeout: 180_000 }, async () => {
  const desk = await person(browser);
  const { email, slug } = await signUp(desk.page, "Address Alloys");
  const phone = await person(browser);
  await phone.page.goto("/sign-in");
  await signIn(phone.page, email);
  await phone.page.waitForURL(new RegExp(`/w/${slug}$`));
  const stranger = await person(browser);
  const other = await signUp(stranger.page, "Other Alloys");

  await desk.page.goto(`/w/${slug}/sessions`);
  await hydrated(desk.page);
  // What is no address, or the one that is there already, is told at the field.
  await desk.page.getByLabel("New e-mail address").fill(email);
  await desk.page.getByRole("button", { name: "Send the letter" }).click();
  await desk.page.getByText("This is your e-mail address already").waitFor();
  const wanted = address();
  await desk.page.getByLabel("New e-mail address").fill(wanted);
  await desk.page.getByRole("button", { name: "Send the letter" }).click();
  await desk.page.getByText("We have sent a letter to").waitFor();
  await looks(desk.page, "email-waiting");
  const told = await letter(email, /another e-mail was asked for/i);
  assert.ok(told.text.includes(wanted), told.text);
  const link = linkIn(await letter(wanted, /confirm this e-mail/i), /\/email\//);

  // Another person's session: the link is not theirs. Without one: sign in, and come back.
  assert.equal((await stranger.page.goto(link)).status(), 404);
  await stranger.page.getByText("it is another account's").waitFor();
  const plain = await person(browser, { javaScriptEnabled: false });
  await plain.page.goto(link);
  assert.match(plain.page.url(), /\/sign-in\?next=/);
  await signIn(plain.page, email);
  await plain.page.getByRole("heading", { name: "Use this e-mail", level: 1 }).waitFor();

  await desk.page.goto(link);
  await hydrated(desk.page);
  await desk.page.getByRole("heading", { name: "Use this e-mail", level: 1 }).waitFor();
  await looks(desk.page, "email-link");
  await desk.page.getByRole("button", { name: "Use this e-mail" }).click();
  await desk.page.waitForURL(new RegExp(`/w/${slug}/sessions\\?email=changed$`));
  await desk.page.getByText("Your e-mail address is changed").waitFor();
  await desk.page.locator("p").filter({ hasText: `You sign in as ${wanted}` }).waitFor();
  await letter(email, /was changed/i);

  // The others are out; the old address is nobody's, and the link is used up.
  for (const { page } of [phone, plain]) {
    assert.equal((await page.request.get(`/w/${slug}/live?page=overview&since=0`)).status(), 401);
  }
  assert.equal((await desk.page.goto(link)).status(), 404);
  await plain.page.goto("/sign-in");
  await signIn(plain.page, email);
  await plain.page.getByText("do not belong together").waitFor();
  await plain.page.goto("/sign-in");
  await signIn(plain.page, wanted);
  await plain.page.waitForURL(new RegExp(`/w/${slug}$`));

  // An address with an account: the same words here, and another letter there.
  await ask(desk.page, slug, other.email);
  const there = await letter(other.email, /has an account/i);
  assert.ok(!there.text.includes("/email/"), there.text);
  assert.deepEqual([...desk.faults, ...phone.faults, ...stranger.faults], []);
});

test("without script it is asked for, taken back, and stopped by the old address", { timeout: 90_000 }, async () => {
  const { page } = await person(browser, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const { email, slug } = await signUp(page, "Stopped Steel");
  await ask(page, slug, address());
  await page.getByRole("button", { name: "Keep the address as it is" }).click();
  await page.getByText("We have sent a letter to").waitFor({ state: "detached" });

  const wanted = address();
  await ask(page, slug, wanted);
  const stop = linkIn(await letter(email, /another e-mail was asked for/i, 2), /\/email\/stop\//);
  const link = linkIn(await letter(wanted, /confirm this e-mail/i), /\/email\//);
  // Whoever reads the old mailbox, in a browser that is not signed in.
  const desk = await person(browser);
  await desk.page.goto(stop);
  await hydrated(desk.page);
  await desk.page.getByRole("heading", { name: "Stop the change of your e-mail", level: 1 }).waitFor();
  await desk.page.getByText(wanted).waitFor();
  await looks(desk.page, "email-stop");
  await desk.page.getByRole("button", { name: "Stop the change" }).click();
  await desk.page.getByText("The change is stopped").waitFor();
  await looks(desk.page, "email-stopped");
  await desk.page.getByLabel("Work e-mail").waitFor();
  assert.equal((await desk.page.goto(stop)).status(), 404);

  // Every session has ended, and the other link is dead.
  await page.goto(link);
  assert.match(page.url(), /\/sign-in\?next=/);
  await signIn(page, email);
  await page.getByText("it is another account's").waitFor();
  assert.deepEqual(desk.faults, []);
});
