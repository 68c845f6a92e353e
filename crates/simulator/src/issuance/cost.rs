//! What taking a number costs.

use promo_core::issuance::pool::{Add, Command, Part, Reply, RequestState};
use promo_core::time::Instant;

use super::books::{Maps, ask, numbers};

const NOW: Instant = Instant::from_millis(1_000_000);

fn add(numbers: Vec<promo_core::issuance::Number>) -> Command {
    Command::Add(Add { numbers, part: None })
}

#[test]
fn taking_a_number_costs_the_same_whatever_is_in_the_pool() {
    let mut costs = Vec::new();
    for size in [0, 1, 10, 1000, 1_000_000] {
        let mut pool = Maps::default();
        pool.run(&add(numbers(0, size)), NOW);
        let (reply, read, written) = pool.run(&ask("card", "member", true), NOW);
        let state = if size == 0 { RequestState::Waiting } else { RequestState::Reserved };
        assert_eq!(reply, Reply::Request { request: 0, state });
        assert!(read <= 8 && written <= 4, "{size}: {read} read, {written} written");
        costs.push((read, written));
    }
    assert!(costs[1..].windows(2).all(|pair| pair[0] == pair[1]), "{costs:?}");
}

#[test]
fn a_part_of_an_upload_that_comes_again_adds_nothing_and_one_out_of_step_says_where_to_go_on() {
    let mut pool = Maps::default();
    let part = |from: u64, line, lines| {
        let part = Part { upload: "file".to_owned(), line, lines };
        Command::Add(Add { numbers: numbers(from, lines - 1), part: Some(part) })
    };
    let mut run = |command: &Command| pool.run(command, NOW).0;
    assert_eq!(run(&part(0, 0, 11)), Reply::Added { added: 10, lines: 11 });
    assert_eq!(run(&part(0, 0, 11)), Reply::Added { added: 0, lines: 11 });
    assert_eq!(run(&part(20, 22, 11)), Reply::OutOfStep { lines: 11 });
    assert_eq!(run(&part(5, 11, 11)), Reply::Known(vec![0, 1, 2, 3, 4]));
    assert_eq!(run(&part(10, 11, 11)), Reply::Added { added: 10, lines: 22 });
    assert_eq!(pool.pool.free(), 20);
}

#[test]
fn nobody_passes_those_who_wait() {
    let mut pool = Maps::default();
    for card in 0..700 {
        let (reply, ..) = pool.run(&ask(&format!("c{card:03}"), &format!("m{card}"), false), NOW);
        assert_eq!(reply, Reply::Request { request: card, state: RequestState::Waiting });
    }
    pool.run(&add(numbers(0, 1000)), NOW);
    // Not all have been served yet, and there are numbers: one who asks now waits behind them.
    assert_eq!((pool.pool.waiting, pool.pool.free()), (200, 500));
    let (reply, ..) = pool.run(&ask("late", "late", false), NOW);
    assert_eq!(reply, Reply::Request { request: 700, state: RequestState::Waiting });
    pool.run(&Command::Serve(1000), NOW);
    for (no, request) in &pool.requests {
        assert_eq!(request.bound.as_ref().unwrap().position, *no);
    }
}
