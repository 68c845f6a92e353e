// bundle.mjs BOUND BUILD: makes the deployable BUILD from wasm-bindgen's output BOUND.
//
//   index.js, index_bg.wasm   what `wrangler deploy` uploads and workerd runs
//   miniflare.json            the bindings of wrangler.toml for serve.mjs (reading them takes wrangler
//                             two seconds, which each start of the local runtime would pay)
//
// BUILD changes as a whole, last: a runtime that starts meanwhile sees the old or the new one.

import { appendFileSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

const [bound, target] = process.argv.slice(2);
const next = `${target}.next`;
rmSync(next, { recursive: true, force: true });
mkdirSync(next, { recursive: true });

const config = unstable_readConfig({ config: "wrangler.toml" });
const classes = config.durable_objects.bindings
  .filter((binding) => !binding.script_name)
  .map((binding) => binding.class_name);

// As it is: wasm-opt after LLVM's link-time optimisation made it 5 % smaller, and no smaller once compressed.
copyFileSync(join(bound, "index_bg.wasm"), join(next, "index_bg.wasm"));
await bundle();
describe();
rmSync(target, { recursive: true, force: true });
renameSync(next, target);
report();

// Whether the Wasm module exports the class itself, and not by way of the one `Object`.
function ownExport(name) {
  return new RegExp(`\\bclass ${name}\\b`).test(readFileSync(join(bound, "index.js"), "utf8"));
}

async function bundle() {
  const shim = join(bound, "shim.js");
  copyFileSync("xtask/node/shim.mjs", shim);
  for (const name of classes) {
    const made = ownExport(name) ? `surviving(wasm.${name})` : `objectClass("${name}")`;
    appendFileSync(shim, `export const ${name} = ${made};\n`);
  }
  await build({
    entryPoints: [shim],
    outfile: join(next, "index.js"),
    bundle: true,
    minify: true,
    format: "esm",
    external: ["./index_bg.wasm", "cloudflare:*"],
    logLevel: "warning",
  });
  // wasm-bindgen writes the proposal's `import source`; Workers hand out a compiled module on `import`.
  const js = join(next, "index.js");
  writeFileSync(js, readFileSync(js, "utf8").replace(/\bimport source /g, "import "));
}

function describe() {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
  // No secret or setting is written here: serve.mjs reads them at each start, from the process's
  // environment, .dev.vars and `vars`. No module rules: the two modules are named there.
  const { bindings, modulesRules, rootPath, ...options } = workerOptions;
  const settings = { options, vars: config.vars, secrets: config.secrets?.required ?? [] };
  writeFileSync(join(next, "miniflare.json"), JSON.stringify(settings, null, 1));
}

function report() {
  for (const name of ["index.js", "index_bg.wasm"]) {
    const bytes = readFileSync(join(target, name));
    const kib = (length) => `${(length / 1024).toFixed(0)} KiB`;
    console.error(`    ${name}: ${kib(bytes.length)}, gzip ${kib(gzipSync(bytes).length)}`);
  }
}
