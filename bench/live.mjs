// `node live.mjs SECONDS`: follows Overview's event stream and writes a line of JSON for each update with values:
// {"received_us": …, "values": [[asset id, time of the value in µs], …]}. First line: {"open": true}.
import { base, nowUs, signIn, slug } from "./session.mjs";

const seconds = Number(process.argv[2]);
const cookie = await signIn();
const url = `${base}/w/${slug}/live?page=overview&since=${nowUs()}&range=1h&number=0`;
const stop = new AbortController();
const answer = await fetch(url, { headers: { cookie, accept: "text/event-stream" }, signal: stop.signal });
if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
console.log(JSON.stringify({ open: true }));
setTimeout(() => stop.abort(), seconds * 1000);

let bytes = 0;
let messages = 0;
let text = "";
const decoder = new TextDecoder();
try {
  for await (const part of answer.body) {
    const received_us = nowUs();
    bytes += part.length;
    text += decoder.decode(part, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      message(text.slice(0, end), received_us);
      text = text.slice(end + 2);
    }
  }
  throw new Error("the stream ended");
} catch (error) {
  if (error.name !== "AbortError") throw error;
}
console.log(JSON.stringify({ messages, bytes }));

function message(lines, received_us) {
  const data = lines
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trimStart())
    .join("\n");
  if (!data.startsWith("{")) return;
  messages += 1;
  const update = JSON.parse(data);
  const values = new Map();
  for (const { asset_id, at } of update.values ?? []) values.set(`${asset_id} ${at}`, [asset_id, at]);
  if (values.size) console.log(JSON.stringify({ received_us, values: [...values.values()] }));
}
