//! `promo numbers`: the numbers of cards and coupons, made and uploaded. One file a command.

use std::process::ExitCode;

mod make;
mod push;

/// Make the numbers of cards and coupons, and upload them
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Make(make::Arguments),
    Push(push::Arguments),
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Make(arguments) => make::run(arguments),
        Command::Push(arguments) => push::run(arguments),
    }
}
