// Single sign-on with the provider that stands beside the stack: its accounts, its own pages, and how an owner sets it up.
import { readFileSync, writeFileSync } from "node:fs";
import { code } from "./authenticator.mjs";
import { hydrated, person, stack, until } from "./stack.mjs";

/** Accounts that the provider knows besides those it knew. */
export function known(...more) {
  let before = [];
  try {
    before = JSON.parse(readFileSync(stack.provider.accounts, "utf8"));
  } catch {}
  writeFileSync(stack.provider.accounts, JSON.stringify([...before, ...more]));
}

/** On the provider's own pages: signs in as this subject and agrees. */
export async function atProvider(page, sub) {
  await page.waitForURL((url) => url.href.startsWith(stack.provider.issuer));
  await page.getByPlaceholder("Enter any login").fill(sub);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  const consent = page.getByRole("button", { name: "Continue" });
  await until("a way on", 15, async () => page.url().startsWith(stack.url) || (await consent.isVisible()));
  if (!page.url().startsWith(stack.url)) await consent.click();
  await page.waitForURL((url) => url.href.startsWith(stack.url));
}

/** A font that the provider's pages ask for, which nobody waits for here. */
const FONT = "https://fonts.googleapis.com/";

/** As `person`, with the provider's pages in the way. */
export async function somebody(browser, options) {
  const one = await person(browser, options);
  await one.context.route(`${FONT}**`, (route) => route.abort());
  return one;
}

/** The provider's pages are not ours to judge: faults of our own only. */
export const ours = (faults) => faults.filter((fault) => !fault.includes(stack.provider.issuer) && !fault.includes(FONT));

/** An app for codes. Gives its secret; its code of now is used up. */
export async function addSecondFactor(page) {
  await page.goto("/second-factor");
  await hydrated(page);
  await page.getByRole("button", { name: "Add a second factor" }).click();
  await page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  const secret = (await page.locator(".cs-code code").innerText()).trim();
  await page.getByLabel("Code that the app shows").fill(code(secret));
  await page.getByRole("button", { name: "Turn it on" }).click();
  await page.getByRole("button", { name: "I have kept them" }).click();
  await page.getByText("10 recovery codes are left.").waitFor();
  return secret;
}

/** An owner gives the provider to the workspace. */
export async function setUp(page, slug) {
  await page.goto(`/w/${slug}/sso`);
  await hydrated(page);
  await page.getByRole("heading", { name: "Single sign-on", level: 1 }).waitFor();
  await page.getByLabel("Issuer").fill(stack.provider.issuer);
  await page.getByLabel("Client ID").fill(stack.provider.clientId);
  await page.getByLabel("Client secret").fill(stack.provider.clientSecret);
  await page.getByLabel("Whoever joins becomes").selectOption("operator");
  await page.getByLabel("Single sign-on is").selectOption("true");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Test" }).waitFor();
}

/** The owner's test: there and back. */
export async function tryIt(page, slug, sub) {
  await page.getByRole("link", { name: "Test", exact: true }).click();
  await atProvider(page, sub);
  await page.waitForURL(new RegExp(`/w/${slug}/sso$`));
  await page.getByText("It works for members. For others to join, verify the domain below.").waitFor();
}
