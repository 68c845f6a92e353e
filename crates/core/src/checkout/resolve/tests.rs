//! The order of look-ups, and what each finding proves.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::FutureExt;

use super::*;
use crate::checkout::Person;
use crate::code::signed::Mint;
use crate::ident::TypeCode;
use crate::issuance::Kind;

/// Documents in a map; every look-up is noted.
#[derive(Default)]
struct Shelf {
    entries: BTreeMap<String, Entry>,
    numbers: BTreeMap<String, Rc<Campaign>>,
    keys: Option<Keys>,
    asked: RefCell<Vec<String>>,
}

impl Documents for Shelf {
    type Error = Unreachable;

    async fn entry(&self, key: Key<'_>) -> Result<Option<Entry>, Unreachable> {
        let name = match key {
            Key::Campaign(id) => format!("campaign:{id}"),
            Key::Code(code) => format!("code:{code}"),
            Key::Prefix(prefix) => format!("prefix:{prefix}"),
        };
        let found = self.entries.get(&name).cloned();
        self.asked.borrow_mut().push(name);
        Ok(found)
    }
}

impl Directory for Shelf {
    async fn number(
        &self,
        key: &CodeKey,
    ) -> Result<Option<(Rc<Campaign>, Instrument)>, Unreachable> {
        self.asked.borrow_mut().push(format!("number:{key}"));
        let code = TypeCode::parse("1234").unwrap();
        let instrument = Instrument { code, kind: Kind::Card, customer: ann() };
        Ok(self.numbers.get(key.as_str()).map(|campaign| (Rc::clone(campaign), instrument)))
    }

    fn keys(&self) -> Result<Keys, Unreachable> {
        self.keys.clone().ok_or(Unreachable)
    }
}

fn ann() -> Person {
    Person { name: "ann".to_owned(), ..Person::default() }
}

fn campaign(id: &str, codes: &str) -> Rc<Campaign> {
    let json = format!(
        r#"{{"id": "{id}", "name": "C", "currency": "USD", "codes": {codes},
        "offers": [{{"id": "ten-off", "name": "10%", "discount": {{"percent": "10"}}}}]}}"#
    );
    Rc::new(Campaign::from_json(json.as_bytes()).unwrap())
}

fn keys() -> Keys {
    Keys::parse("1:a-key-of-tests").unwrap()
}

/// A campaign of each sort of codes, and a card.
fn shelf() -> Shelf {
    let mut shelf = Shelf { keys: Some(keys()), ..Shelf::default() };
    let fixed = campaign("fixed", r#"{"fixed": ["SUMMER10", "ÉTÉ10"]}"#);
    let signed = campaign("signed", r#"{"signed": {"prefix": "SMR", "count": 10}}"#);
    let listed = campaign("listed", r#"{"listed": true}"#);
    let card = campaign("card", r#"{"none": true}"#);
    for code in ["SUMMER10", "ÉTÉ10"] {
        shelf.entries.insert(format!("code:{code}"), Entry::Campaign(Rc::clone(&fixed)));
    }
    // Put by hand: the document does not list it.
    shelf.entries.insert("code:STRAY10".to_owned(), Entry::Campaign(fixed));
    shelf.entries.insert("prefix:SMR".to_owned(), Entry::Campaign(signed));
    let pointer = Entry::Pointer(CampaignId::parse("listed").unwrap());
    shelf.entries.insert("code:GIFT1".to_owned(), pointer.clone());
    shelf.entries.insert(format!("code:{}", "9".repeat(64)), pointer);
    shelf.entries.insert("campaign:listed".to_owned(), Entry::Campaign(listed));
    for number in ["4006381333931", "https://shop.example/c?id=Ab1", &"7".repeat(64)] {
        let key = CodeKey::of_scanned(number).unwrap();
        shelf.numbers.insert(key.as_str().to_owned(), Rc::clone(&card));
    }
    shelf
}

fn now<T>(future: impl Future<Output = Result<T, Unreachable>>) -> Result<T, Unreachable> {
    future.now_or_never().unwrap()
}

/// What is found, as campaign and key.
fn told(resolution: Resolution) -> Option<(String, String)> {
    match resolution {
        Resolution::Found(found) => Some((found.campaign.id().to_string(), found.key.to_string())),
        Resolution::Unknown { .. } => None,
    }
}

fn typed(shelf: &Shelf, text: &str) -> Option<(String, String)> {
    let query = Query::typed(text).ok()?;
    told(now(resolve(shelf, &query)).unwrap())
}

fn named(shelf: &Shelf, id: &str) -> Option<(String, String)> {
    let offer = OfferRef::parse(id)?;
    let query = Query::of_key(&offer.code)?;
    told(now(resolve(shelf, &query)).unwrap().named(&offer))
}

fn signed_code(serial: u32) -> String {
    let campaign = campaign("signed", r#"{"signed": {"prefix": "SMR", "count": 10}}"#);
    let Codes::Signed { prefix, .. } = campaign.codes() else { panic!("it is signed") };
    Mint::newest(&keys(), campaign.id(), prefix).unwrap().code(serial).to_string()
}

#[test]
fn every_sort_of_code_is_found_in_any_spelling_and_counted_in_one() {
    let shelf = shelf();
    let signed = signed_code(3);
    for (text, campaign, key) in [
        ("summer-10", "fixed", "SUMMER10"),
        ("été 10", "fixed", "~c9:T~c9:10"),
        ("gift 1", "listed", "GIFT1"),
        (&signed.to_lowercase().replace('1', "i"), "signed", &signed),
        ("4006381333931", "card", "4006381333931"),
    ] {
        let found = typed(&shelf, text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(found, (campaign.to_owned(), key.to_owned()), "{text}");
        assert_eq!(named(&shelf, &format!("{campaign}.ten-off.{key}")), Some(found), "{text}");
    }
}

#[test]
fn a_scanned_text_is_found_only_because_it_was_given_out() {
    let shelf = shelf();
    for text in ["https://shop.example/c?id=Ab1", &"7".repeat(64)] {
        let (campaign, key) = typed(&shelf, text).unwrap();
        assert!(campaign == "card" && key.starts_with('-'), "{key}");
        let id = format!("card.ten-off.{key}");
        assert_eq!(named(&shelf, &id), Some((campaign, key)));
    }
    assert_eq!(typed(&shelf, "https://shop.example/c?id=Ab2"), None);
    for digest in ["-0000000001", "-dead", "-dead0000000000000000"] {
        for campaign in ["card", "listed", "fixed", "signed"] {
            assert_eq!(named(&shelf, &format!("{campaign}.ten-off.{digest}")), None, "{digest}");
        }
    }
}

#[test]
fn an_offer_id_in_any_other_spelling_leads_nowhere() {
    let shelf = shelf();
    let signed = signed_code(3);
    let misread = signed.replacen('1', "I", 1).replacen('0', "O", 1);
    assert_ne!(misread, signed);
    for id in [
        "listed.ten-off.gift1",
        "listed.ten-off.Gift1",
        "listed.ten-off.GIFT-1",
        "listed.ten-off.~47:IFT1",
        "listed.ten-off.GIFT2",
        "listed.ten-off.SUMMER10",
        "fixed.ten-off.summer10",
        "fixed.ten-off.~c9:t~c9:10",
        "fixed.ten-off.~C9:T~C9:10",
        "fixed.ten-off.GIFT1",
        "fixed.ten-off.STRAY10",
        "signed.ten-off.SUMMER10",
        "card.ten-off.SUMMER10",
        "card.ten-off.4006381333932",
        "fixed.ten-off.4006381333931",
        &format!("signed.ten-off.{misread}"),
        &format!("signed.ten-off.{}", signed.to_lowercase()),
        &format!("listed.ten-off.{signed}"),
        &format!("signed.ten-off.{}", signed_code(11)),
    ] {
        assert_eq!(named(&shelf, id), None, "{id}");
    }
}

#[test]
fn a_code_is_looked_up_in_its_one_spelling_and_nothing_is_for_what_is_no_code() {
    let shelf = shelf();
    typed(&shelf, "sum-mer 11");
    assert_eq!(shelf.asked.take(), ["code:SUMMER11", "number:SUMMER11"]);
    named(&shelf, "listed.ten-off.NEVER1");
    assert_eq!(shelf.asked.take(), ["code:NEVER1", "number:NEVER1"]);
    named(&shelf, "listed.ten-off.never1");
    named(&shelf, "listed.ten-off.-dead");
    assert!(shelf.asked.take().is_empty());
    // One that proves itself, or does not, is looked for under its prefix alone.
    typed(&shelf, "SMR-1234-5678-9ABC-DEFG");
    assert_eq!(shelf.asked.take(), ["prefix:SMR"]);
}

#[test]
fn a_made_up_signed_code_is_told_from_one_that_could_be_guessed() {
    let shelf = shelf();
    let signed = |text: &str| match now(resolve(&shelf, &Query::typed(text).unwrap())).unwrap() {
        Resolution::Unknown { signed, stored, .. } => (signed, stored),
        Resolution::Found(found) => panic!("{found:?}"),
    };
    assert_eq!(signed("SMR123456789ABCDEFG"), (true, true));
    assert_eq!(signed("XXX123456789ABCDEFG"), (false, false));
    assert_eq!(signed("STRAY10"), (false, true));
    let without = Shelf { keys: None, ..self::shelf() };
    let query = Query::typed("SMR123456789ABCDEFG").unwrap();
    assert!(now(resolve(&without, &query)).is_err(), "who cannot prove does not say no");
}

#[test]
fn a_listed_code_that_does_not_fit_an_offer_id_leads_nowhere() {
    let mut shelf = shelf();
    assert_eq!(typed(&shelf, &"9".repeat(64)).map(|found| found.0), Some("listed".to_owned()));
    let long = campaign(&"x".repeat(64), r#"{"listed": true}"#);
    shelf.entries.insert("campaign:listed".to_owned(), Entry::Campaign(long));
    assert_eq!(typed(&shelf, &"9".repeat(64)), None);
    assert!(typed(&shelf, "GIFT1").is_some());
}
