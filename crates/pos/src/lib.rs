//! Point-of-sale wires to the words of `promo-core` and back. Pure: bytes in, bytes out.
//!
//! One module a POS; a new one is a file here and a route in the Worker. What a vendor's public
//! reference does not say is assumed in that vendor's module and nowhere else, so that the full
//! reference, once a partner has it, changes one file.

pub mod gotab;
pub mod neutral;
