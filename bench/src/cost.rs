//! What a checkout costs, step by step.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    cases::{Case, Of},
    engine::Rules,
};

/// What a checkout costs, in Wasm instructions and pages of memory.
pub struct Cost {
    /// Reading, checking and compiling the campaigns: done when they change, not at a checkout.
    pub campaigns: u64,
    /// Reading and checking the cart.
    pub cart: u64,
    /// Deciding which offers apply and what they take off which line.
    pub decide: u64,
    /// Reading the cart and deciding, as wasmtime 48 counts its fuel.
    pub checkout_fuel: u64,
    /// Writing all that as JSON.
    pub reply: u64,
    /// How much memory the instance has in the end, in pages of 64 KiB.
    pub pages: u64,
    /// How many bytes of JSON the cart is.
    pub cart_bytes: usize,
    /// How many bytes of JSON the reply is.
    pub reply_bytes: usize,
    /// Which offers apply.
    pub applied: usize,
    /// The functions that reading the cart and deciding went to, most first.
    pub by_function: Vec<(String, u64)>,
}

impl Cost {
    /// Of a checkout: reading the cart and deciding.
    pub fn checkout(&self) -> u64 {
        self.cart.saturating_add(self.decide)
    }

    /// What a limit is on.
    pub fn limited(&self, of: Of) -> u64 {
        match of {
            Of::CartAndDecide => self.checkout(),
            Of::Decide => self.decide,
        }
    }

    /// Counts a case.
    ///
    /// # Errors
    /// When the rules find a fault in it.
    pub fn of(case: &Case, rules: &Rules) -> Result<Self> {
        let request = serde_json::to_vec(&case.request)?;
        let cart_json = serde_json::to_vec(part(&case.request, "cart")?)?;
        let asked = part(&case.request, "campaigns")?.as_array().context("no list of campaigns")?;

        let mut run = rules.start()?;
        run.fine_step("ask", &request)?;
        let mut campaigns = 0_u64;
        for campaign in asked {
            let step = run.fine_step("campaign", &serde_json::to_vec(campaign)?)?;
            campaigns = campaigns.saturating_add(step.instructions);
        }
        let before = run.counts();
        let cart = run.fine_step("cart", &cart_json)?;
        let decide = run.fine_step("decide", &[])?;
        let mut by_function: Vec<(String, u64)> = std::iter::zip(run.counts(), before)
            .map(|(after, before)| after.saturating_sub(before))
            .zip(rules.functions())
            .map(|(count, name)| (name.clone(), count))
            .collect();
        by_function.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let pages = run.pages();
        // The step decides once more; what it takes beyond that is the reply.
        let replied = run.fine_step("reply", &[])?;
        let reply: Value = serde_json::from_slice(&replied.output)?;
        Ok(Self {
            campaigns,
            cart: cart.instructions,
            decide: decide.instructions,
            checkout_fuel: cart.fuel.saturating_add(decide.fuel),
            reply: replied.instructions.saturating_sub(decide.instructions),
            pages,
            cart_bytes: cart_json.len(),
            reply_bytes: replied.output.len(),
            applied: part(&reply, "offers")?.as_array().map_or(0, Vec::len),
            by_function,
        })
    }
}

fn part<'v>(value: &'v Value, key: &str) -> Result<&'v Value> {
    value.get(key).with_context(|| format!("no {key:?}"))
}
