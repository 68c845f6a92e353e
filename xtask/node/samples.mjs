// The campaigns of examples/: published to a fresh service, so that there is something to try at once.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = "examples";

/** Publishes each campaign of examples/ and returns their documents. Throws at the first that is refused. */
export async function load(url, adminToken) {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith(".json")) : [];
  const campaigns = [];
  for (const file of files.sort()) {
    const path = join(FOLDER, file);
    const text = readFileSync(path, "utf8");
    const campaign = JSON.parse(text);
    const reply = await fetch(`${url}/admin/campaigns/${encodeURIComponent(campaign.id)}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      body: text,
    });
    const answer = await reply.text();
    if (!reply.ok) {
      throw new Error(`${path} was refused with ${reply.status}: ${answer}\n(--empty starts without the samples)`);
    }
    campaigns.push(campaign);
  }
  if (campaigns.length > 0) {
    console.error(`    published ${campaigns.length} sample campaigns of ${FOLDER}/`);
  }
  return campaigns;
}

/** A command to try first: an inquiry as GoTab sends it, with a code that the samples have. */
export function firstCommand(url, settings, campaigns) {
  // One that any tab can use; the README begins with it too.
  const first = campaigns.find((campaign) => campaign.id === "summer-2026");
  const code = first?.codes?.fixed?.[0];
  if (!code) {
    return `try: curl -s ${url}/healthz`;
  }
  const inquiry = {
    event_type: "INQUIRE",
    location_id: "1019",
    lookup_value: code,
    tab_data: {
      tab_id: "14165",
      location_id: "1019",
      status: "PENDING",
      subtotal: 2400,
      total: 2400,
      items: [{ id: "1", sku: "BURGER", name: "Burger", category: "food", quantity: 2, unit_price: 1200 }],
    },
  };
  // The secret may be several with commas between them, for rotation: any one will do.
  const secret = (settings.GOTAB_PROMO_AUTH ?? "").split(",")[0];
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  return (
    `try: curl -s ${url}/gotab/promo -H ${quoted(`Authorization: ${secret}`)}` +
    ` -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(inquiry))}`
  );
}
