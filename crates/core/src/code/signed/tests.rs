//! Signed codes: that they prove themselves, that nothing else does, and that they never change.

use std::collections::BTreeSet;

use super::*;

const KEYS: &str = "1:first-secret,2:second-secret,31:last-secret";

fn id(text: &str) -> CampaignId {
    CampaignId::parse(text).unwrap()
}

fn keys(text: &str) -> Keys {
    Keys::parse(text).unwrap()
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

fn code(text: &str) -> CanonicalCode {
    CanonicalCode::parse(text).unwrap()
}

fn made(version: u8, serial: u32) -> String {
    let version = KeyVersion::new(version).unwrap();
    let smr = prefix("SMR");
    Mint::of(&keys(KEYS), version, &id("summer"), &smr).unwrap().shown(serial)
}

/// What the campaign `summer` with all 2^30 codes says of a text.
fn proven(text: &str) -> Result<Proven, NotProven> {
    let signed = Signed::read(&code(text)).ok_or(NotProven::WrongTag)?;
    signed.prove(&keys(KEYS), &id("summer"), &prefix("SMR"), MOST)
}

/// Serials of every size, and both ends.
fn serials() -> impl Iterator<Item = u32> {
    let most = (1_u32 << SERIAL_BITS) - 1;
    let spread = (0..300_u32).map(move |n| n.wrapping_mul(0x9e37_79b9) & most);
    (0..300).chain(most - 300..=most).chain(spread)
}

#[test]
fn every_code_of_every_key_proves_itself_and_says_its_serial() {
    for version in [1, 2, 31] {
        for serial in serials() {
            let text = made(version, serial);
            let proof = proven(&text).unwrap();
            assert_eq!((proof.serial, proof.key.get()), (serial, version), "{text}");
            assert_eq!(proof.code, code(&text));
        }
    }
}

#[test]
fn the_newest_key_makes_codes_and_a_key_taken_out_is_revoked() {
    let smr = prefix("SMR");
    let newest = Mint::newest(&keys("1:first-secret,2:second-secret"), &id("summer"), &smr);
    let text = newest.unwrap().shown(7);
    assert_eq!(text, made(2, 7));
    let signed = Signed::read(&code(&text)).unwrap();
    let by = |text: &str| signed.prove(&keys(text), &id("summer"), &smr, 100).map(|it| it.serial);
    assert_eq!(by("2:second-secret,3:third-secret"), Ok(7));
    assert_eq!(by("1:first-secret,3:third-secret"), Err(NotProven::NoSuchKey(2)));
    assert_eq!(by("2:another-secret"), Err(NotProven::WrongTag));
    // The same secret under another number is another key.
    assert_eq!(by("1:second-secret"), Err(NotProven::NoSuchKey(2)));
    assert_eq!(Signed::read(&code(&made(1, 7))).unwrap().version, 1);
}

#[test]
fn one_wrong_character_of_the_body_and_it_is_none() {
    for serial in [0, 1, 77_777] {
        let right = code(&made(1, serial)).as_str().to_owned();
        for place in 3..right.len() {
            for other in (0..32).map(digit).filter(|c| right.chars().nth(place) != Some(*c)) {
                let wrong: String = right
                    .chars()
                    .enumerate()
                    .map(|(i, c)| if i == place { other } else { c })
                    .collect();
                assert!(proven(&wrong).is_err(), "{wrong} for {right}");
            }
        }
    }
}

#[test]
fn two_neighbours_swapped_a_digit_lost_or_one_too_many_is_no_code() {
    let right = code(&made(1, 12)).as_str().to_owned();
    for place in 3..right.len() - 1 {
        let mut bytes = right.clone().into_bytes();
        bytes.swap(place, place + 1);
        let swapped = String::from_utf8(bytes).unwrap();
        assert!(swapped == right || proven(&swapped).is_err(), "{swapped}");
        let mut shorter = right.clone();
        shorter.remove(place);
        assert!(proven(&shorter).is_err(), "{shorter}");
        let mut longer = right.clone();
        longer.insert(place, '7');
        assert!(proven(&longer).is_err(), "{longer}");
    }
}

#[test]
fn a_serial_is_refused_from_the_count_on() {
    let by = |serial, count| {
        let signed = Signed::read(&code(&made(1, serial))).unwrap();
        signed.prove(&keys(KEYS), &id("summer"), &prefix("SMR"), count).map(|it| it.serial)
    };
    assert_eq!(by(9, 10), Ok(9));
    assert_eq!(by(10, 10), Err(NotProven::BeyondCount(10)));
    // A campaign that is given more codes keeps those it has, and has the next.
    assert_eq!((by(9, 1000), by(10, 1000)), (Ok(9), Ok(10)));
}

#[test]
fn another_campaigns_code_is_none_though_prefix_and_key_are_the_same() {
    let smr = prefix("SMR");
    for serial in serials().take(300) {
        let signed = Signed::read(&code(&made(1, serial))).unwrap();
        for (other, begins) in [("winter", "SMR"), ("summe", "SMR"), ("summer", "SMRR")] {
            let said = signed.prove(&keys(KEYS), &id(other), &prefix(begins), MOST);
            assert!(said.is_err(), "{other} {begins}");
        }
    }
    let signed = Signed::read(&code("SMR 0000 0000 0000 0000")).unwrap();
    let said = signed.prove(&keys(KEYS), &id("summer"), &smr, MOST);
    assert_eq!(said, Err(NotProven::NoSuchKey(0)));
}

#[test]
fn every_spelling_of_a_code_is_the_same_code() {
    // A prefix with letters that are read as figures, and figures.
    let (solo, keys) = (prefix("SOLO-1"), keys(KEYS));
    let mint = Mint::newest(&keys, &id("solo"), &solo).unwrap();
    let mut respelt = 0;
    for serial in 0..50 {
        let text = mint.shown(serial);
        let proof = |text: &str| {
            let signed = Signed::read(&code(text)).unwrap();
            signed.prove(&keys, &id("solo"), &solo, 50).unwrap()
        };
        assert_eq!(proof(&text).code.as_str(), text.replace('-', ""));
        for other in [
            text.to_lowercase(),
            text.replace('-', " "),
            text.replace('-', ""),
            text.replace('0', "O").replace('1', "I"),
            text.replace('O', "0").replace('1', "l"),
        ] {
            respelt += usize::from(other.contains('I') || other.contains('l'));
            assert_eq!(proof(&other), proof(&text), "{other}");
        }
    }
    assert!(respelt > 50, "{respelt}");
}

#[test]
fn the_permutation_is_one_and_hides_who_is_whose_neighbour() {
    let smr = prefix("SMR");
    let mint = Mint::newest(&keys(KEYS), &id("summer"), &smr).unwrap();
    let mut seen = BTreeSet::new();
    let mut flipped = 0;
    for serial in 0..4_000 {
        let permuted = mint.permutation.apply(serial);
        assert!(permuted < 1 << SERIAL_BITS);
        assert_eq!(mint.permutation.undo(permuted), serial);
        assert!(seen.insert(permuted), "{serial}");
        flipped += (permuted ^ mint.permutation.apply(serial + 1)).count_ones();
    }
    // Of 30 bits 15 differ between neighbours, on average.
    let mean = f64::from(flipped) / 4_000.0;
    assert!((14.8..15.2).contains(&mean), "{mean}");
}

#[test]
fn bodies_have_sixteen_digits_and_tags_at_least_forty_bits() {
    assert_eq!(5 + SERIAL_BITS + TAG_BITS, u32::try_from(BODY * 5).unwrap());
    const { assert!(TAG_BITS >= 40) };
    for serial in serials() {
        assert_eq!(code(&made(31, serial)).as_str().len(), 3 + BODY);
    }
}

#[test]
fn what_has_not_the_shape_is_not_even_tried() {
    for text in ["SMR", "0123456789ABCDEF", "SMR-0123456789ABCDEU", "ÉTÉ-0123456789ABCDEF"] {
        assert_eq!(Signed::read(&code(text)), None, "{text}");
    }
    assert!(Signed::read(&code("S-0123456789ABCDEF")).is_some());
    assert!(Signed::read(&code(&format!("{}0123456789ABCDEF", "S".repeat(25)))).is_some());
    assert!(Signed::read(&code(&format!("{}0123456789ABCDEF", "S".repeat(26)))).is_none());
}

#[test]
fn a_prefix_has_one_reading() {
    assert_eq!(prefix("so-l 10").as_str(), "SOL10");
    assert_eq!(prefix("SOL10").folded(), "S0110");
    for bad in ["", "-", "SMÉ", "S_R", &"S".repeat(26)] {
        assert_eq!(Prefix::parse(bad), None, "{bad:?}");
    }
}

/// Printed codes must be good for ever: these may not change, whatever else does.
#[test]
fn codes_never_change_between_releases() {
    let first = [1, 2, 31].map(|version| made(version, 0));
    assert_eq!(first, VECTORS_OF_ZERO);
    let others = [1, 2, 999, 1_000_000, (1 << 30) - 1].map(|serial| made(1, serial));
    assert_eq!(others, VECTORS_OF_KEY_1);
    let plain = prefix("XMAS26");
    let mint = Mint::newest(&keys("a plain value"), &id("christmas-2026"), &plain).unwrap();
    assert_eq!(mint.shown(42), VECTOR_OF_PLAIN);
}

// Made by another program after the module's page, with Python's hmac and hashlib.
const VECTORS_OF_ZERO: [&str; 3] =
    ["SMR-1CSG-VSDY-F4QP-RAD4", "SMR-2ZPJ-KBV2-0VTH-H15M", "SMR-ZK4N-MR77-8WHA-5CT8"];
const VECTORS_OF_KEY_1: [&str; 5] = [
    "SMR-178F-A7AE-RZ49-PDMH",
    "SMR-1N6D-4FMC-YVN4-GSG8",
    "SMR-14QZ-QJ3W-PKXB-S3Q4",
    "SMR-18ME-MXGX-Z0TS-SVRG",
    "SMR-1FNN-WCQA-88FC-K49V",
];
const VECTOR_OF_PLAIN: &str = "XMAS26-106G-ZR7D-7G3H-MFG4";
