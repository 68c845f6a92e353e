//! `promo numbers make`: EAN-13 numbers of our own, of the range GS1 leaves to a shop.

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use promo_core::{
    ident::TypeCode,
    issuance::gs1::{SERIALS, in_store_ean13},
};

use crate::shell;

/// Print EAN-13 numbers for an instrument type, one a line, to be pushed
///
/// Each is an in-store prefix (20 to 29), the type's code, a serial of six digits and the check digit, so
/// the numbers of two types never meet. The same command prints the same numbers.
#[derive(clap::Args)]
pub struct Arguments {
    /// The instrument type's code, as in 1234
    #[arg(long = "type", value_name = "CODE", value_parser = TypeCode::parse)]
    code: TypeCode,
    /// How many
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=SERIALS))]
    count: u64,
    /// The in-store prefix
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(20..=29))]
    prefix: u8,
    /// The first serial
    #[arg(long, default_value_t = 0, value_name = "SERIAL")]
    from: u64,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { code, count, prefix, from } = arguments;
    let end = from.saturating_add(*count);
    if end > SERIALS {
        return shell::fail(&format!(
            "a prefix holds {SERIALS} numbers of a type: there are none from serial {SERIALS} on; \
             use another --prefix"
        ));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut numbers = (*from..end).filter_map(|serial| in_store_ean13(*prefix, code, serial));
    let written = numbers.try_for_each(|number| writeln!(out, "{number}"));
    match written.and_then(|()| out.flush()) {
        // A reader that has had enough is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => shell::fail(&error.to_string()),
        _ => ExitCode::SUCCESS,
    }
}
