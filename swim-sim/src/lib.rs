//! Whole clusters of real [`swim_core::Node`]s under a virtual clock.
//!
//! A [`World`] holds hosts, each running one unmodified node, and a network between them. Nothing in it
//! waits: the next thing to happen is taken from a queue ordered by (time, sequence), the clock jumps to
//! it, the node concerned is driven exactly as the real drivers drive it, and what it sends is put back into
//! the queue. A minute of a cluster of hundreds costs milliseconds, and everything in it, every node's
//! randomness and every lost datagram, follows from one number: the seed. [`World::fingerprint`] hashes what
//! nodes were given, sent and reported, so two runs are the same if it is the same.
//!
//! ```text
//!   World ─ step() ─▶ next of Queue (time, sequence)
//!     ├─ Arrive ─▶ Host: inbox ─▶ Node::handle ─▶ poll ─┬─▶ Fabric: hook · cuts · loss · latency ─▶ Queue
//!     ├─ Wake   ─▶ Host: drain the inbox, then Tick     └─▶ log, ground truth, transcript
//!     └─ Act    ─▶ crash, restart, pause, partition, …
//! ```
//!
//! # Where to start
//!
//! - **The binary `swim-sim`** (`docs/simulation.md`) searches for runs in which a property breaks.
//! - **[`application`]** tests your application on top of the membership (`docs/testing-your-application.md`), with
//!   the feature `proptest` and without the default ones.
//! - **[`World`]** itself, for tests of one behaviour, as in the example below.
//!
//! # How it is laid out
//!
//! | | |
//! | --- | --- |
//! | `world`, `host`, `queue`, `alarms`, `clock`, `slowness` | the loop, the processes and their clocks |
//! | `net`, `traffic` | links, cuts, addresses; what became of datagrams |
//! | `action`, `hostile` | what can be done to a world, and what hostile hosts send |
//! | [`scenario`], [`run`] | a run as data, and how it is carried out in phases |
//! | [`properties`], `ground_truth` | what must hold in every run, and what really happened |
//! | [`swarm`], [`sweep`], [`shrink`], [`coverage`] | the search: a seed draws a plan, many seeds, the smallest failure, what was seen |
//! | `timeline`, [`report`], `transcript`, `fingerprint` | a run for people, and its digest |
//! | [`application`] | tests of code that uses the membership |
//! | [`mutants`] | cores that are wrong on purpose |
//!
//! ```
//! use std::time::Duration;
//! use swim_core::{Config, Status};
//! use swim_sim::World;
//!
//! let (mut world, hosts) = World::joined(7, 5, &Config::lan().into()).expect("five members converge");
//! world.crash(hosts[3]);
//! let survivors = [hosts[0], hosts[1], hosts[2], hosts[4]];
//! let took = world
//!     .run_until(Duration::from_secs(60), |world| world.all_believe(&survivors, &[hosts[3]], Status::Dead))
//!     .expect("a crash is detected");
//! assert!(took > Duration::from_secs(1));
//! assert_eq!(world.false_deaths().count(), 0);
//! ```
#![forbid(unsafe_code)]

mod action;
mod alarms;
pub mod application;
mod clock;
pub mod coverage;
mod fingerprint;
mod ground_truth;
mod host;
mod host_id;
mod hostile;
pub mod mutants;
mod net;
pub mod properties;
mod queue;
mod random;
pub mod report;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod situations;
mod slowness;
pub mod swarm;
pub mod sweep;
mod text;
mod timeline;
mod traffic;
mod transcript;
mod world;

pub use action::{Action, FaultClass, Inbox, Memory, Origin, Phase as ActionPhase, Says};
pub use fingerprint::Fingerprint;
#[doc(hidden)]
pub use ground_truth::{Death, Fate, Happening, Phase, Presence, Scene};
pub use host::{HostId, Logged, Spec};
pub use net::{Arrival, Burst, Datagram, Directions, Handling, Latency, Link, Network, PER_CENT, Rate};
pub use random::Random;
pub use timeline::{Limits, Timeline};
pub use traffic::{Count, Traffic};
pub use world::{Setup, Timeout, Watcher, World};
