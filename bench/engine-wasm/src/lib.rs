//! The rules as one Wasm module without imports, each step of a checkout a function of its own, so that
//! an engine with a meter (`promo-bench`) can count each step alone.
//!
//! The host asks for room ([`room`]), writes there, calls a step, and reads what it wrote ([`written`]).
//! One buffer serves both ways. A step returns 1, or 0 when what it was given has faults; the faults are then
//! what it wrote. What a step has read is kept for the next one and for ever: an instance serves one run.
#![expect(unsafe_code, reason = "`no_mangle` on the exports, and nothing else")]

use std::cell::{Cell, RefCell};

use promo_core::{
    campaign::Campaign,
    cart::Cart,
    engine::{
        Asked, Context, Standing, decide as decide_offers,
        simulate::{Defaults, Request, simulate as simulate_request},
    },
    fault::Faults,
    time::Zone,
};

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static CAMPAIGNS: RefCell<Vec<&'static Campaign>> = const { RefCell::new(Vec::new()) };
    static CART: Cell<Option<&'static Cart>> = const { Cell::new(None) };
    static ASKED: Cell<Option<(&'static Request, &'static Context)>> = const { Cell::new(None) };
}

/// Makes room for so many bytes of input, and says where.
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> usize {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        buffer.resize(bytes, 0);
        buffer.as_ptr() as usize
    })
}

/// Where the last step wrote: the address above 32 bits of length.
#[unsafe(no_mangle)]
pub extern "C" fn written() -> u64 {
    BUFFER.with_borrow(|buffer| (buffer.as_ptr() as u64) << 32 | buffer.len() as u64)
}

/// Answers a whole request: what `promo simulate` and `POST /admin/simulate` do.
#[unsafe(no_mangle)]
pub extern "C" fn simulate() -> u32 {
    let reply = BUFFER.with_borrow(|request| simulate_request(request, &defaults()));
    done(reply)
}

/// Reads a request, of which the later steps take the place, the time and, for [`reply`], all the rest.
#[unsafe(no_mangle)]
pub extern "C" fn ask() -> u32 {
    let read = BUFFER.with_borrow(|json| {
        let request = Request::from_json(json)?;
        let context = request.context(&defaults())?;
        ASKED.set(Some((Box::leak(Box::new(request)), Box::leak(Box::new(context)))));
        Ok(Vec::new())
    });
    done(read)
}

/// Reads, checks and compiles one campaign, which [`decide`] is then to ask too.
#[unsafe(no_mangle)]
pub extern "C" fn campaign() -> u32 {
    let read = BUFFER.with_borrow(|json| Campaign::from_json(json));
    done(read.map(|campaign| {
        CAMPAIGNS.with_borrow_mut(|campaigns| campaigns.push(Box::leak(Box::new(campaign))));
        Vec::new()
    }))
}

/// Reads and checks the cart.
#[unsafe(no_mangle)]
pub extern "C" fn cart() -> u32 {
    let read = BUFFER.with_borrow(|json| Cart::from_json(json));
    done(read.map(|cart| {
        CART.set(Some(Box::leak(Box::new(cart))));
        Vec::new()
    }))
}

/// Decides which of the campaigns' offers apply to the cart; no JSON is read or written.
#[unsafe(no_mangle)]
pub extern "C" fn decide() -> u32 {
    let (Some(cart), Some((_, context))) = (CART.get(), ASKED.get()) else {
        return 0;
    };
    let decided = CAMPAIGNS.with_borrow(|campaigns| {
        let asked: Vec<Asked<'_>> =
            campaigns.iter().map(|campaign| Asked::open(campaign)).collect();
        decide_offers(&asked, cart, context, Standing::nothing())
            .map(|decision| decision.applied.len())
    });
    u32::from(decided.is_ok_and(|applied| applied > 0))
}

/// Decides on the request that was asked, and writes the reply.
#[unsafe(no_mangle)]
pub extern "C" fn reply() -> u32 {
    let Some((request, context)) = ASKED.get() else {
        return 0;
    };
    done(request.reply(context).map(|reply| reply.to_json()))
}

fn defaults() -> Defaults {
    Defaults { now: None, zone: Zone::utc() }
}

fn done(result: Result<Vec<u8>, Faults>) -> u32 {
    let (fine, bytes) = match result {
        Ok(bytes) => (1, bytes),
        Err(faults) => (0, faults.to_string().into_bytes()),
    };
    BUFFER.set(bytes);
    fine
}
