//! Reading a request: its campaigns by hand, its cart in one pass, the rest as it comes.

use std::{collections::BTreeMap, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{
    campaign::{Campaign, document},
    cart::{self, Cart},
    code::{CanonicalCode, CodeError},
    fault::{Faults, Path, Sink},
    json::{self, At, KeySeed, Node, NodeSeed, Skip, shortened},
    time::{Instant, Zone},
};

/// A request to simulate.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) campaigns: Option<Vec<Campaign>>,
    /// The codes typed, in their order.
    pub(super) codes: Option<Vec<Typed>>,
    pub(super) cart: Cart,
    pub(super) at: Option<Instant>,
    pub(super) timezone: Option<Zone>,
    pub(super) tags: Vec<String>,
}

impl Request {
    /// Reads a request. Keys that are not known are ignored.
    ///
    /// # Errors
    /// Every fault of the request.
    pub fn from_json(json: &[u8]) -> Result<Self, Faults> {
        let (sink, root) = (Sink::new(), Path::Root);
        let request = json::document(json, RequestSeed { sink: &sink }, &sink, &root).flatten();
        sink.check(request)
    }

    /// The request's own campaigns, if it brings any.
    #[must_use]
    pub fn campaigns(&self) -> Option<&[Campaign]> {
        self.campaigns.as_deref()
    }

    /// The codes that were typed, in their order, without what cannot be a code; nothing when every
    /// campaign is asked.
    #[must_use]
    pub fn codes(&self) -> Option<Vec<&CanonicalCode>> {
        let codes = self.codes.as_ref()?;
        Some(codes.iter().filter_map(|typed| typed.code.as_ref().ok()).collect())
    }

    /// The cart.
    #[must_use]
    pub fn cart(&self) -> &Cart {
        &self.cart
    }
}

/// What was typed for a code.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    /// As it was typed, as far as one needs to know it by.
    pub text: String,
    /// The code, or why it cannot be one; then it leads nowhere.
    pub code: Result<CanonicalCode, CodeError>,
}

struct RequestSeed<'s> {
    sink: &'s Sink,
}

impl<'de> DeserializeSeed<'de> for RequestSeed<'_> {
    type Value = Option<Request>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RequestSeed<'_> {
    type Value = Option<Request>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request, an object with \"campaigns\", \"codes\", \"cart\" and \"at\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (sink, root) = (self.sink, Path::Root);
        let mut nodes: [Option<Node<'de>>; 4] = [const { None }; 4];
        let mut cart = None;
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let [campaigns, codes, at, location] = &mut nodes;
            let node = match key.as_ref() {
                "campaigns" => campaigns,
                "codes" => codes,
                "at" => at,
                "location" => location,
                "cart" => {
                    let json: &RawValue = map.next_value()?;
                    let path = &Path::Key(&root, "cart");
                    cart = Some(cart::read::document(json.get().as_bytes(), sink, path, 1));
                    continue;
                }
                _ => {
                    map.next_value_seed(Skip { depth: 1 })?;
                    continue;
                }
            };
            *node = Some(map.next_value_seed(NodeSeed { depth: 1 })?);
        }
        if cart.is_none() {
            sink.add(&Path::Key(&root, "cart"), "is missing");
        }
        let [campaigns, codes, at, location] = nodes;
        let campaigns = read(campaigns, sink, "campaigns", read_campaigns);
        let codes = read(codes, sink, "codes", |at| {
            at.list(0, |at| {
                let text = at.text()?;
                let code = CanonicalCode::parse(text);
                Some(Typed { text: shortened(text).into_owned(), code })
            })
        });
        let at = at.filter(|node| *node != Node::Null);
        let at = read(at, sink, "at", |at| at.parsed(Instant::parse));
        let location = location.filter(|node| *node != Node::Null);
        let (timezone, tags) = read(location, sink, "location", read_location).unwrap_or_default();
        Ok(cart.flatten().map(|cart| Request { campaigns, codes, cart, at, timezone, tags }))
    }
}

/// Reads the value of one of the request's keys, if it is there.
fn read<T>(
    node: Option<Node<'_>>,
    sink: &Sink,
    key: &str,
    read: impl FnOnce(At<'_>) -> Option<T>,
) -> Option<T> {
    let node = node?;
    let path = &Path::Key(&Path::Root, key);
    read(At { node: &node, path, sink })
}

fn read_campaigns(at: At<'_>) -> Option<Vec<Campaign>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut place = 0_usize;
    at.list(0, |at| {
        let index = place;
        place = place.saturating_add(1);
        let campaign = document::read(at)?;
        if let Some(first) = places.insert(campaign.id().to_string(), index) {
            let path = Path::Key(at.path, "id");
            at.sink.add(&path, format!("is the id of /campaigns/{first} too"));
        }
        Some(campaign)
    })
}

fn read_location(at: At<'_>) -> Option<(Option<Zone>, Vec<String>)> {
    let object = at.open_object()?;
    let timezone = object.get("timezone", |at| at.parsed(Zone::parse));
    let tags = object.get("tag", |at| at.texts()).unwrap_or_default();
    Some((timezone, tags))
}
