//! `promo`: the command line for those who write campaigns. One file a command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod codes;
mod lint;
mod numbers;
mod service;
mod shell;
mod simulate;
mod table;

/// Check campaigns, and see what they do to a cart.
#[derive(Parser)]
#[command(name = "promo", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Lint(lint::Arguments),
    Simulate(simulate::Arguments),
    Codes(codes::Arguments),
    Numbers(numbers::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Codes(arguments) => codes::run(&arguments),
        Command::Numbers(arguments) => numbers::run(&arguments),
    }
}
