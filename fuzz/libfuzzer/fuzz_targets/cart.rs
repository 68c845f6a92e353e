#![no_main]

libfuzzer_sys::fuzz_target!(|json: &[u8]| promo_fuzz::cart(json));
