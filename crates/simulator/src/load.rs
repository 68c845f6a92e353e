//! What a divided ledger costs its root, counted in messages.

use std::cell::Cell;
use std::rc::Rc;

use promo_core::ledger::shard::{LedgerLayout, ShardBy};

use crate::dice::Dice;
use crate::history::Said;
use crate::limits::quiet;
use crate::plan::TabPlan;
use crate::till::{Answered, redeem};

#[test]
fn while_more_than_half_is_left_the_root_hears_of_at_most_two_redemptions_in_a_hundred() {
    let layout = LedgerLayout::new(8, ShardBy::Tab);
    let world = quiet(2000, layout);
    let redemptions = 1000;
    for guest in 0..redemptions {
        let tab = TabPlan { place: 0, customer: None, subtotal: 1000, fee: 0 };
        let tab = world.open_tab(&format!("guest{guest}"), tab);
        let heard = Rc::new(Cell::new(false));
        let tell = Rc::clone(&heard);
        let ids = vec!["c0.o0.CODE00".to_owned()];
        let answered = Answered { tell: move || tell.set(true), after: Rc::default() };
        let dice = Dice::of(1, &[guest]);
        let attempt = format!("a{guest}");
        let redeem = redeem(&world, tab, ids, world.now(), attempt, dice, answered);
        world.sim.spawn(guest, redeem);
        world.sim.run();
        assert!(heard.get());
    }
    let history = world.history.borrow();
    let offer = promo_core::ident::OfferRef::parse("c0.o0.CODE00").unwrap();
    assert!(history.redeems.iter().all(|redeem| redeem.said(&offer) == Said::Applied));
    let at_root = history.moves.at_root;
    assert!(at_root * 100 <= 2 * history.redeems.len(), "{at_root} messages to the root");
    assert!(at_root >= 8, "every shard must have asked for its first block");
}
