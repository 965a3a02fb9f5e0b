// The running product that `cargo xtask e2e` describes in the file CLARITY_STACK names, and a browser to use it with.
import { readFileSync, mkdirSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { AxeBuilder } from "@axe-core/playwright";
import assert from "node:assert/strict";

if (!process.env.CLARITY_STACK) throw new Error("run `cargo xtask e2e`: it starts the stack and sets CLARITY_STACK");
export const stack = JSON.parse(readFileSync(process.env.CLARITY_STACK, "utf8"));
export const pictures = join(stack.dir, "pictures");
mkdirSync(pictures, { recursive: true });

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** One browser for a test file; close it in `after`. */
export const launch = () => chromium.launch({ executablePath: stack.chromium, args: FLAGS });

/**
 * A page of a person of their own. What no page may do is gathered in `faults`: script errors, requests to other origins,
 * violations of the content security policy.
 */
export async function person(browser, options = {}) {
  const context = await browser.newContext({ baseURL: stack.url, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // The browser itself logs each answer of 4xx and 5xx; what a page makes of it is tested on the page.
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) faults.push(`console: ${text}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(stack.url) && !/^(data|blob):/.test(url)) faults.push(`foreign request: ${url}`);
  });
  return { context, page, faults };
}

/** Waits until WASM has taken the page over. */
export const hydrated = (page) => page.waitForSelector("body[data-hydrated]");

/** No violation of WCAG 2.2 A and AA that axe can find. */
export async function accessible(page, what) {
  // Colours that are still on their way to others have a contrast of their own.
  await page.evaluate(() => {
    const moving = document.getAnimations().filter((one) => one instanceof CSSTransition);
    return Promise.all(moving.map((one) => one.finished.catch(() => {})));
  });
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  const words = found.violations.map((v) => `${v.id}: ${v.help}\n    ${v.nodes.map((n) => n.html.slice(0, 160)).join("\n    ")}`);
  assert.deepEqual(words, [], `axe on ${what}`);
}

/** No sideways scroll. */
export async function fits(page, what) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${what}: ${content} px of content in a window of ${window} px`);
}

export const picture = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });

/** Light, dark and on a phone. */
export async function looks(page, name) {
  const before = page.viewportSize();
  await accessible(page, name);
  await picture(page, `${name}-light`);
  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark", 5, () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme.includes("dark")));
  await accessible(page, `dark ${name}`);
  await picture(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, `${name} on a phone`);
  await accessible(page, `${name} on a phone`);
  await picture(page, `${name}-phone`);
  await page.setViewportSize(before);
}

/** Connects this agent to the workspace: a code, its key, the approval. */
export async function pair(page, slug, agent) {
  await page.goto(`/w/${slug}/sources/connect`);
  await hydrated(page);
  await page.getByRole("button", { name: "Make a pairing code" }).click();
  const code = (await page.getByLabel("Pairing code").textContent()).trim();
  const pairing = agent.pair(code);
  await page.getByRole("list", { name: "Fingerprint of the agent's key" }).locator("li").first().waitFor();
  await page.getByRole("button", { name: "Approve" }).click();
  assert.equal(await pairing.ended, 0, pairing.said);
}

/**
 * The newest letter to this address whose subject fits, as { to, from, subject, text, html }. Waits for the first one, or
 * until there are `count` of them.
 */
export async function letter(to, subjectPattern = /./, count = 1) {
  const fits = (one) => one.to.includes(to) && subjectPattern.test(one.subject ?? "");
  return until(`a letter to ${to} about ${subjectPattern}`, 20, () => {
    // A line that is still being written has no end yet.
    const lines = readFileSync(stack.mails, "utf8").split("\n").slice(0, -1);
    const found = lines.map((line) => JSON.parse(line)).filter(fits);
    return found.length >= count && found.at(-1);
  });
}

/** The first link of a letter's plain text that fits; its HTML has to have it too. */
export function linkIn(letter, pattern = /./) {
  const link = letter.text.match(/https?:\/\/\S+/g)?.find((one) => pattern.test(one));
  assert.ok(link, `a link in: ${letter.text}`);
  assert.ok(letter.html.includes(`href="${link.replaceAll("&", "&amp;")}"`), `the same link in: ${letter.html}`);
  return link;
}

let people = 0;
export const PASSWORD = "a long enough passphrase 7";

/** An address of nobody else. */
export const address = () => `person${Date.now()}-${(people += 1)}@plant.example`;

/**
 * Signs up by the letter that comes, and goes to the new workspace's Overview, or stays at its set-up. Returns its slug and the
 * e-mail.
 */
export async function signUp(page, workspace, { stay = false } = {}) {
  const email = address();
  await page.goto("/sign-up");
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
  await page.goto(linkIn(await letter(email, /./)));
  await page.getByLabel("Workspace").fill(workspace);
  await page.getByLabel("Your name").fill("Maja Lind");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(/\/w\/[^/]+\/welcome$/);
  const slug = new URL(page.url()).pathname.split("/")[2];
  if (!stay) {
    await page.goto(`/w/${slug}`);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  }
  return { email, slug };
}

/** A real agent in a folder of its own, configured as an operator would. */
export class Agent {
  constructor(name) {
    this.dir = join(stack.dir, `agent-${name}`);
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    const c = stack.customer;
    const source = name.replaceAll("-", "_");
    writeFileSync(join(this.dir, "password"), c.readerPassword, { mode: 0o600 });
    writeFileSync(
      join(this.dir, "agent.toml"),
      `[policy]
hosts = ["${c.host}:${c.port}"]
tables = ["public.*"]

[[source]]
name = "plant-db"
kind = "postgres"
host = "${c.host}"
port = ${c.port}
database = "${c.database}"
user = "${c.reader}"
password_file = "${join(this.dir, "password")}"
tables = ["public.*"]
tls = "disable"
publication = "${c.publication}"
slot = "clarity_${source}"
`,
      { mode: 0o600 },
    );
  }

  /** Runs a command of the agent; `said` gathers what it prints. */
  start(...args) {
    const child = spawn(stack.agent, ["--state", this.dir, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const running = { child, said: "", ended: new Promise((done) => child.on("exit", (code) => done(code))) };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (running.said += data));
    (this.children ??= []).push(child);
    return running;
  }

  pair(code) {
    return this.start("pair", "--server", stack.agentUrl, "--ca", stack.ca, "--code", code);
  }

  stop() {
    for (const child of this.children ?? []) if (child.exitCode === null) child.kill("SIGTERM");
  }
}

/** Waits for `condition` (a function that may be async) for at most `seconds`. */
export async function until(what, seconds, condition) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
