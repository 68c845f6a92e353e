// The load, from inside the runtime: so many redemptions, so many at a time, each on a tab of its own, to one
// object. No socket and no parsing of ours is in between, so that objects are compared and nothing else.

import { DurableObject } from "cloudflare:workers";

/// The floor: the two writes of a redemption, and not a thought about whether it may be had.
export class Floor extends DurableObject {
  constructor(context, env) {
    super(context, env);
    this.sql = context.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS tab (location TEXT, tab TEXT, record TEXT NOT NULL, PRIMARY KEY (location, tab)) WITHOUT ROWID");
    this.sql.exec("CREATE TABLE IF NOT EXISTS counter (key TEXT PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID");
  }

  async fetch(request) {
    const { location, tab, record, key } = await request.json();
    this.sql.exec("INSERT OR REPLACE INTO tab (location, tab, record) VALUES (?, ?, ?)", location, tab, record);
    this.sql.exec("INSERT INTO counter (key, used) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET used = used + 1", key);
    return Response.json({ ok: true });
  }
}

const KEY = "*|uses||total|total|||";
const ANSWER = JSON.stringify({
  offer_id: "load.ten-off.LOAD10", campaign: "load", offer: "ten-off", name: "10% off", description: "10% off the tab",
  discount: 110, currency: "USD", lines: [{ id: "1", discount: 110 }], fees: [],
  rounding: { mode: "half_up", per: "tab" },
});

const QUESTIONS = {
  // What src/ports.rs sends: Message<Question>.
  ledger: (tab, at) => ({
    v: 1, rows: 0,
    body: { decide: { campaign: "load", me: "", command: { redeem: {
      tab: { location: "1019", tab }, pos: "load", received: at, attempt: tab, currency: "USD", keep_days: 400,
      asks: [{ offer: "load.ten-off.LOAD10", give: { amount: 110, answer: ANSWER } }],
      counters: [{ key: KEY, ceiling: 1_000_000_000, measure: "uses" }],
    } } } },
  }),
  floor: (tab) => ({ location: "1019", tab, record: ANSWER, key: KEY }),
};

export default {
  async fetch(request, env) {
    const { object, round, count, atOnce } = await request.json();
    const namespace = object === "ledger" ? env.LEDGER : env.FLOOR;
    const stub = namespace.getByName("load");
    const question = QUESTIONS[object];
    const waits = [];
    let next = 0;
    const till = async () => {
      while (next < count) {
        const tab = `${round}-${next++}`;
        const begun = Date.now();
        const body = JSON.stringify(question(tab, begun));
        const reply = await stub.fetch("https://object/", { method: "POST", body });
        const text = await reply.text();
        if (object === "ledger" && !text.includes('"applied"')) {
          throw new Error(`no redemption: ${reply.status} ${text}`);
        }
        waits.push(Date.now() - begun);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, till));
    waits.sort((a, b) => a - b);
    return Response.json(waits);
  },
};
