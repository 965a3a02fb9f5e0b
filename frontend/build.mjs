// Makes the static files the server hands out: `node build.mjs --pkg DIR --site DIR [--release]`, called by xtask.
//
// DIR of --pkg is what wasm-bindgen wrote (clarity.js, clarity_bg.wasm). Into --site go, under /pkg, files whose name
// carries the hash of their content, so that a browser may keep them for ever; beside them what stands in public/, under
// its own name; and assets.json, logical name → path, written last, which is what the server reads at start. A release
// also has a .br and a .gz beside each file that gets smaller by it.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import zlib from "node:zlib";
import * as esbuild from "esbuild";
import { minify } from "terser";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const { values: args } = parseArgs({
  options: { pkg: { type: "string" }, site: { type: "string" }, release: { type: "boolean", default: false } },
});
const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

// What a browser loads to show the Overview, and how much of it there may be (docs/decisions/0004-erased-views.md).
const FIRST_LOAD = ["clarity.wasm", "clarity.js", "charts.js"];
const FIRST_LOAD_KB = 440;

const assets = {}; // logical name → path from the site's root
const files = new Map(); // path below the site → bytes

function addHashed(logical, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const { dir, name, ext } = path.posix.parse(logical);
  const file = path.posix.join("pkg", dir, `${name}.${hash}${ext}`);
  files.set(file, Buffer.from(bytes));
  assets[logical] = `/${file}`;
  return `/${file}`;
}

const common = {
  bundle: true,
  write: false,
  minify: args.release,
  legalComments: "none",
  target: ["es2022", "chrome109", "firefox115", "safari16.4"],
  define: { "process.env.NODE_ENV": JSON.stringify(args.release ? "production" : "development") },
  logLevel: "warning",
};

// A style sheet names a font by its file in the packages, whatever folder it writes before it. Its address is the hash of
// its bytes, given before the style sheet that names it is hashed itself.
const packages = ["inter", "jetbrains-mono"].map((name) => path.join(here, `node_modules/@fontsource-variable/${name}/files`));
const fonts = {
  name: "fonts",
  setup(build) {
    build.onResolve({ filter: /\.woff2$/ }, (wanted) => {
      const name = path.basename(wanted.path);
      const file = packages.map((dir) => path.join(dir, name)).find((file) => fs.existsSync(file));
      if (!file) return { errors: [{ text: `none of our font packages has ${name}` }] };
      return { path: addHashed(`fonts/${name}`, fs.readFileSync(file)), external: true };
    });
    // Anything else that starts at the root is a file of public/, under its own name.
    build.onResolve({ filter: /^\// }, (wanted) => (wanted.kind === "url-token" ? { path: wanted.path, external: true } : undefined));
  },
};

// The script that loads the WASM of other pages names each file. The address of one is the hash of its bytes.
const apart = {
  name: "apart",
  setup(build) {
    build.onLoad({ filter: /__wasm_split\.js$/ }, ({ path: file }) => {
      const hashed = (_, name) => `new URL(${JSON.stringify(`./${path.basename(addHashed(name, fs.readFileSync(path.join(args.pkg, name))))}`)}`;
      return { contents: fs.readFileSync(file, "utf8").replace(/new URL\("\.\/([^"]+)"/g, hashed) };
    });
  },
};

// Parts of ECharts that its core takes in whatever a chart uses, and that ours have no use for, with what stands in
// their place. A new version that has one no more, or calls it by another name, fails the build.
const unused = {
  "echarts/lib/theme/dark.js": "export default {}", // our colours are the tokens
  "echarts/lib/i18n/langZH.js": "export default {}",
  "echarts/lib/preprocessor/backwardCompat.js": "export default () => {}", // options as version 3 had them
  "echarts/lib/data/helper/transform.js":
    "export const applyDataTransform = () => {}, registerExternalTransform = () => {}; export class ExternalSource {}",
  "echarts/lib/scale/Log.js": "export default class {}",
  "echarts/lib/util/decal.js": "export const createOrUpdatePatternFromDecal = () => {}",
  "echarts/lib/component/tooltip/TooltipRichContent.js": "export default class {}", // ours is HTML
  "zrender/lib/core/timsort.js": "export default (list, compare) => list.sort(compare)", // a browser's own sort is stable now
  "zrender/lib/graphic/helper/roundSector.js": "export const buildPath = () => {}", // pies
  "zrender/lib/tool/path.js":
    "export const createFromString = () => {}, extendFromString = () => {}, mergePath = () => {}, clonePath = () => {}", // symbols from SVG
};
const slim = {
  name: "slim",
  setup(build) {
    const missed = new Set(Object.keys(unused));
    build.onLoad({ filter: /[\\/](echarts|zrender)[\\/]lib[\\/].*\.js$/ }, ({ path: file }) => {
      const name = path.relative(path.join(here, "node_modules"), file).replaceAll(path.sep, "/");
      return missed.delete(name) ? { contents: unused[name] } : undefined;
    });
    build.onEnd(() => ({ errors: [...missed].map((name) => ({ text: `the chart bundle has no ${name}` })) }));
  },
};

async function script(logical, entry, plugin) {
  const built = await esbuild.build({
    ...common,
    entryPoints: [entry],
    format: "esm",
    plugins: [plugin],
    logOverride: { "import-is-undefined": "error" },
  });
  let { text } = built.outputFiles[0];
  if (args.release) ({ code: text } = await minify(text, { module: true, ecma: 2020, compress: { passes: 3, keep_fargs: false } }));
  addHashed(logical, text);
}

async function styles(logical) {
  const entryPoints = [path.join(root, "style/index.css")];
  const built = await esbuild.build({ ...common, entryPoints, plugins: [fonts] });
  addHashed(logical, built.outputFiles[0].contents);
}

function publicFiles(dir, below = "") {
  if (!fs.existsSync(dir)) return;
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const name = path.posix.join(below, entry.name);
    if (entry.isDirectory()) publicFiles(path.join(dir, entry.name), name);
    else if (!entry.name.startsWith(".")) files.set(name, fs.readFileSync(path.join(dir, entry.name)));
  }
}

// Files are replaced by renaming, so a running server never sends half of one.
function put(file, bytes) {
  const to = path.join(args.site, file);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(`${to}.part`, bytes);
  fs.renameSync(`${to}.part`, to);
}

const sizes = {};
async function write(file, bytes) {
  put(file, bytes);
  kept.add(file);
  sizes[file] = { raw: bytes.length };
  if (!args.release || /\.(woff2|png|jpg|webp)$/.test(file)) return;
  const params = {
    [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
    [zlib.constants.BROTLI_PARAM_LGWIN]: 24,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const packed = { br: await brotli(bytes, { params }), gz: await gzip(bytes, { level: 9 }) };
  for (const [ext, smaller] of Object.entries(packed)) {
    sizes[file][ext] = smaller.length;
    if (smaller.length >= bytes.length) continue;
    put(`${file}.${ext}`, smaller);
    kept.add(`${file}.${ext}`);
  }
}

function prune(dir, below = "") {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const name = path.posix.join(below, entry.name);
    if (entry.isDirectory()) prune(path.join(dir, entry.name), name);
    else if (!kept.has(name)) fs.rmSync(path.join(dir, entry.name));
  }
}

const kept = new Set(["assets.json"]);
await Promise.all([
  script("clarity.js", path.join(args.pkg, "clarity.js"), apart),
  script("charts.js", path.join(here, "js/charts.js"), slim),
  styles("clarity.css"),
]);
addHashed("clarity.wasm", fs.readFileSync(path.join(args.pkg, "clarity_bg.wasm")));
publicFiles(path.join(here, "public"));

fs.mkdirSync(args.site, { recursive: true });
await Promise.all([...files].map(([file, bytes]) => write(file, bytes)));
put("assets.json", JSON.stringify(Object.fromEntries(Object.entries(assets).sort()), null, 2) + "\n");
prune(args.site);

const kb = (n) => (n === undefined ? "" : (n / 1024).toFixed(1).padStart(8) + " KiB");
for (const logical of Object.keys(assets).sort()) {
  const size = sizes[assets[logical].slice(1)];
  console.log(`    ${logical.padEnd(34)}${kb(size.raw)}${size.br ? `${kb(size.br)} brotli` : ""}`);
}
if (args.release) {
  const bytes = FIRST_LOAD.reduce((sum, logical) => sum + sizes[assets[logical].slice(1)].br, 0);
  console.log(`    first load: ${(bytes / 1000).toFixed(1)} of ${FIRST_LOAD_KB} kB brotli`);
  if (bytes > FIRST_LOAD_KB * 1000) {
    console.error(`The Overview's first load, ${FIRST_LOAD.join(" + ")}, is larger than it may be.`);
    process.exit(1);
  }
}
