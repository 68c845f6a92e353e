//! `cargo xtask TASK`: see `USAGE`.

use std::process::ExitCode;

use anyhow::Result;
use lexopt::{Arg, Parser};
use xtask::{bench, build, check, deploy, dev, fuzz, report::say, setup, stamp};

const USAGE: &str = "\
cargo xtask TASK

  setup    make this machine fit to build and run; nothing to do takes no time
  build    the deployable in build/
             --quick      compiled in seconds, runs slower: to try things out
  dev      set-up, build, and the service on the real runtime (workerd)
             --port N     port on 127.0.0.1 (8787)
             --state DIR  where KV and Durable Objects are kept (.state)
             --empty      do not load the campaigns of examples/
             --quick      as for build
  test     everything CI runs
             --long       also the tests that take minutes
  bench    what a checkout costs, in Wasm instructions
             --functions  and where they go
             --load       redemptions a second on one object, against a floor
  fuzz     libFuzzer on campaign, cart or simulate, until it is stopped or finds something;
           further arguments go to it, as in `fuzz cart -max_total_time=60`
  deploy   build and `wrangler deploy`; further arguments go to wrangler";

fn main() -> ExitCode {
    match task(&mut Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("\nerror: {error}"));
            for cause in error.chain().skip(1) {
                say(format_args!("  {cause}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn task(parser: &mut Parser) -> Result<()> {
    let task = match parser.next()? {
        Some(Arg::Value(task)) => task.to_string_lossy().into_owned(),
        None | Some(Arg::Long("help") | Arg::Short('h')) => "help".to_owned(),
        Some(other) => return Err(other.unexpected().into()),
    };
    match task.as_str() {
        "setup" => {
            no_more(parser)?;
            let _lock = stamp::lock()?;
            setup::ensure()?;
            say(format_args!("ready to build and run"));
            Ok(())
        }
        "build" => {
            let mut profile = build::Profile::default();
            while let Some(arg) = parser.next()? {
                match arg {
                    Arg::Long("quick") => profile = build::Profile::Quick,
                    other => return Err(other.unexpected().into()),
                }
            }
            build::with_setup(profile)
        }
        "dev" => dev::dev(parser),
        "test" => {
            let mut long = false;
            while let Some(arg) = parser.next()? {
                match arg {
                    Arg::Long("long") => long = true,
                    other => return Err(other.unexpected().into()),
                }
            }
            check::all(long)
        }
        "bench" => bench::bench(&parser.raw_args()?.collect::<Vec<_>>()),
        "fuzz" => fuzz::fuzz(&parser.raw_args()?.collect::<Vec<_>>()),
        "deploy" => deploy::deploy(&parser.raw_args()?.collect::<Vec<_>>()),
        "help" => {
            say(format_args!("{USAGE}"));
            Ok(())
        }
        unknown => anyhow::bail!("no task {unknown:?}\n\n{USAGE}"),
    }
}

fn no_more(parser: &mut Parser) -> Result<()> {
    match parser.next()? {
        None => Ok(()),
        Some(arg) => Err(arg.unexpected().into()),
    }
}
