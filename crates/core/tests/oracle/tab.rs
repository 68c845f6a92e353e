//! The tab: each unit by itself, with its price, what is left of it, and its floor.

use serde_json::{Value, json};

use super::list;

/// One burger of a line of three, one fee, or the subtotal of a cart without lines.
#[derive(Clone, Debug)]
pub struct Unit {
    pub price: i64,
    pub left: i64,
    pub floor: i64,
}

impl Unit {
    /// What a discount can still take.
    //> nothing goes below zero or below its floor
    pub fn room(&self) -> i64 {
        (self.left - self.floor).max(0)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Line,
    Fee,
    /// A cart without lines: its subtotal, as one unit.
    Subtotal,
}

/// A line, a fee, or the subtotal of a cart without lines.
#[derive(Clone, Debug)]
pub struct Thing {
    pub kind: Kind,
    pub json: Value,
    pub units: Vec<Unit>,
}

/// One unit of the tab: which thing, and which of its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub thing: usize,
    pub unit: usize,
}

/// How much is taken off a unit.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    pub at: At,
    pub amount: i64,
}

#[derive(Clone, Debug)]
pub struct Tab {
    /// Cart order, lines before fees.
    pub things: Vec<Thing>,
    /// The subtotal that conditions believe, before any discount.
    pub subtotal: i64,
    /// What all discounts on lines together may come to.
    pub lines_stop_at: i64,
    /// What discounts on lines have come to.
    pub taken_off_lines: i64,
}

impl Tab {
    pub fn from_cart(cart: &Value) -> Tab {
        let mut things = Vec::new();
        for line in list(&cart["lines"]) {
            let price = line["unit_price"].as_i64().unwrap();
            //> `min_unit_price` (optional) is a floor that no discount takes a unit of that line below.
            let floor = line["min_unit_price"].as_i64().unwrap_or(0);
            let unit = Unit { price, left: price, floor };
            let quantity = usize::try_from(line["quantity"].as_i64().unwrap()).unwrap();
            things.push(Thing {
                kind: Kind::Line,
                json: line.clone(),
                units: vec![unit; quantity],
            });
        }
        let sum_of_lines: i64 =
            things.iter().flat_map(|line| &line.units).map(|unit| unit.price).sum();

        //> `subtotal` may be absent when there are lines (it is their sum).
        let subtotal = cart["subtotal"].as_i64().unwrap_or(sum_of_lines);
        let mut lines_stop_at = subtotal;
        if things.is_empty() {
            //> where the cart has no lines, its `subtotal` as one unit
            things.push(Thing {
                kind: Kind::Subtotal,
                json: json!({}),
                units: vec![Unit { price: subtotal, left: subtotal, floor: 0 }],
            });
        } else {
            //> Where both are there and differ, […] all discounts on lines together stop at the smaller of the two
            lines_stop_at = subtotal.min(sum_of_lines);
        }

        for fee in list(&cart["fees"]) {
            //> (a fee is one unit)
            let price = fee["amount"].as_i64().unwrap();
            things.push(Thing {
                kind: Kind::Fee,
                json: fee.clone(),
                units: vec![Unit { price, left: price, floor: 0 }],
            });
        }
        Tab { things, subtotal, lines_stop_at, taken_off_lines: 0 }
    }

    pub fn unit(&self, at: At) -> &Unit {
        &self.things[at.thing].units[at.unit]
    }

    /// Whether the unit is one of a line (or the subtotal that stands for lines).
    pub fn of_a_line(&self, at: At) -> bool {
        self.things[at.thing].kind != Kind::Fee
    }

    /// All units of a thing, first to last.
    pub fn units_of(&self, thing: usize) -> Vec<At> {
        (0..self.things[thing].units.len()).map(|unit| At { thing, unit }).collect()
    }

    //> "remaining" (after the offers applied before this one)
    pub fn remaining_subtotal(&self) -> i64 {
        self.subtotal - self.taken_off_lines
    }

    //> Kept for each unit; each discount sees what the ones before it left
    pub fn take(&mut self, takes: &[Take]) {
        for take in takes {
            assert!(take.amount >= 0 && take.amount <= self.unit(take.at).room());
            self.things[take.at.thing].units[take.at.unit].left -= take.amount;
            if self.of_a_line(take.at) {
                self.taken_off_lines += take.amount;
            }
        }
        assert!(self.taken_off_lines <= self.lines_stop_at);
    }
}

/// What takes on some units come to.
pub fn sum(takes: &[Take]) -> i64 {
    takes.iter().map(|take| take.amount).sum()
}
