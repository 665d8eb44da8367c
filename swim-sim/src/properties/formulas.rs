//! The papers' formulas, written down once more and independently of the core: what properties measure by.
//!
//! Each is tested against the paper, in floating point, and against what the core does.

use std::cmp::Ordering;
use std::time::Duration;

use swim_core::{Claim, Config, Status};

/// Whether a table that holds `held` must give way to `new`: a later epoch; then Left, which is final for its
/// epoch; then the later incarnation; then Alive < Suspect < Dead (SWIM section 4.2, `docs/protocol.md`).
pub(super) fn supersedes(held: &Claim, new: &Claim) -> bool {
    let rank = |claim: &Claim| match claim.status {
        Status::Alive => 0,
        Status::Suspect => 1,
        Status::Dead => 2,
        Status::Left => 3,
    };
    let left = |claim: &Claim| claim.status == Status::Left;
    let order = (new.epoch.cmp(&held.epoch))
        .then_with(|| left(new).cmp(&left(held)))
        .then_with(|| if left(new) { Ordering::Equal } else { new.incarnation.cmp(&held.incarnation) })
        .then_with(|| rank(new).cmp(&rank(held)));
    order == Ordering::Greater
}

/// The shortest suspicion timeout among `n` members, rounded down: α · max(1, log₁₀ n) · T (Lifeguard
/// section IV-B).
pub(super) fn suspicion_min(config: &Config, n: u32) -> Duration {
    config.period * u32::from(config.alpha) * log10_sixteenths(n).max(16) / 16
}

/// The same, rounded up.
pub(super) fn suspicion_min_rounded_up(config: &Config, n: u32) -> Duration {
    config.period * u32::from(config.alpha) * (log10_sixteenths(n) + 1).max(16) / 16
}

/// 16 · log₁₀ n, rounded down.
fn log10_sixteenths(n: u32) -> u32 {
    // The sixteenth power of 255 fits; of more members as many powers as fit, which is rounded down further.
    let n = u128::from(n.max(1));
    let power = (1..=4).rev().map(|e| 1 << e).find(|p| n.checked_pow(*p).is_some()).unwrap_or(1);
    n.pow(power).ilog10() * 16 / power
}

/// How often each member gossips one update in a cluster of `n`: λ · ⌈log₁₀(n + 1)⌉, at most 64 (SWIM section
/// 4.1).
pub(super) fn sends(config: &Config, n: u32) -> u32 {
    (u32::from(config.lambda) * (n.max(1).ilog10() + 1)).min(64)
}

/// How long an update is gossiped: until it has grown to all, and the last have sent it as often as they send
/// anything. Without a gossip tick it piggybacks on a ping and an ack in each period.
pub(super) fn dissemination(config: &Config, n: u32) -> Duration {
    let (interval, fanout) = match config.gossip_interval {
        Some(interval) => (interval, u32::from(config.gossip_fanout)),
        None => (config.period, 2),
    };
    let (mut growth, mut reached) = (0, 1_u32);
    while reached < n {
        reached = reached.saturating_mul(fanout + 1);
        growth += 1;
    }
    interval * (growth + sends(config, n).div_ceil(fanout) + 1)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use swim_core::{Epoch, Event, Incarnation, Options};

    use super::*;
    use crate::World;
    use crate::ground_truth::{Happening, Scene};
    use crate::world::Watcher;

    #[test]
    fn the_logarithm_is_rounded_down_to_a_sixteenth() {
        for (n, sixteenths) in [(1, 0), (9, 15), (10, 16), (100, 32), (255, 38), (1000, 48), (100_000, 80)] {
            assert_eq!(log10_sixteenths(n), sixteenths, "{n}");
        }
    }

    #[test]
    fn the_shortest_suspicion_is_that_of_the_paper() {
        let config = Config::lan();
        for n in (1..3_000).step_by(7) {
            let paper = config.period.as_secs_f64() * f64::from(config.alpha) * f64::from(n).log10().max(1.0);
            let (least, most) = (suspicion_min(&config, n), suspicion_min_rounded_up(&config, n));
            assert!(least.as_secs_f64() <= paper + 1e-9 && paper <= most.as_secs_f64() + 0.3, "{n}: {paper}");
            assert!(paper - least.as_secs_f64() < 0.6, "{n}: {paper}");
        }
    }

    #[test]
    fn an_update_is_gossiped_lambda_times_for_each_decade_as_in_the_paper() {
        let config = Config::lan();
        for n in [1_u32, 5, 9, 10, 11, 99, 100, 5_000] {
            let paper = u32::from(config.lambda) * f64::from(n + 1).log10().ceil() as u32;
            assert_eq!(sends(&config, n), paper, "{n}");
        }
    }

    /// Timeouts of suspicions with one accuser.
    struct Timeouts(Arc<Mutex<Vec<Duration>>>);

    impl Watcher for Timeouts {
        fn on_happening(&mut self, _: &Scene<'_>, what: &Happening<'_>) {
            if let Happening::Reported { event: Event::Suspect { timeout, .. }, .. } = what {
                self.0.lock().expect("no test panics").push(*timeout);
            }
        }
    }

    #[test]
    fn the_core_gives_a_lone_accusation_beta_times_the_shortest_suspicion() {
        for n in [5_u32, 15, 40] {
            let mut options = Options::lan();
            options.confirmations = 3;
            let config = Arc::new(Config::new(options).expect("in range"));
            let (mut world, hosts) = World::joined(3, n as usize, &config).expect("a calm world converges");
            let seen = Arc::new(Mutex::new(Vec::new()));
            world.attach(Timeouts(Arc::clone(&seen)));
            world.crash(hosts[1]);
            world.run_for(Duration::from_secs(60));
            let longest = seen.lock().expect("no test panics").iter().copied().max().expect("a suspicion");
            let beta = u32::from(config.beta);
            let limits = suspicion_min(&config, n) * beta..=suspicion_min_rounded_up(&config, n) * beta;
            assert!(limits.contains(&longest), "{n}: {longest:?} is not in {limits:?}");
        }
    }

    #[test]
    fn the_order_of_claims_is_the_core_s_and_strict() {
        let claims: Vec<Claim> = (0..3)
            .flat_map(|epoch| (0..3).map(move |incarnation| (Epoch(epoch), Incarnation(incarnation))))
            .flat_map(|(epoch, incarnation)| {
                [Status::Alive, Status::Suspect, Status::Dead, Status::Left].map(|status| Claim {
                    epoch,
                    incarnation,
                    status,
                })
            })
            .collect();
        for (held, new) in claims.iter().flat_map(|held| claims.iter().map(move |new| (held, new))) {
            assert_eq!(supersedes(held, new), swim_core::supersedes(held, new), "{new:?} over {held:?}");
            assert!(!(supersedes(held, new) && supersedes(new, held)));
        }
    }
}
