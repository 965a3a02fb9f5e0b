// A server on one's own machine that sends no letters: they are read on a page of its own, and their links lead on.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { address, hydrated, launch, looks, person, stack, until } from "../support/stack.mjs";

let browser;
let server;
let url;
before(async () => {
  browser = await launch();
  const port = await free();
  url = `http://localhost:${port}`;
  const { CLARITY_SMTP_URL: _, ...surroundings } = process.env;
  const args = ["serve", "--listen", `127.0.0.1:${port}`, "--public-url", url, "--agent-url", stack.agentUrl];
  server = spawn(stack.server, args, { stdio: "ignore", env: { ...surroundings, ...stack.serverEnv } });
  const ready = () => fetch(`${url}/readyz`).then((answer) => answer.ok, () => false);
  await until("the second server", 30, () => server.exitCode === null && ready());
});
after(async () => {
  server?.kill("SIGTERM");
  await browser?.close();
});

/** A port that nothing listens on now. */
const free = () =>
  new Promise((found, failed) => {
    const held = createServer().on("error", failed);
    held.listen(0, "127.0.0.1", () => {
      const { port } = held.address();
      held.close(() => found(port));
    });
  });

test("a letter that is not sent is read on a page, and its link followed", { timeout: 90_000 }, async () => {
  const { page, faults } = await person(browser, { baseURL: url });
  await page.goto("/dev/mail");
  await hydrated(page);
  await page.getByRole("heading", { name: "Letters", level: 1 }).waitFor();
  const email = address();
  await page.goto("/sign-up");
  await hydrated(page);
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.getByRole("heading", { name: "Look into your mail" }).waitFor();

  await page.goto("/dev/mail");
  await hydrated(page);
  const line = page.getByRole("table", { name: "Letters, newest first" }).getByRole("row").filter({ hasText: email });
  await line.getByRole("link").click();
  await page.waitForURL(/\/dev\/mail\?mail=/);
  const link = page.getByRole("link", { name: new RegExp(`^${url}/confirm/`) });
  await link.waitFor();
  await looks(page, "dev-mail");
  await link.click();
  await page.getByLabel("Your name").waitFor();
  await page.getByText(email).first().waitFor();

  // Where letters are sent, there is no such page.
  const other = await person(browser);
  assert.equal((await other.page.goto("/dev/mail")).status(), 404);
  await hydrated(other.page);
  // This server is not the stack's: its own requests are not foreign to it.
  const own = faults.filter((fault) => !fault.startsWith(`foreign request: ${url}/`));
  assert.deepEqual([...own, ...other.faults], []);
});
