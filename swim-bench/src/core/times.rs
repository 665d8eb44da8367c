//! Time: batches of ours and theirs in turn, and of each the median.

use std::error::Error;
use std::time::{Duration, Instant};

use super::foca::{PEER_MAX, Peer};
use super::meter::{Nothing, Wall, median};
use super::operation::{Operation, Side};
use super::swim::Swim;
use crate::foca_name::{Address as _, Lean, Usual};
use crate::measure::{Claim, Measure};
use crate::table::Presenter;

/// Batches of each side.
const REPEATS: usize = 7;
/// How long the processor is kept busy before anything is measured.
const WARM_UP: Duration = Duration::from_millis(500);
/// What a ping may take, in nanoseconds.
const PING_NS: f64 = 200.0;
/// How long a batch should take, in nanoseconds.
const BATCH_NS: f64 = 4e6;

/// The largest table that is made anew for every batch of newcomers.
const ANEW_MAX: u32 = 1_000;

/// Compares all operations, or one, at all sizes.
pub(super) fn compare(
    presenter: &mut Presenter,
    sizes: &[u32],
    only: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    let wanted = |operation: &Operation| only.is_none_or(|only| only == operation.name());
    // A processor that was idle is slow at first.
    let began = Instant::now();
    while began.elapsed() < WARM_UP {
        Wall::look();
    }
    let look = Wall::look();
    presenter.heading("time for each operation")?;
    for members in sizes {
        let mut ours = Swim::at_rest(*members);
        let saved = ours.save();
        let mut usual = (*members <= PEER_MAX).then(|| Peer::<Usual>::at_rest(*members));
        let mut lean = (*members <= PEER_MAX).then(|| Peer::<Lean>::at_rest(*members));
        for operation in Operation::ALL.into_iter().filter(wanted) {
            let mut figures: [Vec<f64>; 3] = Default::default();
            let mut times = [0; 3];
            for round in 0..=REPEATS {
                let [first, second, third] = &mut figures;
                // Newcomers stay: a small table is made anew, a large one is hardly larger for them.
                if operation == Operation::Newcomer {
                    times = [(*members / 400).clamp(1, 8); 3];
                    if *members <= ANEW_MAX {
                        ours = Swim::load(&saved)?;
                        usual = usual.map(|_| Peer::at_rest(*members));
                        lean = lean.map(|_| Peer::at_rest(*members));
                    }
                }
                turn(&mut ours, operation, &mut times[0], round, look, first);
                if let Some(peer) = usual.as_mut().filter(|_| Peer::<Usual>::can(operation)) {
                    turn(peer, operation, &mut times[1], round, look, second);
                }
                if let Some(peer) = lean.as_mut().filter(|_| Peer::<Lean>::can(operation)) {
                    turn(peer, operation, &mut times[2], round, look, third);
                }
            }
            let [ours, usual, lean] = figures.map(|mut figures| median(&mut figures));
            let limit = (operation == Operation::Ping).then_some(Claim::AtMost(PING_NS));
            let faster = claimed(operation, *members).map(Claim::TimesLess);
            let measure =
                Measure::new(operation.title(), Some((*members).into()), "ns", ours).claiming(limit);
            let peers = [(Usual::WHAT, usual, faster), (Lean::WHAT, lean, limit)];
            presenter.show_beside(&measure, peers.into_iter().filter(|(_, figure, _)| *figure > 0.0))?;
        }
    }
    Ok(())
}

/// How much faster than foca is claimed.
fn claimed(operation: Operation, members: u32) -> Option<f64> {
    Some(match (operation, members) {
        (Operation::Ping, 10) => 2.5,
        (Operation::Ping, 1_000) => 10.0,
        (Operation::Ping, 10_000) => 80.0,
        (Operation::Ping, 100_000) => 800.0,
        (Operation::Known, 10) => 2.0,
        (Operation::Known, 1_000) => 40.0,
        (Operation::Known, 10_000) => 300.0,
        (Operation::Known, 100_000) => 2_000.0,
        _ => return None,
    })
}

/// One batch. The first finds out how long it is to be.
fn turn(
    side: &mut impl Side,
    operation: Operation,
    times: &mut u32,
    round: usize,
    look: f64,
    figures: &mut Vec<f64>,
) {
    if round == 0 && operation != Operation::Newcomer {
        side.perform(operation, 1, &mut Nothing);
        let mut wall = Wall::default();
        side.perform(operation, 1, &mut wall);
        let once = wall.nanos(look).max(50.0);
        *times = (BATCH_NS / once).clamp(1.0, 20_000.0) as u32;
        return;
    }
    figures.push(side.timed(operation, *times, look));
}
