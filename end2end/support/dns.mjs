// A name server for tests that knows TXT records: `node dns.mjs FILE`. FILE holds a JSON object, name to texts, and is read anew for
// each question. It listens on a free UDP port of this machine and says which one in a line of JSON.
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";

const file = process.argv[2];
if (!file) throw new Error("give the file of the records");
const TXT = 16;

/** The texts of a name; none when the file is not there yet. */
function texts(name) {
  try {
    return JSON.parse(readFileSync(file, "utf8"))[name.toLowerCase()] ?? [];
  } catch {
    return [];
  }
}

/** The question's name and type, and where it ends. */
function question(message) {
  const labels = [];
  let at = 12;
  while (message[at] > 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + message[at]));
    at += 1 + message[at];
  }
  return { name: labels.join("."), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** One TXT record of the name that stands at byte 12, in parts of at most 255 bytes. */
function record(text) {
  const bytes = Buffer.from(text);
  const parts = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const part = bytes.subarray(at, at + 255);
    parts.push(Buffer.from([part.length]), part);
  }
  const data = Buffer.concat(parts);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(TXT, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(0, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function answer(message) {
  const { name, type, end } = question(message);
  const records = type === TXT ? texts(name).map(record) : [];
  const head = Buffer.alloc(12);
  message.copy(head, 0, 0, 2);
  // An answer with authority, recursion as it was asked for; a name without records does not exist.
  head.writeUInt16BE(0x8480 | (message.readUInt16BE(2) & 0x0100) | (records.length ? 0 : 3), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, message.subarray(12, end), ...records]);
}

const socket = createSocket("udp4");
socket.on("message", (message, from) => {
  try {
    socket.send(answer(message), from.port, from.address);
  } catch (error) {
    console.error(error);
  }
});
socket.bind(0, "127.0.0.1", () => console.log(JSON.stringify({ port: socket.address().port })));

const stop = () => process.exit(0);
process.on("SIGTERM", stop);
// It ends with whoever started it, also when that was killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || stop(), 1000).unref();
