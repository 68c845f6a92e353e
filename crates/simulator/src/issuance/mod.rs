//! The pool of an instrument type, among wallets that fail in every way, deaths between any two steps,
//! notifications that come again, and operators who retry, dismiss and block.

mod books;
mod cost;
mod seeds;
