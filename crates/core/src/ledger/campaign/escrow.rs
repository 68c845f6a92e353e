//! Who counts what: how an object of a divided ledger finds its part in a counter, and how counters and
//! rights to them pass between objects. See [`super::rights`] for why none is doubled.
//!
//! # Owners
//! INVARIANT: at any time a counter has one owner, though layouts change under load and edges still
//! read old documents. The root keeps the list of layouts; whoever owns a counter by a later layout takes
//! it over, once, from whoever owned it by an earlier one, and that one is a holder from then on and
//! tells everybody who asks where the counter went. An owner by an earlier layout that was never asked
//! leaves a mark when it is, so it cannot begin to count as an owner afterwards.

use std::collections::BTreeMap;

use super::message::{Ceded, Enrolment, Provide};
use super::rights::{
    Adopt, Estate, Grant, Granted, Holder, Need, Owner, Provided, Provision, Returned, Rights,
    Stock,
};
use super::{Books, Changes};
use crate::ledger::counter::Counter;
use crate::ledger::shard::{LedgerLayout, Shard, Siblings};
use crate::time::Instant;

/// Which object this is, what it knows, and by which layout it is asked.
pub(super) struct Place<'a> {
    pub me: &'a Shard,
    pub siblings: Siblings,
    pub layout: LedgerLayout,
}

/// An object's part in one counter.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// It hands out rights.
    Owner(Owner),
    /// It asks for rights.
    Holder(Holder),
    /// It must have this before it knows.
    Lacks(Need),
}

impl<'a> Place<'a> {
    pub fn of<B: Books>(
        books: &B,
        me: &'a Shard,
        layout: LedgerLayout,
        brought: &[LedgerLayout],
    ) -> Result<Self, B::Error> {
        let mut siblings = books.siblings()?;
        siblings.learn(brought);
        Ok(Self { me, siblings, layout })
    }

    /// Its part in a counter.
    pub fn role(&self, counter: &Counter, stock: Option<&Stock>) -> Role {
        let by_layout = self.layout.owner(counter.apart);
        let known = match stock.map(|stock| &stock.rights) {
            Some(None) => return Role::Owner(Owner::default()),
            Some(Some(Rights::Owner(owner))) => return Role::Owner(owner.clone()),
            Some(Some(Rights::Holder(holder))) => Some(holder),
            None => None,
        };
        if by_layout != *self.me {
            let stranger = || Holder { owner: by_layout, ..Holder::default() };
            return Role::Holder(known.cloned().unwrap_or_else(stranger));
        }
        let Some(term) = self.siblings.term(self.layout) else {
            return Role::Lacks(Need::Layouts);
        };
        let from = match known {
            Some(holder) if holder.term >= term => return Role::Holder(holder.clone()),
            Some(holder) => Some(holder.owner.clone()),
            None => self.siblings.owner_before(term, counter.apart, self.me),
        };
        match from {
            None => Role::Owner(Owner { term, ..Owner::default() }),
            Some(from) => Role::Lacks(Need::Adopt(Adopt {
                counter: counter.clone(),
                layout: self.layout,
                from,
                to: self.me.clone(),
                term,
            })),
        }
    }

    /// Receives rights, unless it hands them out itself.
    pub fn receive(&self, stock: &mut Option<Stock>, granted: &Granted) {
        if granted.owner == *self.me {
            return;
        }
        let fresh = Stock { used: 0, rights: Some(Rights::Holder(Holder::default())) };
        if let Some(Rights::Holder(holder)) = &mut stock.get_or_insert(fresh).rights {
            holder.receive(granted);
        }
    }
}

/// Enrols a shard at the root; returns the list of layouts.
pub(super) fn enrol<B: Books>(
    books: &B,
    enrolment: &Enrolment,
    changes: &mut Changes,
) -> Result<Vec<LedgerLayout>, B::Error> {
    let mut siblings = books.siblings()?;
    let before = siblings.clone();
    if siblings.layouts.is_empty() && !books.is_empty()? {
        siblings.layouts.push(LedgerLayout::SINGLE);
    }
    if !siblings.layouts.contains(&enrolment.layout) {
        siblings.layouts.push(enrolment.layout);
    }
    if !enrolment.shard.is_root() {
        siblings.roster.insert(enrolment.shard.clone());
    }
    let layouts = siblings.layouts.clone();
    if siblings != before {
        changes.siblings = Some(siblings);
    }
    Ok(layouts)
}

/// Hands out rights.
pub(super) fn provide<B: Books>(
    books: &B,
    place: &Place<'_>,
    provide: &Provide,
    now: Instant,
    changes: &mut Changes,
) -> Result<Vec<Provided>, B::Error> {
    let mut all = Vec::new();
    for asked in &provide.provisions {
        all.push(provide_one(books, place, asked, now, changes)?);
    }
    Ok(all)
}

fn provide_one<B: Books>(
    books: &B,
    place: &Place<'_>,
    asked: &Provision,
    now: Instant,
    changes: &mut Changes,
) -> Result<Provided, B::Error> {
    let key = &asked.counter.key;
    let stock = books.stock(key)?;
    let mut owner = match place.role(&asked.counter, stock.as_ref()) {
        Role::Owner(owner) => owner,
        Role::Holder(holder) => {
            let estate = holder.estate(key);
            return Ok(Provided::Moved(holder.owner, estate));
        }
        Role::Lacks(need) => return Ok(Provided::Need(need)),
    };
    let before = owner.clone();
    let used = stock.map_or(0, |stock| stock.used);
    let mut asked = asked.clone();
    let elsewhere = counted_elsewhere(books, &asked.counter)?;
    asked.counter.ceiling = asked.counter.ceiling.saturating_sub(elsewhere);
    let provided = owner.provide(place.me, used, &asked, place.layout.shards, now);
    if owner != before {
        let rights = Some(Rights::Owner(owner));
        changes.stocks.insert(key.clone(), Stock { used, rights });
    }
    Ok(provided)
}

/// What the same person has been counted under other names, as far as this object owns those counters; a
/// right that is out with another object counts as used.
pub(super) fn counted_elsewhere<B: Books>(books: &B, counter: &Counter) -> Result<u64, B::Error> {
    let mut sum = 0_u64;
    for key in counter.also.iter().filter(|key| **key != counter.key) {
        let Some(stock) = books.stock(key)? else { continue };
        let out = match &stock.rights {
            None => 0,
            Some(Rights::Owner(owner)) => owner.out(),
            Some(Rights::Holder(_)) => continue,
        };
        sum = sum.saturating_add(stock.used).saturating_add(out);
    }
    Ok(sum)
}

/// Gives back what is not spent.
pub(super) fn recall<B: Books>(
    books: &B,
    me: &Shard,
    granted: &[Granted],
    changes: &mut Changes,
) -> Result<Vec<Returned>, B::Error> {
    let mut all = Vec::new();
    for asked in granted {
        let mut stock = books.stock(&asked.key)?.unwrap_or_default();
        let used = stock.used;
        let mut holder = match stock.rights {
            Some(Rights::Holder(holder)) if holder.term <= asked.term => holder,
            None if used == 0 => Holder::default(),
            // It owns the counter, or holds of a later owner: this is an old message.
            _ => continue,
        };
        holder.owner.clone_from(&asked.owner);
        holder.term = asked.term;
        holder.give_back(asked.granted, used);
        all.push(holder.returned(&asked.key, me));
        stock.rights = Some(Rights::Holder(holder));
        changes.stocks.insert(asked.key.clone(), stock);
    }
    Ok(all)
}

/// Hears what was given back.
pub(super) fn restock<B: Books>(
    books: &B,
    returned: &[Returned],
    changes: &mut Changes,
) -> Result<(), B::Error> {
    for returned in returned {
        let stock = match changes.stocks.remove(&returned.key) {
            Some(stock) => Some(stock),
            None => books.stock(&returned.key)?,
        };
        let Some(mut stock) = stock else { continue };
        if let Some(Rights::Owner(owner)) = &mut stock.rights {
            owner.restock(returned, None);
            changes.stocks.insert(returned.key.clone(), stock);
        }
    }
    Ok(())
}

/// Hands a counter on to its owner by a later layout.
pub(super) fn cede<B: Books>(
    books: &B,
    place: &Place<'_>,
    adopt: &Adopt,
    changes: &mut Changes,
) -> Result<Ceded, B::Error> {
    let key = &adopt.counter.key;
    let stock = books.stock(key)?;
    let held = stock.as_ref().and_then(|stock| stock.rights.as_ref());
    if let Some(Rights::Holder(holder)) = held {
        let again = holder.estate(key).filter(|_| holder.owner == adopt.to);
        let moved = || Ceded::Moved(holder.owner.clone(), holder.term);
        return Ok(again.map_or_else(moved, Ceded::Estate));
    }
    let owner = match place.role_before(adopt, stock.as_ref()) {
        Role::Owner(owner) if owner.term >= adopt.term => {
            return Ok(Ceded::Moved(place.me.clone(), owner.term));
        }
        Role::Owner(owner) => owner,
        Role::Holder(holder) => return Ok(Ceded::Moved(holder.owner, holder.term)),
        Role::Lacks(need) => return Ok(Ceded::Need(need)),
    };
    let used = stock.map_or(0, |stock| stock.used);
    let received = owner.got_before.saturating_add(used);
    let mut grants = owner.grants;
    let own = Grant { granted: received, back: owner.got_before, dry: true, ..Grant::default() };
    if used > 0 {
        grants.insert(place.me.clone(), own);
    }
    let holder = Holder {
        owner: adopt.to.clone(),
        term: adopt.term,
        received,
        returned: owner.got_before,
        ceiling: 0,
        dry: true,
        estate: Some(grants.clone()),
    };
    changes.stocks.insert(key.clone(), Stock { used, rights: Some(Rights::Holder(holder)) });
    Ok(Ceded::Estate(Estate { key: key.clone(), term: adopt.term, grants }))
}

impl Place<'_> {
    /// Its part in a counter by the latest layout before the one by which another takes it over.
    fn role_before(&self, adopt: &Adopt, stock: Option<&Stock>) -> Role {
        let earlier = |term: u32| {
            let layout = usize::try_from(term).ok().and_then(|at| self.siblings.layouts.get(at))?;
            (layout.owner(adopt.counter.apart) == *self.me).then_some(*layout)
        };
        match (0..adopt.term).rev().find_map(earlier) {
            Some(layout) => {
                let siblings = self.siblings.clone();
                Place { me: self.me, siblings, layout }.role(&adopt.counter, stock)
            }
            // It never was the owner by any layout it knows of: whoever asks knows more.
            None => stock.map_or(Role::Lacks(Need::Layouts), |_| Role::Owner(Owner::default())),
        }
    }
}

/// Takes a counter over.
pub(super) fn adopt<B: Books>(
    books: &B,
    me: &Shard,
    estate: &Estate,
    changes: &mut Changes,
) -> Result<(), B::Error> {
    let (used, got_before) = match books.stock(&estate.key)? {
        None => (0, 0),
        Some(Stock { used, rights: Some(Rights::Holder(holder)) }) if holder.term < estate.term => {
            (used, holder.received)
        }
        // It has been taken over before, and perhaps handed on since.
        Some(_) => return Ok(()),
    };
    let mut grants: BTreeMap<_, _> = estate.grants.clone();
    grants.remove(me);
    let owner = Owner { term: estate.term, grants, got_before };
    let stock = Stock { used, rights: Some(Rights::Owner(owner)) };
    changes.stocks.insert(estate.key.clone(), stock);
    Ok(())
}

impl Holder {
    /// What it handed on, if it was the owner.
    fn estate(&self, key: &str) -> Option<Estate> {
        let grants = self.estate.clone()?;
        Some(Estate { key: key.to_owned(), term: self.term, grants })
    }

    /// What it says it has given back.
    pub(super) fn returned(&self, key: &str, me: &Shard) -> Returned {
        Returned {
            key: key.to_owned(),
            owner: self.owner.clone(),
            holder: me.clone(),
            received: self.received,
            returned: self.returned,
        }
    }
}
