//! Whole clusters of real [`swim_core::Node`]s under a virtual clock.
//!
//! A [`World`] holds hosts, each running one unmodified node, and a network between them. Nothing in it
//! waits: the next thing to happen is taken from a queue ordered by (time, sequence), the clock jumps to
//! it, the node concerned is driven exactly as the real drivers drive it, and whatever it sends is put
//! back into the queue. A minute of a cluster of hundreds costs milliseconds, and everything in it,
//! every node's randomness and every lost datagram, follows from one number: the seed.
//!
//! ```text
//!   World ─ step() ─▶ next of Queue (time, sequence)
//!     ├─ Arrive ─▶ Host: inbox ─▶ Node::handle ─▶ poll ─┬─▶ Fabric: hook · cuts · loss · latency ─▶ Queue
//!     ├─ Wake   ─▶ Host: drain the inbox, then Tick     └─▶ log, ground_truth of deaths, transcript
//!     └─ Act    ─▶ crash, restart, pause, partition, …
//! ```
//!
//! Whether two runs were the same is not a matter of opinion: [`World::fingerprint`] hashes everything
//! that nodes were given, sent and reported, in order.
//!
//! # Three ways to use it
//!
//! - **The binary `swim-sim`** (`docs/simulation.md`) searches: a seed draws a plan ([`swarm`]), the plan a
//!   [`scenario`], which is carried out in phases ([`run`]) and judged by laws ([`properties`]); [`sweep`] does
//!   that for many seeds, [`coverage`] says what it must have seen, [`shrink`] makes a failure small, and
//!   [`report`] shows it.
//! - **[`property`]** tests your application on top of the membership (`docs/testing-your-application.md`), with
//!   the feature `proptest` and without the default ones.
//! - **[`World`]** itself, for tests of one behaviour:
//!
//! ```
//! use std::time::Duration;
//! use swim_core::{Config, Status};
//! use swim_sim::World;
//!
//! let (mut world, hosts) = World::joined(7, 5, &Config::lan().into()).expect("five members converge");
//! world.crash(hosts[3]);
//! let everybody_else = [hosts[0], hosts[1], hosts[2], hosts[4]];
//! let took = world
//!     .run_until(Duration::from_secs(60), |world| world.all_believe(&everybody_else, &[hosts[3]], Status::Dead))
//!     .expect("a crash is detected");
//! assert!(took > Duration::from_secs(1));
//! assert_eq!(world.false_deaths().count(), 0);
//! ```
#![forbid(unsafe_code)]

mod action;
mod alarms;
mod clock;
pub mod coverage;
mod fingerprint;
mod floor;
mod ground_truth;
mod host;
mod host_id;
mod hostile;
pub mod mutants;
mod net;
pub mod properties;
pub mod property;
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
pub use floor::Floor;
pub use ground_truth::{Death, Fate, Happening, Phase, Presence, Scene, Watcher};
pub use host::{HostId, Logged, Spec};
pub use net::{Arrival, Burst, Datagram, Directions, Handling, Latency, Link, Network, PER_CENT, Rate};
pub use random::Random;
pub use timeline::{Limits, Timeline};
pub use traffic::{Count, Traffic};
pub use world::{Setup, Timeout, World};
