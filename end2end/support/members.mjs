// Colleagues in a workspace: asked in by an owner's page, in by the letter's link; and what they press when they are in.
import { PASSWORD, address, hydrated, letter, linkIn } from "./stack.mjs";

/** The owner's page invites somebody with this role, who joins as `name` on a page of their own. Gives their address. */
export async function join(owner, page, slug, name, role) {
  const email = address();
  await owner.goto(`/w/${slug}/members`);
  await hydrated(owner);
  await owner.getByLabel("E-mail").fill(email);
  await owner.getByLabel("Role", { exact: true }).selectOption({ label: role });
  await owner.getByRole("button", { name: "Send invitation" }).click();
  await owner.getByRole("alert").filter({ hasText: `Invitation sent to ${email}` }).waitFor();
  await page.goto(linkIn(await letter(email, /invit/i)));
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account and join" }).click();
  await page.waitForURL(new RegExp(`/w/${slug}$`));
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
