//! Checkouts to count: a cart as a restaurant's POS sends it, and offers as its marketers write them.

use serde_json::{Value, json};

/// A checkout.
pub struct Case {
    /// What it is called.
    pub name: &'static str,
    /// The request: campaigns, cart, time and place.
    pub request: Value,
    /// The most instructions it may take, and of what.
    pub limit: Option<(u64, Of)>,
}

/// What a limit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Reading the cart and deciding, together.
    CartAndDecide,
    /// Deciding alone, whatever reading a cart that long takes.
    Decide,
}

/// A menu: category, article, price of one, tags.
const MENU: [(&str, &str, u64, &[&str]); 24] = [
    ("burgers", "Double Smash Burger, Aged Cheddar", 1450, &["beef", "signature"]),
    ("burgers", "Crispy Chicken Burger", 1290, &["chicken"]),
    ("burgers", "Beyond Burger", 1390, &["vegetarian"]),
    ("pizza", "Pizza Margherita", 1150, &["vegetarian"]),
    ("pizza", "Pizza Prosciutto e Funghi", 1395, &["pork"]),
    ("pizza", "Pizza Quattro Formaggi", 1425, &["vegetarian", "signature"]),
    ("salads", "Caesar Salad with Grilled Chicken", 1195, &["chicken"]),
    ("salads", "Quinoa & Roasted Beetroot Salad", 1095, &["vegan", "gluten-free"]),
    ("sides", "Sweet Potato Fries", 545, &["vegan"]),
    ("sides", "Onion Rings (8 pieces)", 495, &["vegetarian"]),
    ("sides", "Loaded Nachos with Jalape\u{f1}os", 895, &["vegetarian", "spicy"]),
    ("kids", "Kids' Pasta Pomodoro", 695, &["vegetarian"]),
    ("desserts", "Cr\u{e8}me Br\u{fb}l\u{e9}e", 745, &["vegetarian", "gluten-free"]),
    ("desserts", "New York Cheesecake", 795, &["vegetarian"]),
    ("desserts", "Two Scoops of Gelato", 550, &["gluten-free"]),
    ("soft-drinks", "San Pellegrino 0.75 l", 650, &["bottle"]),
    ("soft-drinks", "Homemade Lemonade", 475, &["vegan"]),
    ("coffee", "Flat White, Oat Milk", 435, &["vegan"]),
    ("coffee", "Espresso Macchiato", 325, &[]),
    ("beer", "IPA Draft 16 oz", 850, &["alcohol", "draft"]),
    ("beer", "Pilsner Bottle 12 oz", 650, &["alcohol", "bottle"]),
    ("wine", "Pinot Noir, Willamette Valley, Glass", 1350, &["alcohol", "glass"]),
    ("wine", "Sauvignon Blanc, Marlborough, Bottle", 4800, &["alcohol", "bottle"]),
    ("cocktails", "Old Fashioned", 1475, &["alcohol", "signature"]),
];

/// A cart of so many lines.
pub fn cart(lines: usize) -> Value {
    let mut subtotal = 0_u64;
    let lines: Vec<Value> = (1_usize..)
        .zip(MENU.iter().cycle())
        .take(lines)
        .map(|(number, (category, name, price, tags))| {
            // Mostly one or two of a thing, sometimes a round for the table.
            let quantity =
                [1_u64, 2, 1, 1, 3, 1, 2, 6].into_iter().cycle().nth(number).unwrap_or(1);
            subtotal = subtotal.saturating_add(price.saturating_mul(quantity));
            let food = !tags.contains(&"alcohol") && !["soft-drinks", "coffee"].contains(category);
            json!({
                "id": format!("line-{number}"),
                "sku": format!("{}-{:03}", category.to_uppercase(), number % 60),
                "name": name,
                "category": [if food { "food" } else { "drinks" }, category],
                "tag": tags,
                "quantity": quantity,
                "unit_price": price,
            })
        })
        .collect();
    let tax = subtotal / 12;
    json!({
        "tab_id": "O2oFAC7fXeYNEWmmOBFZr_4S",
        "location_id": "1019",
        "currency": "USD",
        "channel": "qr",
        "lines": lines,
        "fees": [
            { "id": "service", "kind": "service", "amount": subtotal / 50 },
            { "id": "delivery", "kind": "delivery", "amount": 490 },
        ],
        "subtotal": subtotal,
        "tax": tax,
        "total": subtotal.saturating_add(tax).saturating_add(subtotal / 50).saturating_add(490),
        "customer": { "id": "guest-48213", "phone": "+16085550100", "email": "guest@mail.example",
            "tag": ["vip", "newsletter"], "tier": "gold", "first_order": false, "orders": 17 },
    })
}

/// The checkouts of the table.
///
/// # Errors
/// When the campaigns beside this file are no JSON.
pub fn all() -> serde_json::Result<Vec<Case>> {
    let one: Value = serde_json::from_str(include_str!("../cases/one-offer.json"))?;
    let many: Value = serde_json::from_str(include_str!("../cases/25-offers.json"))?;
    let case = |name, lines, campaign: &Value, limit| Case {
        name,
        request: json!({
            "campaigns": [campaign],
            "cart": cart(lines),
            "at": "2026-07-03T17:30:00-05:00",
            "location": { "timezone": "America/Chicago", "tag": ["airport", "bar"] },
        }),
        limit,
    };
    Ok(vec![
        case("5 lines, 1 offer", 5, &one, Some((60_000, Of::CartAndDecide))),
        case("20 lines, 25 offers", 20, &many, None),
        case("200 lines, 1 offer", 200, &one, None),
        case("200 lines, 25 offers", 200, &many, Some((1_100_000, Of::Decide))),
    ])
}
