// serve.mjs --port=N --state DIR [--samples] [--dev-vars] [--tied-to-stdin]: the Worker in build/ on workerd.
//
// Listens on 127.0.0.1 with workerd's own socket: no proxy of wrangler's or Miniflare's is in between.
// A setting or secret is taken from the process's environment (an empty variable counts: it overrides to
// empty), else from .dev.vars where asked, else from [vars] of wrangler.toml.

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs, parseEnv } from "node:util";

import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

import { firstCommand, load } from "./samples.mjs";

const HOST = "127.0.0.1";
// May be set, though neither wrangler.toml nor .dev.vars need have it.
const OPTIONAL = ["WALLET_TOKEN", "CLOCK_OFFSET"];

const { values: args } = parseArgs({
  options: {
    port: { type: "string" },
    state: { type: "string" },
    samples: { type: "boolean" },
    "dev-vars": { type: "boolean" },
    "tied-to-stdin": { type: "boolean" },
  },
});
const port = Number(args.port);
const state = resolve(args.state);
const described = JSON.parse(readFileSync("build/miniflare.json", "utf8"));
const settings = readSettings();

if (args["tied-to-stdin"]) {
  process.stdin.on("end", () => process.exit()).on("error", () => process.exit()).resume();
}

await freePort();

// Miniflare's scratch, in the state so that a killed runtime leaves nothing behind elsewhere.
const scratch = join(state, "tmp");
rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });
process.env.TMPDIR = scratch;
process.env.PROMO_STATE = state;
process.env.PROMO_WORKERD = createRequire(import.meta.resolve("miniflare"))("workerd").default;
process.env.MINIFLARE_WORKERD_PATH = resolve("xtask/node/workerd.sh");

const runtime = new Miniflare(
  convertV4MiniflareOptions({
    // What Miniflare's own front door is for (its magic endpoints) is not used; it gets any port.
    host: HOST,
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    handleStructuredLogs: ({ level, message }) => {
      (level === "error" || level === "warn" ? process.stderr : process.stdout).write(`${message}\n`);
    },
    resourcePersistencePath: state,
    workers: [
      {
        ...described.options,
        name: "promo-edge",
        modulesRoot: resolve("build"),
        modules: modules(),
        bindings: settings,
        unsafeDirectSockets: [{ host: HOST, port }],
      },
    ],
  }),
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => runtime.dispose().finally(() => process.exit(0)));
}

try {
  await runtime.ready;
  const url = `http://${HOST}:${port}`;
  const samples = args.samples ? await load(url, settings.ADMIN_TOKEN) : [];
  console.log(`ready ${url}`);
  if (args.samples) {
    console.log(firstCommand(url, settings, samples));
  }
} catch (error) {
  await runtime.dispose().catch(() => {});
  // A broken pipe: workerd ended at once, and has said why.
  fail(error.code === "EPIPE" ? "workerd did not start" : error.message);
}

// PROMO_SLOW_KV=N, for tests: every operation on KV begins N milliseconds late. What is deployed knows
// nothing of it: a module in front of the Worker hands it another binding.
function modules() {
  const worker = [
    { type: "ESModule", path: resolve("build/index.js") },
    { type: "CompiledWasm", path: resolve("build/index_bg.wasm") },
  ];
  const late = Number(process.env.PROMO_SLOW_KV ?? 0);
  if (!(late > 0)) {
    return worker;
  }
  const contents = `
    import { WorkerEntrypoint } from "cloudflare:workers";
    import Service from "./index.js";
    export * from "./index.js";
    const late = () => new Promise((begin) => setTimeout(begin, ${late}));
    const slow = (kv) => new Proxy(kv, {
      get(target, name) {
        const value = Reflect.get(target, name);
        return typeof value === "function"
          ? async (...given) => (await late(), value.apply(target, given))
          : value;
      },
    });
    export default class extends WorkerEntrypoint {
      fetch(request) {
        return new Service(this.ctx, { ...this.env, OFFERS: slow(this.env.OFFERS) }).fetch(request);
      }
    }`;
  return [{ type: "ESModule", path: resolve("build/slow.js"), contents }, ...worker];
}

function readSettings() {
  const file = args["dev-vars"] && existsSync(".dev.vars") ? parseEnv(readFileSync(".dev.vars", "utf8")) : {};
  const settings = { ...described.vars, ...file };
  for (const name of [...Object.keys(settings), ...described.secrets, ...OPTIONAL]) {
    if (process.env[name] !== undefined) {
      settings[name] = process.env[name];
    }
  }
  return settings;
}

// workerd says so too if its port is in use, but late and in the middle of a stack trace.
async function freePort() {
  const probe = () =>
    new Promise((free, taken) => {
      const server = createServer().once("error", taken);
      server.listen({ host: HOST, port }, () => server.close(free));
    });
  // A predecessor that was killed this instant is given a moment to be gone.
  for (let tries = 10; ; tries--) {
    try {
      return await probe();
    } catch (error) {
      if (error.code !== "EADDRINUSE") {
        fail(`cannot listen on ${HOST}:${port}: ${error.message}`);
      }
      if (tries === 0) {
        fail(`port ${port} is in use: stop what listens there, or choose another with --port`);
      }
      await setTimeout(100);
    }
  }
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
