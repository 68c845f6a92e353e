//! GoTab: its Promo API ([`promo`]), its Loyalty API ([`loyalty`]), and what they share ([`envelope`]).
//!
//! **Known** from GoTab's public reference: the transport, the names of the events, the INQUIRE
//! body, the INQUIRE reply up to `type`, the statuses 200, 404 and 400. **Assumed**: everything
//! else; each assumption stands beside the code that makes it.

pub mod envelope;
mod items;
pub mod loyalty;
mod offer_ids;
mod paid;
pub mod promo;
pub mod wire;
