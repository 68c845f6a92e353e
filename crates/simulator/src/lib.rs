//! A seeded world in which the promises of the ledger are proven: tests only.
//!
//! The real flows (`promo_core::checkout`) and the real machines (`promo_core::ledger`) run here
//! among things that go wrong: messages are lost before or after they took effect, delayed beyond
//! every time-out, overtaken and doubled; objects and edges die; catalogues are stale or silent;
//! clocks differ. All of it is decided by one number, the seed: the same seed is the same history,
//! on every machine and for ever.
//!
//! Where what is:
//! - [`plan`]: what a seed means: campaigns, tabs, what the tills do when, and what goes wrong;
//! - [`sim`]: a virtual clock and an executor of one thread; [`world`]: the objects and the network
//!   around them; [`edge`]: the checkout's `Ports`; [`till`]: who asks and remembers the answers;
//! - [`count`]: what every counter should say, recomputed from what stands; [`check`]: the promises,
//!   after every turn; [`end`]: the promises when all is quiet; [`probe`]: guests who then still ask;
//! - [`limits`]: what is not promised, each limit a test; [`load`]: what a divided ledger costs its root;
//! - [`carts`]: a world of its own for carts with lines and campaigns of every kind, in which nothing is
//!   lost, and every answer is known beforehand;
//! - [`issuance`]: a world of its own for the pools of cards and coupons;
//! - [`bug`]: deliberate faults, each of which the checks must catch;
//! - [`run`]: one seed from plan to verdict, and the shortest history that still fails.
//!
//! Half of the campaigns here are divided over several objects, and change how. No check looks at
//! anything but what stands and what is counted over all objects of a campaign; only when an owner says
//! that there is no more, the checks look whether anybody holds a right.

#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        reason = "the simulation's own sums are small, and a test that overflows should fail"
    )
)]

#[cfg(test)]
mod bug;
#[cfg(test)]
mod carts;
#[cfg(test)]
mod check;
#[cfg(test)]
mod count;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod end;
#[cfg(test)]
mod history;
#[cfg(test)]
mod issuance;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod load;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod run;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod till;
#[cfg(test)]
mod world;
