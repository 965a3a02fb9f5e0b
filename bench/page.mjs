// `node page.mjs REQUESTS ROWS`, names of the machines as a JSON array in BENCH_NAMES: asks for Overview so often, one
// after the other on one connection, and prints a line of JSON with the milliseconds to the first byte of the HTML and to
// its end. Each answer must hold at least ROWS rows with the name of a machine and a value of it, or it is no page with
// its data in it.
import http from "node:http";
import { base, signIn, slug } from "./session.mjs";

const requests = Number(process.argv[2]);
const least = Number(process.argv[3]);
const names = new Set(JSON.parse(process.env.BENCH_NAMES));
const cookie = await signIn();
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function get() {
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const ms = () => Number(process.hrtime.bigint() - began) / 1e6;
    const request = http.get(`${base}/w/${slug}`, { agent, headers: { cookie, accept: "text/html" } }, (answer) => {
      let first_ms;
      const parts = [];
      answer.on("data", (part) => {
        first_ms ??= ms();
        parts.push(part);
      });
      answer.on("end", () => resolve({ status: answer.statusCode, first_ms, all_ms: ms(), html: Buffer.concat(parts).toString() }));
      answer.on("error", reject);
    });
    request.on("error", reject);
  });
}

/** Rows of the table that hold the name of a machine and a number in a cell of a metric. */
function machines(html) {
  let count = 0;
  for (const [row] of html.matchAll(/<tr[\s>][\s\S]*?<\/tr>/g)) {
    const text = (part) => part.replace(/<[^>]*>/g, "").trim();
    const head = /<th[^>]*scope="row"[^>]*>([\s\S]*?)<\/th>/.exec(row);
    if (!head || !names.has(text(head[1]))) continue;
    const cells = [...row.matchAll(/<td([^>]*)>([\s\S]*?)<\/td>/g)];
    // The cells to the right, but the last, which says how old they are.
    const metrics = cells.filter(([, attributes]) => /data-align="end"/.test(attributes)).slice(0, -1);
    if (metrics.some(([, , inner]) => /\d/.test(text(inner)))) count += 1;
  }
  return count;
}

const first = [];
const all = [];
let bytes = 0;
let values = 0;
for (let n = -5; n < requests; n += 1) {
  const { status, first_ms, all_ms, html } = await get();
  if (status !== 200) throw new Error(`Overview answered ${status}`);
  const shown = machines(html);
  if (shown < least) throw new Error(`Overview's HTML holds ${shown} machines with a value, not ${least}`);
  if (n < 0) continue; // warm
  first.push(first_ms);
  all.push(all_ms);
  bytes += html.length;
  values += shown;
}
const at = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.ceil(p * list.length) - 1)];
console.log(
  JSON.stringify({
    p50_ms: at(first, 0.5),
    p99_ms: at(first, 0.99),
    max_ms: at(first, 1),
    all_p50_ms: at(all, 0.5),
    all_p99_ms: at(all, 0.99),
    html_bytes: Math.round(bytes / requests),
    rows: values / requests,
  }),
);
process.exit(0);
