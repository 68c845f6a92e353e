//! `cargo xtask bench [--functions]`: what a checkout costs.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::process::ExitCode;

use anyhow::{Result, bail};
use promo_bench::{
    cases::{self, Case, Of},
    cost::Cost,
    engine::Rules,
};

/// How many functions of each case are shown.
const SHOWN: usize = 25;

fn main() -> Result<ExitCode> {
    let mut functions = false;
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--functions" => functions = true,
            other => bail!("no option {other:?}; there is --functions, where the instructions go"),
        }
    }
    let rules = Rules::build()?;
    let mut within = true;
    println!(
        "Wasm instructions; `fuel` is cart + decide as wasmtime counts, which adds calls and bytes moved.\n"
    );
    println!(
        "{:<22} {:>10} {:>9} {:>9} {:>13} {:>15} {:>9} {:>9}  {:>7} {:>7}  {:>5}",
        "case",
        "campaigns",
        "cart",
        "decide",
        "cart + decide",
        "limit",
        "fuel",
        "reply",
        "cart B",
        "reply B",
        "pages"
    );
    for case in cases::all()? {
        let cost = Cost::of(&case, &rules)?;
        print_row(&case, &cost);
        within &= case.limit.is_none_or(|(limit, of)| cost.limited(of) <= limit);
        if functions {
            print_functions(&cost);
        }
    }
    Ok(if within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_row(case: &Case, cost: &Cost) {
    println!(
        "{:<22} {:>10} {:>9} {:>9} {:>13} {:>15} {:>9} {:>9}  {:>7} {:>7}  {:>5}",
        case.name,
        cost.campaigns,
        cost.cart,
        cost.decide,
        cost.checkout(),
        limit_shown(case),
        cost.checkout_fuel,
        cost.reply,
        cost.cart_bytes,
        cost.reply_bytes,
        cost.pages,
    );
}

fn limit_shown(case: &Case) -> String {
    match case.limit {
        None => String::new(),
        Some((limit, Of::CartAndDecide)) => format!("{limit} both"),
        Some((limit, Of::Decide)) => format!("{limit} decide"),
    }
}

fn print_functions(cost: &Cost) {
    println!();
    for (function, count) in cost.by_function.iter().take(SHOWN) {
        println!("  {count:>10}  {function}");
    }
    println!();
}
