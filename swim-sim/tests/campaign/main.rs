//! Campaigns: whole clusters under random faults, then peace, then judgement.
//!
//! Each run is a function of its seed. The seed first draws which faults exist at all (a run with every fault
//! at once seldom gets far enough to show anything), then the faults themselves. Then the network heals,
//! everybody who is to live lives, and within a stated time all must agree, with nothing left over.
//!
//! `SWIM_RUNS=2000 cargo test --release -p swim-sim --test campaign -- --nocapture` runs a long one;
//! `SWIM_SEED=N` one seed alone, with a transcript to the file that `SWIM_TRANSCRIPT` names.

mod faults;
mod judge;
mod plan;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use plan::Plan;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One run, from its seed to its judgement.
fn run(seed: u64) -> Result<judge::Report, String> {
    let plan = Plan::draw(seed);
    let mut stage = faults::Stage::set(&plan);
    if std::env::var_os("SWIM_TRANSCRIPT").is_some() {
        stage.world.set_transcript(true);
    }
    stage.trouble();
    stage.peace();
    let judged = judge::judge(&mut stage);
    if let Some(path) = std::env::var_os("SWIM_TRANSCRIPT") {
        std::fs::write(path, stage.world.transcript()).expect("SWIM_TRANSCRIPT names a writable file");
    }
    judged.map_err(|why| {
        format!(
            "{why}\nplan: {plan:?}\nalone: SWIM_SEED={seed} cargo test --release -p swim-sim --test campaign"
        )
    })
}

#[test]
fn whatever_happens_to_a_cluster_it_buries_nobody_living_and_agrees_in_the_end() {
    let (first, runs) = match number("SWIM_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("SWIM_RUNS").unwrap_or(60)),
    };
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    let all = Mutex::new(judge::Report::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + runs {
                        return;
                    }
                    match std::panic::catch_unwind(|| run(seed)) {
                        Ok(Ok(report)) => all.lock().expect("no panic inside").add(&report),
                        Ok(Err(why)) => failures.lock().expect("no panic inside").push((seed, why)),
                        Err(_) => failures.lock().expect("no panic inside").push((seed, "panic".into())),
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no panic inside");
    failures.sort();
    let all = all.into_inner().expect("no panic inside");
    eprintln!("worst of {runs} runs: {all:?}");
    for (seed, why) in &failures {
        eprintln!("seed {seed}: {}", why.lines().take(2).collect::<String>());
    }
    assert!(failures.is_empty(), "{} failed, the first by: {}", failures.len(), failures[0].1);
    // A campaign that never saw these has tried nothing.
    let wanted = ["Accused", "Broadcast", "Confirmed", "Dead", "Deaf", "EpochRaised", "Forgotten", "Left"];
    for what in wanted.into_iter().chain(["Refuted", "Stalled", "Suspect", "Updated"]) {
        assert!(runs == 1 || all.seen.contains_key(what), "no run ever saw {what}: {:?}", all.seen);
    }
}
