// Makes build/panel: index.html, the icon, and assets/ with the hash of their content in their names, each also compressed.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const FIRST_VIEW_BYTES_MAX = 60 * 1024; // script and style of the first view, compressed with gzip
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const out = path.join(here, "../build/panel");
const assets = path.join(out, "assets");

await rm(out, { recursive: true, force: true });
await mkdir(assets, { recursive: true });
const result = await build({
	absWorkingDir: here,
	entryPoints: { app: "src/main.tsx", style: "src/style/panel.css" },
	bundle: true,
	splitting: true,
	format: "esm",
	minify: true,
	target: ["es2020", "safari15"],
	outdir: assets,
	entryNames: "[name]-[hash]",
	chunkNames: "[name]-[hash]",
	alias: { gen: path.join(here, "../build/gen") },
	legalComments: "none",
	metafile: true,
});

const made = Object.entries(result.metafile.outputs).map(([file, about]) => ({ name: path.basename(file), ...about }));
const asset = (source) => made.find((one) => one.entryPoint === source);
const script = asset("src/main.tsx");
const style = asset("src/style/panel.css");
// What the script imports at once, through any number of chunks: the rest is loaded where it is needed.
const first = new Set([script.name, style.name]);
for (const name of first)
	for (const one of made.find((file) => file.name === name).imports) if (one.kind === "import-statement") first.add(path.basename(one.path));

const icon = await readFile(path.join(here, "favicon.svg"));
const page = (await readFile(path.join(here, "index.html"), "utf8"))
	.replace("SCRIPT", `/assets/${script.name}`)
	.replace("STYLE", `/assets/${style.name}`)
	.replace("ICON", `/favicon.svg?${createHash("sha256").update(icon).digest("hex").slice(0, 8)}`);
await writeFile(path.join(out, "index.html"), page);
await cp(path.join(here, "favicon.svg"), path.join(out, "favicon.svg"));

let weight = 0;
for (const name of await readdir(assets)) {
	const content = await readFile(path.join(assets, name));
	const gzip = gzipSync(content, { level: 9 });
	await writeFile(path.join(assets, `${name}.gz`), gzip);
	await writeFile(path.join(assets, `${name}.br`), brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }));
	if (first.has(name)) weight += gzip.length;
}
if (weight > FIRST_VIEW_BYTES_MAX) {
	console.error(`panel: script and style of the first view weigh ${weight} bytes compressed, over ${FIRST_VIEW_BYTES_MAX}`);
	process.exit(1);
}
