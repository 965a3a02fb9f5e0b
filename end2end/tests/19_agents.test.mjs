// Agents: one that runs gets a new key, is revoked from the page, says so itself, and is paired anew on the same folder.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, hydrated, launch, looks, pair, person, signUp, until } from "../support/stack.mjs";

let browser;
const agent = new Agent("agents");
before(async () => (browser = await launch()));
after(async () => {
  agent.stop();
  await browser?.close();
});

const agents = (page) => page.getByRole("table", { name: "Agents", exact: true });
const sources = (page) => page.getByRole("table", { name: "Sources", exact: true });

/** What `clarity-agent status` prints, with how it ended. */
async function status() {
  const asked = agent.start("status");
  return { code: await asked.ended, said: asked.said };
}

async function open(page, slug) {
  await page.goto(`/w/${slug}/sources`);
  await page.getByRole("heading", { name: "Sources", level: 1 }).waitFor();
}

const hasSource = (page, slug) =>
  until("the agent's source is there", 60, async () => {
    await open(page, slug);
    return sources(page).getByRole("rowheader", { name: "plant-db" }).count();
  });

/** The table says it when it is read again. */
const isConnected = (page, slug) =>
  until("the page says that it is connected", 30, async () => {
    await open(page, slug);
    return agents(page).getByText("Connected", { exact: true }).count();
  });

test("an agent that runs gets a new key, is revoked, says why, and comes back only when it is paired anew", { timeout: 240_000 }, async () => {
  const { page, faults } = await person(browser);
  const { slug } = await signUp(page, "Revoking Rolls");
  await pair(page, slug, agent);
  const running = agent.start("run");
  await hasSource(page, slug);
  await isConnected(page, slug);
  await until("the agent itself says so", 20, async () => (await status()).code === 0);

  // A new key, made on its machine and used within seconds; the source goes on.
  const keyFile = join(agent.dir, "agent.key");
  const before = readFileSync(keyFile, "utf8");
  await hydrated(page);
  await page.getByRole("button", { name: /^Replace key of / }).click();
  const ask = page.getByRole("dialog", { name: /^Replace the key of .*\?$/ });
  await ask.getByText("a copy of the old key opens nothing").waitFor();
  await ask.getByRole("button", { name: "Ask for a new key" }).click();
  await agents(page).getByText("A new key was asked for").waitFor();
  await until("the new key is used", 30, async () => {
    await open(page, slug);
    return agents(page).getByText("Key replaced").count();
  });
  assert.notEqual(readFileSync(keyFile, "utf8"), before);
  await until("the agent is connected with it", 20, async () => (await status()).code === 0);
  await until("its source streams", 30, async () => {
    await open(page, slug);
    return (await agents(page).getByText("Connected", { exact: true }).count()) && sources(page).getByText("Live", { exact: true }).count();
  });
  assert.equal(running.child.exitCode, null, running.said);

  // The question says what happens, and nothing does before it is answered.
  await hydrated(page);
  await looks(page, "agents");
  await page.getByRole("button", { name: /^Revoke / }).click();
  const question = page.getByRole("dialog", { name: /^Revoke .*\?$/ });
  await question.getByText("Its connection ends within 5 seconds").waitFor();
  await question.getByText("Its source leaves this list; what it sent stays.").waitFor();
  await question.getByRole("button", { name: "Cancel" }).click();
  await agents(page).getByText("Connected", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^Revoke / }).click();
  await question.getByRole("button", { name: "Revoke agent" }).click();

  // The page says so at once, the agent within seconds.
  await page.getByText("1 revoked agent").click();
  await page.getByRole("table", { name: "Revoked agents" }).getByText("Revoked", { exact: true }).last().waitFor();
  assert.equal(await agents(page).count(), 0);
  assert.equal(await sources(page).count(), 0, "its source left the list");
  await page.getByRole("heading", { name: "No source is connected" }).waitFor();
  await looks(page, "agents-revoked");
  const said = await until("the agent says why", 20, async () => {
    const now = await status();
    return now.said.includes("refused by the platform") && now;
  });
  assert.equal(said.code, 1);
  assert.match(said.said, /This agent was revoked\. To use it again, pair it anew/);
  assert.match(running.said, /This agent was revoked/);
  assert.equal(running.child.exitCode, null, "it runs on and keeps what it reads");

  await page.goto(`/w/${slug}/audit`);
  for (const act of ["Ask for a new key of an agent", "Revoke an agent"]) {
    await page.getByRole("table").getByText(act).first().waitFor();
  }

  // Paired anew it is another agent on the same folder; a running one has to stop first.
  const early = agent.pair("K7QM-4TXR");
  assert.equal(await early.ended, 1);
  assert.match(early.said, /stop it before you pair it anew/);
  running.child.kill("SIGTERM");
  await running.ended;
  await pair(page, slug, agent);
  agent.start("run");
  await hasSource(page, slug);
  await isConnected(page, slug);
  await page.getByText("1 revoked agent").waitFor();
  assert.deepEqual(faults, []);

  // Without script the same question and form.
  const plain = await browser.newContext({ baseURL: page.url(), javaScriptEnabled: false, storageState: await page.context().storageState() });
  const bare = await plain.newPage();
  bare.setDefaultTimeout(15_000);
  await bare.goto(`/w/${slug}/sources`);
  await bare.getByRole("button", { name: /^Revoke / }).click();
  await bare.getByRole("button", { name: "Revoke agent" }).click();
  await bare.getByText("2 revoked agents").click();
  assert.equal(await bare.getByRole("table", { name: "Revoked agents" }).getByRole("rowheader").count(), 2);
  await plain.close();
});
