//! Nothing is lost and nothing is done twice: the practice recovery is walked by keys in the real cockpit while cockpit and
//! runners are killed, hung up and stopped at random points, and comes to what an undisturbed walk comes to.
//!
//! Two walks are part of the tests. `RELIGHT_FAULTS=20 cargo test --locked --test main faults` walks twenty, and
//! `RELIGHT_FAULTS=seed:7` one again: each prints its seed and every blow. When a blow comes is a matter of the machine's
//! pace, so that a seed repeats the kinds and the pauses, not the very instants.

mod account;
mod blows;
mod walker;

use std::sync::{Arc, Mutex};

use account::Account;
use walker::walk;

/// Walks that are part of the tests, and blows in each.
const WALKS: u64 = 2;
const BLOWS: usize = 10;
/// At once: more of them wait for each other on two cores.
const AT_ONCE: usize = 2;

fn seeds() -> Vec<u64> {
    let wanted = std::env::var("RELIGHT_FAULTS").unwrap_or_default();
    if let Some(seed) = wanted.strip_prefix("seed:") {
        return vec![seed.parse().expect("a number behind seed:")];
    }
    let walks = if wanted.is_empty() {
        WALKS
    } else {
        wanted.parse().expect("how many walks, or seed:N")
    };
    let first = fastrand::u64(..1_000_000);
    (first..first + walks).collect()
}

#[test]
fn a_walk_under_blows_comes_to_what_an_undisturbed_one_comes_to() {
    let calm = walk(0, 0).expect("the undisturbed walk");
    let left = Arc::new(Mutex::new(seeds()));
    let walkers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (left, calm) = (Arc::clone(&left), calm.clone());
            std::thread::spawn(move || walk_all(&left, &calm))
        })
        .collect();
    let wrong: Vec<String> = walkers
        .into_iter()
        .flat_map(|walker| walker.join().expect("no panic"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[expect(
    clippy::print_stdout,
    reason = "shown by --nocapture and beside a failure: the seed is what walks it again"
)]
fn walk_all(left: &Mutex<Vec<u64>>, calm: &Account) -> Vec<String> {
    let mut wrong = Vec::new();
    loop {
        let Some(seed) = left.lock().expect("no poison").pop() else {
            return wrong;
        };
        match walk(seed, BLOWS) {
            Ok(account) => {
                println!("seed {seed}: {}", account.blows.join(", "));
                let differs = account.against(calm);
                wrong.extend(differs.map_err(|why| format!("seed {seed}: {why}")).err());
            }
            Err(why) => wrong.push(format!("seed {seed}: {why}")),
        }
    }
}
