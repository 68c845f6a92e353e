// cargo xtask bench --load: redemptions a second on one object of the ledger, against an object in JavaScript
// that only does its two writes; same runtime, same run, by turns. Prints the ratio, and fails below LEAST.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

const LEAST = 0.7;
const [ROUNDS, COUNT, AT_ONCE] = [7, 400, 16];

const described = JSON.parse(readFileSync("build/miniflare.json", "utf8"));
const state = mkdtempSync(join(tmpdir(), "promo-load-"));
const runtime = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1", port: 0, cf: false, log: new Log(LogLevel.ERROR), resourcePersistencePath: state,
    workers: [
      {
        name: "load",
        compatibilityDate: described.options.compatibilityDate,
        modulesRoot: resolve("bench/load"),
        modules: [{ type: "ESModule", path: resolve("bench/load/worker.mjs") }],
        durableObjects: {
          FLOOR: { className: "Floor", useSQLite: true },
          LEDGER: { className: "Ledger", scriptName: "promo-edge", useSQLite: true },
        },
      },
      {
        ...described.options,
        name: "promo-edge",
        modulesRoot: resolve("build"),
        modules: [
          { type: "ESModule", path: resolve("build/index.js") },
          { type: "CompiledWasm", path: resolve("build/index_bg.wasm") },
        ],
        bindings: described.vars,
      },
    ],
  }),
);

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
try {
  const url = await runtime.ready;
  const measure = async (object, round) => {
    const begun = process.hrtime.bigint();
    const body = JSON.stringify({ object, round, count: COUNT, atOnce: AT_ONCE });
    const reply = await fetch(url, { method: "POST", body });
    if (!reply.ok) {
      throw new Error(await reply.text());
    }
    const waits = await reply.json();
    const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
    const at = (share) => waits[Math.floor(waits.length * share)];
    return { perSecond: COUNT / seconds, p50: at(0.5), p99: at(0.99) };
  };
  const runs = { ledger: [], floor: [] };
  for (let round = 0; round < ROUNDS + 1; round++) {
    // By turns, and each first as often as second.
    for (const object of round % 2 ? ["ledger", "floor"] : ["floor", "ledger"]) {
      const run = await measure(object, round);
      // The first round compiles and fills caches.
      if (round > 0) {
        runs[object].push(run);
      }
    }
  }
  console.log(`${COUNT} redemptions, ${AT_ONCE} at a time, on one object; medians of ${ROUNDS} rounds, by turns\n`);
  console.log("object    redemptions/s   p50 ms   p99 ms");
  for (const [object, all] of Object.entries(runs)) {
    const of = (key) => median(all.map((run) => run[key]));
    console.log(
      `${object.padEnd(8)} ${of("perSecond").toFixed(0).padStart(14)} ${String(of("p50")).padStart(8)} ${String(of("p99")).padStart(8)}`,
    );
  }
  const ratios = runs.ledger.map((run, at) => run.perSecond / runs.floor[at].perSecond);
  const ratio = median(ratios);
  console.log(`\nledger / floor: ${ratio.toFixed(2)} (rounds: ${ratios.map((r) => r.toFixed(2)).join(" ")}), at least ${LEAST}`);
  process.exitCode = ratio < LEAST ? 1 : 0;
} finally {
  await runtime.dispose();
  rmSync(state, { recursive: true, force: true });
}
