// kv.mjs --state DIR [--get KEY | --put KEY | --delete KEY]: an entry of the KV of a service that is stopped,
// as `wrangler kv key` reads and writes one of a deployment. A value to be put is read from standard input;
// one that is got goes to standard output, and nothing if there is none.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

const { values: args } = parseArgs({
  options: {
    state: { type: "string" },
    get: { type: "string" },
    put: { type: "string" },
    delete: { type: "string" },
  },
});
const described = JSON.parse(readFileSync("build/miniflare.json", "utf8"));
const runtime = new Miniflare(
  convertV4MiniflareOptions({
    cf: false,
    log: new Log(LogLevel.ERROR),
    resourcePersistencePath: resolve(args.state),
    workers: [
      {
        name: "promo-edge",
        kvNamespaces: described.options.kvNamespaces,
        modules: true,
        script: "export default { fetch: () => new Response() }",
      },
    ],
  }),
);
const kv = await runtime.getKVNamespace("OFFERS", "promo-edge");
if (args.put !== undefined) {
  await kv.put(args.put, readFileSync(0, "utf8"));
}
if (args.delete !== undefined) {
  await kv.delete(args.delete);
}
if (args.get !== undefined) {
  process.stdout.write((await kv.get(args.get)) ?? "");
}
await runtime.dispose();
