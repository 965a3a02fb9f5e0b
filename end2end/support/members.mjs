// Colleagues in a workspace: asked in by an owner's page, in by the letter's link; what they press when they are in, and a stream
// that tells when they are out.
import { PASSWORD, address, hydrated, letter, linkIn } from "./stack.mjs";

/** Fills the form of the members' page that is open and waits for the news. */
export async function invite(owner, email, role) {
  await owner.getByLabel("E-mail").fill(email);
  await owner.getByLabel("Role", { exact: true }).selectOption({ label: role });
  await owner.getByRole("button", { name: "Send invitation" }).click();
  await owner.getByRole("alert").filter({ hasText: `Invitation sent to ${email}` }).waitFor();
}

/** Opens the link of the invitation's letter and joins as `name`, with a new account. */
export async function accept(page, slug, email, name) {
  await page.goto(linkIn(await letter(email, /invit/i)));
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account and join" }).click();
  await page.waitForURL(new RegExp(`/w/${slug}$`));
}

/** The owner's page invites somebody with this role, who joins as `name` on a page of their own. Gives their address. */
export async function join(owner, page, slug, name, role) {
  const email = address();
  await owner.goto(`/w/${slug}/members`);
  await hydrated(owner);
  await invite(owner, email, role);
  await accept(page, slug, email, name);
  return email;
}

/** By password. Where to, the caller waits for. */
export async function signIn(page, email) {
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Chooses another role for a member of the list and sends it. */
export async function chooseRole(page, name, role) {
  await page.getByLabel(`Role of ${name}`, { exact: true }).selectOption({ label: role });
  await page.getByRole("button", { name: `Change the role of ${name}` }).click();
}

/** An event stream as a live page has it. Done when it is open; `window.ended` is done when the server says that it is over. */
export const listen = (page, slug) =>
  page.evaluate(
    (url) =>
      new Promise((opened) => {
        const stream = new EventSource(url);
        window.ended = new Promise((ended) => stream.addEventListener("closed", () => ended(stream.close()), { once: true }));
        stream.onopen = opened;
      }),
    `/w/${slug}/live?page=sources&since=0`,
  );
