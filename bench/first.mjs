// `node first.mjs PATTERN SECONDS`: asks for Overview until its HTML matches, and prints when that was:
// {"seen_us": …, "tries": …}. Says {"ready": true} when it begins. The page is what a person without script would see.
import { base, nowUs, signIn, slug } from "./session.mjs";

const pattern = new RegExp(process.argv[2]);
const seconds = Number(process.argv[3]);
const cookie = await signIn();
console.log(JSON.stringify({ ready: true }));
const began = Date.now();
let tries = 0;
for (;;) {
  tries += 1;
  const answer = await fetch(`${base}/w/${slug}`, { headers: { cookie, accept: "text/html" } });
  const html = await answer.text();
  if (!answer.ok) throw new Error(`Overview answered ${answer.status}`);
  const found = pattern.exec(html);
  if (found) {
    console.log(JSON.stringify({ seen_us: nowUs(), tries, found: found[0].slice(0, 200) }));
    break;
  }
  if (Date.now() - began > seconds * 1000) throw new Error(`not seen within ${seconds} s`);
  await new Promise((resolve) => setTimeout(resolve, 50));
}
