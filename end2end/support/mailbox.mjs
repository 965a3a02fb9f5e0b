// A mail server that keeps what it gets: `node mailbox.mjs FILE`. It listens on a free port of this machine, says which one
// in a line of JSON, and appends every letter to FILE as a line of JSON. `cargo xtask e2e` runs it beside the stack.
import { appendFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { SMTPServer } = require("smtp-server");
const { simpleParser } = require("mailparser");

const file = process.argv[2];
if (!file) throw new Error("give the file that letters are appended to");
writeFileSync(file, "");

/** Of the envelope, not of the header: whom the letter really goes to. */
const recipients = (session) => session.envelope.rcptTo.map(({ address }) => address);

const server = new SMTPServer({
  // Plain and without a login: it is reached from this machine alone.
  disabledCommands: ["STARTTLS", "AUTH"],
  authOptional: true,
  disableReverseLookup: true,
  onData(stream, session, done) {
    simpleParser(stream).then((letter) => {
      const { from, subject, text, html } = letter;
      const line = { to: recipients(session), from: from?.text, subject, text, html };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
      done();
    }, done);
  },
});
server.on("error", (error) => console.error(error));
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.server.address().port })));

const stop = () => process.exit(0);
process.on("SIGTERM", stop);
// It ends with whoever started it, also when that was killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || stop(), 1000).unref();
