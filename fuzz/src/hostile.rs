//! Inputs that somebody might send to keep us busy, as long as one likes.

/// An input, and which step of the rules it is meant for.
pub struct Hostile {
    /// What it tries.
    pub name: String,
    /// `campaign`, `cart` or `simulate`.
    pub step: &'static str,
    /// Whether it has lines of a million units, which may cost a lot however short it is.
    pub many_units: bool,
    /// The input.
    pub json: Vec<u8>,
}

/// Everything we could think of, each input about this many bytes.
pub fn all(bytes: usize) -> Vec<Hostile> {
    let mut all = shapes(bytes);
    all.extend(carts(bytes));
    all.extend(campaigns(bytes));
    all.extend(requests(bytes));
    all
}

fn hostile(name: impl Into<String>, step: &'static str, json: String) -> Hostile {
    Hostile { name: name.into(), step, many_units: json.contains(UNITS), json: json.into_bytes() }
}

/// JSON that is nothing in particular.
fn shapes(bytes: usize) -> Vec<Hostile> {
    let shapes = [
        ("deep lists", "[".repeat(bytes)),
        ("deep objects", fill("", "{\"a\":", "", "", bytes)),
        ("deep lists in an unknown key", fill("{\"x\":", "[", "", "", bytes)),
        ("a long number", fill("{\"subtotal\":", "9", "", "}", bytes)),
        ("a long fraction", fill("{\"subtotal\":0.", "9", "", "}", bytes)),
        ("a long exponent", fill("{\"subtotal\":1e", "9", "", "}", bytes)),
        ("a long text", fill("{\"id\":\"", "x", "", "\"}", bytes)),
        ("a text of escapes", fill("{\"id\":\"", "\\u00e9", "", "\"}", bytes)),
        ("a long key", fill("{\"", "x", "", "\":1}", bytes)),
        ("one key again and again", fill("{", "\"id\":\"a\"", ",", "}", bytes)),
        ("white space", fill("", " ", "", "", bytes)),
        ("half a text", fill("{\"id\":\"", "x", "", "", bytes)),
        ("bytes that are no text", fill("{\"id\":\"", "\u{10ffff}", "", "\"}", bytes)),
    ];
    let steps = ["campaign", "cart", "simulate"];
    shapes
        .into_iter()
        .flat_map(|(name, json)| steps.map(|step| hostile(name, step, json.clone())))
        .collect()
}

fn cart(lines: &str, bytes: usize) -> String {
    fill("{\"currency\":\"USD\",\"lines\":[", lines, ",", "]}", bytes)
}

/// Carts with much in them, sound and not.
fn carts(bytes: usize) -> Vec<Hostile> {
    [
        ("empty lines", cart("{}", bytes)),
        ("lines that are numbers", cart("1", bytes)),
        ("lines of one id", cart("{\"id\":\"1\",\"quantity\":1,\"unit_price\":1}", bytes)),
        ("short lines", cart("{\"id\":\"#\",\"quantity\":1,\"unit_price\":1}", bytes)),
        (
            "lines that overflow together",
            cart("{\"id\":\"#\",\"quantity\":1000000000,\"unit_price\":1000000000}", bytes),
        ),
        ("lines in texts with escapes", cart("{\"id\":\"\\u0031#\",\"quantity\":1,\"unit_price\":1}", bytes)),
        ("fees of one id", fill("{\"currency\":\"USD\",\"fees\":[", FEE, ",", "]}", bytes)),
        (
            "a line in many categories",
            fill(
                "{\"currency\":\"USD\",\"lines\":[{\"id\":\"1\",\"quantity\":1,\"unit_price\":1,\"category\":[",
                "\"c#\"",
                ",",
                "]}]}",
                bytes,
            ),
        ),
    ]
    .into_iter()
    .map(|(name, json)| hostile(name, "cart", json))
    .collect()
}

const FEE: &str = "{\"id\":\"d\",\"kind\":\"delivery\",\"amount\":1}";
const HEAD: &str = "{\"id\":\"c\",\"name\":\"C\",\"currency\":\"USD\",";
const PERCENT: &str = "\"discount\":{\"percent\":\"1\"}";

fn offer(rest: &str) -> String {
    format!("{{\"id\":\"o#\",\"name\":\"O\",\"description\":\"\",{rest}}}")
}

/// A campaign of one offer, which gets long.
fn long_offer(before: &str, part: &str, between: &str, after: &str, bytes: usize) -> String {
    let head = format!(
        "{HEAD}\"codes\":{{\"none\":true}},\"offers\":[{{\"id\":\"o\",\"name\":\"O\",\"description\":\"\",{before}"
    );
    fill(&head, part, between, &format!("{after}}}]}}"), bytes)
}

/// The rest of a campaign after its codes.
fn one_offer() -> String {
    format!("]}},\"offers\":[{}]}}", offer(PERCENT).replace('#', ""))
}

fn campaign(offer: &str, bytes: usize) -> String {
    let head = format!("{HEAD}\"codes\":{{\"none\":true}},\"combines_with\":\"any\",\"offers\":[");
    fill(&head, offer, ",", "]}", bytes)
}

fn campaigns(bytes: usize) -> Vec<Hostile> {
    let codes = |code: &str| {
        let head = format!("{HEAD}\"codes\":{{\"fixed\":[");
        fill(&head, code, ",", &one_offer(), bytes)
    };
    [
        ("many offers", campaign(&offer(PERCENT), bytes)),
        ("offers of one id", campaign(&offer(PERCENT).replace('#', ""), bytes)),
        ("empty offers", campaign("{}", bytes)),
        (
            "many exclusive offers",
            campaign(&offer(&format!("\"stacking\":\"exclusive\",{PERCENT}")), bytes),
        ),
        ("each offer its group", campaign(&offer(&format!("\"group\":\"g#\",{PERCENT}")), bytes)),
        ("all offers in one group", campaign(&offer(&format!("\"group\":\"g\",{PERCENT}")), bytes)),
        ("many codes", codes("\"CODE#\"")),
        ("codes that normalise long", codes("\"\u{fdfa}#\"")),
        (
            "a code that normalises long",
            fill("{\"codes\":{\"fixed\":[\"", "\u{fdfa}", "", "\"]}}", bytes),
        ),
        (
            "a long condition",
            long_offer(
                "\"when\":{\"any\":[",
                "{\"location\":[\"#\"]}",
                ",",
                &format!("]}},{PERCENT}"),
                bytes,
            ),
        ),
        (
            "a deep condition",
            long_offer("\"when\":", "{\"not\":", "", &format!("{{}},{PERCENT}"), bytes),
        ),
        (
            "many tiers",
            long_offer(
                "\"discount\":{\"tiers\":[",
                "{\"from\":#,\"percent\":\"1\"}",
                ",",
                "]}",
                bytes,
            ),
        ),
        (
            "a bundle of many",
            long_offer(
                "\"discount\":{\"bundle\":[",
                "{\"items\":{},\"quantity\":1}",
                ",",
                "],\"price\":1}",
                bytes,
            ),
        ),
        (
            "a target of many",
            long_offer(
                "\"discount\":{\"percent\":\"1\",\"on\":{\"any_of\":[",
                "{\"items\":{\"sku\":[\"#\"]}}",
                ",",
                "]}}",
                bytes,
            ),
        ),
        ("a long percentage", long_offer("\"discount\":{\"percent\":\"", "0", "", "1\"}", bytes)),
        (
            "many dates",
            long_offer(
                "\"when\":{\"dates\":[",
                "[\"2026-07-04\",\"2026-07-05\"]",
                ",",
                &format!("]}},{PERCENT}"),
                bytes,
            ),
        ),
    ]
    .into_iter()
    .map(|(name, json)| hostile(name, "campaign", json))
    .collect()
}

const LINE: &str =
    "{\"id\":\"#\",\"sku\":\"s#\",\"category\":[\"c\"],\"quantity\":3,\"unit_price\":101}";
const UNITS: &str = "\"quantity\":1000000,";
const HUGE: &str = "{\"id\":\"#\",\"sku\":\"s#\",\"quantity\":1000000,\"unit_price\":101}";

/// Half campaigns and half cart, each of which makes the other dear.
fn requests(bytes: usize) -> Vec<Hostile> {
    let half = bytes / 2;
    let buy_get = |pick: &str| {
        offer(&format!(
            "\"discount\":{{\"buy\":{{\"items\":{{}},\"quantity\":2}},\"get\":{{\"items\":{{}},\"quantity\":1,\"percent\":\"33.3333\"}},\"pick\":\"{pick}\"}}"
        ))
    };
    let fields = [
        ("percent of everything", offer(PERCENT), LINE),
        ("amount over everything", offer("\"discount\":{\"amount\":7}"), LINE),
        (
            "units one by one",
            offer("\"discount\":{\"amount_each\":1,\"max_units\":7,\"max_units_per_line\":2}"),
            HUGE,
        ),
        ("per cent by the unit", offer("\"discount\":{\"percent\":\"0.7\",\"max\":77}"), HUGE),
        (
            "exclusive offers worth nothing",
            offer("\"stacking\":\"exclusive\",\"discount\":{\"unit_price\":999}"),
            LINE,
        ),
        ("a group of all", offer("\"group\":\"g\",\"discount\":{\"percent\":\"1\"}"), LINE),
        ("buy and get, cheapest", buy_get("cheapest"), HUGE),
        ("buy and get, dearest", buy_get("dearest"), LINE),
        (
            "bundles",
            offer(
                "\"discount\":{\"bundle\":[{\"items\":{},\"quantity\":2},{\"items\":{},\"quantity\":3}],\"price\":1}",
            ),
            HUGE,
        ),
        (
            "bundles without a saving",
            offer("\"discount\":{\"bundle\":[{\"items\":{},\"quantity\":1}],\"price\":1000000}"),
            HUGE,
        ),
        ("the cheapest of all", offer("\"discount\":{\"cheapest\":1000,\"percent\":\"50\"}"), HUGE),
        (
            "conditions on what remains",
            offer(&format!(
                "\"when\":{{\"subtotal\":{{\"min\":1,\"of\":\"remaining\"}}}},{PERCENT}"
            )),
            LINE,
        ),
        (
            "matchers of their own",
            offer(
                "\"discount\":{\"percent\":\"1\",\"on\":{\"items\":{\"sku\":[\"s#\",\"s1\",\"s2\"],\"not\":{\"tag\":[\"t#\"]}}}}",
            ),
            LINE,
        ),
        (
            "different skus",
            offer(&format!(
                "\"when\":{{\"items\":{{\"match\":{{}},\"min_different\":2}}}},{PERCENT}"
            )),
            LINE,
        ),
    ];
    let mut requests: Vec<Hostile> = fields
        .into_iter()
        .map(|(name, offer, line)| {
            hostile(name, "simulate", request(&campaign(&offer, half), &cart(line, half), "null"))
        })
        .collect();
    let skus = long_offer(
        "\"discount\":{\"percent\":\"1\",\"on\":{\"items\":{\"sku\":[",
        "\"t#\"",
        ",",
        "]}}}",
        half,
    );
    requests.push(hostile("a long matcher", "simulate", request(&skus, &cart(LINE, half), "null")));
    let locations =
        long_offer("\"when\":{\"location\":[", "\"t#\"", ",", &format!("]}},{PERCENT}"), half);
    requests.push(hostile(
        "a long place",
        "simulate",
        request(&locations, &cart(LINE, half), "null"),
    ));

    let small = cart(LINE, 0);
    let codes = fill("[", "\"CODE#\"", ",", "]", half);
    let known =
        fill(&format!("{HEAD}\"codes\":{{\"fixed\":["), "\"CODE#\"", ",", &one_offer(), half);
    requests.push(hostile("many codes typed", "simulate", request(&known, &small, &codes)));
    let tiny = HEAD.replace("\"c\"", "\"c#\"") + "\"codes\":{\"fixed\":[\"CODE#\"" + &one_offer();
    let many = fill("", &tiny, ",", "", half);
    requests.push(hostile("many campaigns", "simulate", request(&many, &small, &codes)));
    requests
}

fn request(campaigns: &str, cart: &str, codes: &str) -> String {
    let codes = if codes == "null" { String::new() } else { format!("\"codes\":{codes},") };
    format!(
        "{{\"campaigns\":[{campaigns}],{codes}\"cart\":{cart},\"at\":\"2026-07-04T17:30:00-05:00\"}}"
    )
}

/// `before`, then `part` as often as fits, `#` being its number, then `after`.
fn fill(before: &str, part: &str, between: &str, after: &str, bytes: usize) -> String {
    let mut json = before.to_owned();
    for number in 1_u64.. {
        json.push_str(&part.replace('#', &number.to_string()));
        if json.len().saturating_add(after.len()) >= bytes {
            break;
        }
        json.push_str(between);
    }
    json.push_str(after);
    json
}
