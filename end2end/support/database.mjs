// The platform's database as its administrator reaches it: what a journey cannot wait for, hours and days, is put back there.
import { execFileSync } from "node:child_process";
import { stack } from "./stack.mjs";

/** Runs statements as the superuser, in one call. Gives what they say, unadorned. */
export function sql(statements) {
  const { psql, host, port, user, password, name } = stack.database;
  const server = ["--host", host, "--port", String(port), "--username", user, "--dbname", name];
  const how = ["--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--quiet", "--tuples-only", "--no-align"];
  const env = { ...process.env, PGPASSWORD: password, PGOPTIONS: "-c client_min_messages=warning" };
  return execFileSync(psql, [...how, ...server, "--command", statements], { env, encoding: "utf8" }).trim();
}

/** A text in a statement. */
export const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/** This person's sign-ins were a while ago: what needs a recent one asks for it. */
export function ageSessions(email) {
  sql(`update auth.sessions
       set confirmed_at = now() - interval '16 minutes'
       where user_id = (select id from auth.users where email = ${quoted(email)})`);
}

/** The number that a statement gives. */
export const count = (statement) => Number(sql(statement));
