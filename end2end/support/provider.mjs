// An identity provider (OpenID Connect) for tests: `node provider.mjs '{"clientId", "clientSecret", "redirectUris", "accounts"}'`.
// It listens on a free port of this machine and says which one in a line of JSON. An account is { sub, email, email_verified,
// name }; whoever signs in types its sub and any password. In the place of `accounts`, `accountsFile` names a JSON file of them
// that is read anew each time. People are sent back to one of `redirectUris` and to what lies below it: the addresses of workspaces
// that are made later. `cargo xtask e2e` and the testkit run it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { clientId, clientSecret, redirectUris, accounts, accountsFile } = JSON.parse(process.argv[2] ?? "{}");
if (!clientId || !clientSecret || !redirectUris || !(accounts || accountsFile)) throw new Error("give a client, its addresses and accounts");

// The port is all that is said on stdout: whoever started it stops reading there.
console.info = console.warn = console.error;

const known = () => accounts ?? JSON.parse(readFileSync(accountsFile, "utf8"));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: ["a test's"] },
    findAccount(_, sub) {
      const account = known().find((one) => one.sub === sub);
      return account && { accountId: sub, claims: async () => account };
    },
  });
  provider.Client.prototype.redirectUriAllowed = (value) => redirectUris.some((uri) => value === uri || value.startsWith(`${uri}/`));
  provider.on("server_error", (_, error) => console.error(error));
  server.on("request", provider.callback());
  console.log(JSON.stringify({ port }));
});

const stop = () => process.exit(0);
process.on("SIGTERM", stop);
// It ends with whoever started it, also when that was killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || stop(), 1000).unref();
