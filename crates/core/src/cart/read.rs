//! Which keys a cart has, and what stands under each. How values are read is in [`super::visit`].

use serde::de::{DeserializeSeed, Deserializer, MapAccess};

use super::{
    Cart,
    builder::{Builder, CartFields, CustomerFields, FeeFields, LineFields},
    visit::{Fields, ListSeed, ObjectSeed, Place, WordsSeed, flag, number, skip, text},
};
use crate::{
    fault::{Path, Sink},
    json,
};

pub(super) fn document(json: &[u8], sink: &Sink, path: &Path<'_>) -> Option<Cart> {
    let seed = CartSeed { sink, path, depth: 0 };
    json::document(json, seed, sink, path).flatten()
}

/// Reads a cart that is part of another document, for callers that read that one with serde.
#[derive(Clone, Copy)]
pub struct CartSeed<'s> {
    /// Where faults are noted.
    pub sink: &'s Sink,
    /// Where the cart stands.
    pub path: &'s Path<'s>,
    /// How many lists and objects it stands in.
    pub depth: usize,
}

impl<'de> DeserializeSeed<'de> for CartSeed<'_> {
    /// No cart when anything is wrong with it; that has then been noted.
    type Value = Option<Cart>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Cart>, D::Error> {
        let mut builder = Builder::default();
        let place = Place { sink: self.sink, path: self.path, depth: self.depth };
        let fields: Option<CartFields<'de>> =
            ObjectSeed::new(&mut builder, place).deserialize(deserializer)?;
        let Some(fields) = fields else {
            self.sink.add(self.path, "should be a cart, an object");
            return Ok(None);
        };
        Ok(builder.finish(&fields, self.path, self.sink))
    }
}

impl<'de> Fields<'de> for CartFields<'de> {
    fn read<A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        builder: &mut Builder,
        place: Place<'_>,
    ) -> Result<(), A::Error> {
        match key {
            "tab_id" => self.tab_id = text(map, place)?,
            "location_id" => self.location_id = text(map, place)?,
            "currency" => self.currency = text(map, place)?,
            "channel" => self.channel = text(map, place)?,
            "subtotal" => self.subtotal = number(map, place)?,
            "tax" => self.tax = number(map, place)?,
            "total" => self.total = number(map, place)?,
            "lines" => {
                builder.restart_lines();
                map.next_value_seed(ListSeed::<LineFields<'de>>::new(builder, place))?;
            }
            "fees" => {
                builder.restart_fees();
                map.next_value_seed(ListSeed::<FeeFields<'de>>::new(builder, place))?;
            }
            "customer" => {
                let seed = ObjectSeed::<CustomerFields<'de>>::new(builder, place);
                if let Some(fields) = map.next_value_seed(seed)? {
                    fields.done(builder, place);
                }
            }
            _ => skip(map, place)?,
        }
        Ok(())
    }
}

impl<'de> Fields<'de> for LineFields<'de> {
    fn read<A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        builder: &mut Builder,
        place: Place<'_>,
    ) -> Result<(), A::Error> {
        match key {
            "id" => self.id = text(map, place)?,
            "sku" => self.sku = text(map, place)?,
            "name" => self.name = text(map, place)?,
            "category" => self.category = map.next_value_seed(WordsSeed { builder, place })?,
            "tag" => self.tag = map.next_value_seed(WordsSeed { builder, place })?,
            "quantity" => self.quantity = number(map, place)?,
            "unit_price" => self.unit_price = number(map, place)?,
            "min_unit_price" => self.min_unit_price = number(map, place)?,
            _ => skip(map, place)?,
        }
        Ok(())
    }

    fn done(&self, builder: &mut Builder, place: Place<'_>) {
        builder.line(self, place.path, place.sink);
    }
}

impl<'de> Fields<'de> for FeeFields<'de> {
    fn read<A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        _: &mut Builder,
        place: Place<'_>,
    ) -> Result<(), A::Error> {
        match key {
            "id" => self.id = text(map, place)?,
            "kind" => self.kind = text(map, place)?,
            "amount" => self.amount = number(map, place)?,
            _ => skip(map, place)?,
        }
        Ok(())
    }

    fn done(&self, builder: &mut Builder, place: Place<'_>) {
        builder.fee(self, place.path, place.sink);
    }
}

impl<'de> Fields<'de> for CustomerFields<'de> {
    fn read<A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        builder: &mut Builder,
        place: Place<'_>,
    ) -> Result<(), A::Error> {
        match key {
            "id" => self.id = text(map, place)?,
            "phone" => self.phone = text(map, place)?,
            "email" => self.email = text(map, place)?,
            "tier" => self.tier = text(map, place)?,
            "tag" => self.tag = map.next_value_seed(WordsSeed { builder, place })?,
            "first_order" => self.first_order = flag(map, place)?,
            "orders" => self.orders = number(map, place)?,
            _ => skip(map, place)?,
        }
        Ok(())
    }

    fn done(&self, builder: &mut Builder, place: Place<'_>) {
        builder.customer(self, place.path, place.sink);
    }
}
