//! What every driver must do alike: scripted scenarios, written once, run on each.
//!
//! A test crate includes this file with `#[path]`, implements [`Cluster`] for what it drives, and expands
//! `conformance!`: one test for each scenario. Scenarios assert what happened (which
//! events, in which order, about whom), never how fast; a limit only says when waiting is hopeless. All
//! waiting goes through [`Cluster::pass`], so a virtual clock serves as well as a real one.

mod scenarios;
pub(crate) mod stories;

pub(crate) use scenarios::*;

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::{Config, Event, NodeId, Options, Stats};
use swim_driver::os::Settings;
use swim_driver::{CommandError, Outcome, OwnedCommand, OwnedMember};

/// A member of a [`Cluster`], in the order of starting.
pub(crate) type Member = usize;
/// A command that was begun.
pub(crate) type Ticket = usize;

/// Members that can be started, stopped and commanded.
pub(crate) trait Cluster {
    /// An address that is free now, for a member that starts later.
    fn free_addr(&mut self) -> SocketAddr;
    /// Starts a member. Also with the id and address of one that was stopped.
    fn start(&mut self, settings: Settings) -> Member;
    /// Where a member is.
    fn addr(&mut self, member: Member) -> SocketAddr;
    /// Ends a member without a goodbye.
    fn kill(&mut self, member: Member);
    /// Whether a member's driver still runs.
    fn is_running(&mut self, member: Member) -> bool;
    /// Hands a command to a member, without waiting.
    fn begin(&mut self, member: Member, command: OwnedCommand) -> Ticket;
    /// How a command ended, if it has.
    fn outcome(&mut self, ticket: Ticket) -> Option<Result<Outcome, CommandError>>;
    /// Sends bytes to `target` from an address that is no member's.
    fn inject(&mut self, target: SocketAddr, bytes: &[u8]);
    /// All events of a member so far, taking in the new ones.
    fn history(&mut self, member: Member) -> Vec<Event>;
    /// A member's table now.
    fn members(&mut self, member: Member) -> Vec<OwnedMember>;
    /// A member's counters now.
    fn stats(&mut self, member: Member) -> Stats;
    /// Lets time pass.
    fn pass(&mut self, time: Duration);

    /// Hands a command to a member and waits for its end.
    fn command(&mut self, member: Member, command: OwnedCommand) -> Result<Outcome, CommandError> {
        let what = format!("the outcome of {command:?} of member {member}");
        let ticket = self.begin(member, command);
        wait_for(self, &what, |cluster| cluster.outcome(ticket))
    }
}

/// Waits until `look` finds something. Panics after [`LIMIT`].
pub(crate) fn wait_for<C: Cluster + ?Sized, T>(
    cluster: &mut C,
    what: &str,
    mut look: impl FnMut(&mut C) -> Option<T>,
) -> T {
    let mut passed = Duration::ZERO;
    loop {
        if let Some(found) = look(cluster) {
            return found;
        }
        assert!(passed < LIMIT, "waited {LIMIT:?} in vain for {what}");
        cluster.pass(STEP);
        passed += STEP;
    }
}

/// Waits until `holds`. Panics after [`LIMIT`].
pub(crate) fn wait_until<C: Cluster + ?Sized>(
    cluster: &mut C,
    what: &str,
    mut holds: impl FnMut(&mut C) -> bool,
) {
    wait_for(cluster, what, |cluster| holds(cluster).then_some(()));
}

/// Settings of a member named `name` at any free port of the loopback address, with short periods.
pub(crate) fn settings(name: &str) -> Settings {
    let mut options = Options::local();
    options.period = Duration::from_millis(200);
    options.direct_timeout = Duration::from_millis(80);
    options.gossip_interval = Some(Duration::from_millis(50));
    options.join_retry = (Duration::from_millis(50), Duration::from_millis(200));
    options.sync_interval_max = Some(Duration::from_secs(2));
    let config = Config::new(options).expect("in range");
    Settings::new(config, NodeId::from_name(name), "127.0.0.1:0".parse().expect("a valid address"))
}

/// When waiting is hopeless: several times the longest suspicion of [`settings`].
const LIMIT: Duration = Duration::from_secs(40);
const STEP: Duration = Duration::from_millis(10);

/// One test for each scenario, each on a cluster of its own.
macro_rules! conformance {
    ($cluster:expr) => {
        conformance!(@ $cluster,
            members_that_join_through_one_seed_all_list_each_other
            a_seed_that_comes_up_late_is_found
            one_living_seed_among_dead_ones_is_enough
            a_killed_member_is_suspected_then_dead_and_no_other_is
            a_restarted_member_is_alive_again_in_a_higher_epoch
            a_leave_is_reported_as_left_and_ends_the_driver
            changed_metadata_reaches_all_members
            a_broadcast_reaches_all_members_once
            a_message_reaches_the_member_it_is_for
            a_message_to_a_stranger_is_refused
            metadata_and_payloads_beyond_their_bounds_are_refused
            garbage_is_counted_and_changes_nothing
            a_member_whose_name_is_taken_reports_it_and_ends
            a_cancelled_join_ends_as_cancelled
            a_join_without_a_usable_seed_is_refused
            a_flood_of_datagrams_neither_kills_nor_hides_a_death
            a_consumer_that_is_too_slow_learns_how_much_it_lost
            broadcasts_push_out_no_death
            a_stopped_driver_answers_that_it_has_stopped
        );
    };
    (@ $cluster:expr, $($scenario:ident)*) => {
        $(
            #[test]
            fn $scenario() {
                crate::conformance::$scenario(&mut $cluster);
            }
        )*
    };
}
