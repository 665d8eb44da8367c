//! Tests of **your** application over a simulated cluster.
//!
//! What is built on a membership (leases, shards, routes) seldom fails while all is well. It fails when the leader
//! stands still for four seconds, or when one direction of one link is gone, and it does so once in a month. Here
//! it fails in milliseconds, and again, the same way: your code is an [`Application`], one value of it runs
//! in each process of a [`Cluster`], a scenario says what happens to processes and network, and a rule that
//! must never be broken is asked after each thing that happens. What your code sees is what it sees in
//! production: the events of its node, its member table, messages, timers by its process's clock.
//!
//! With the feature `proptest`, `scenarios` draws such scenarios, and what fails shrinks to a few steps, printed as a
//! file that `swim-sim replay` takes. `docs/testing-your-application.md` walks through an example.
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::time::Duration;
//! use swim_core::{Event, NodeId};
//! use swim_sim::application::{Application, Cluster, Context};
//! use swim_sim::scenario::Scenario;
//!
//! /// Greets all members once a second.
//! #[derive(Default)]
//! struct Polite {
//!     greeted_by: BTreeSet<NodeId>,
//! }
//!
//! impl Application for Polite {
//!     fn on_start(&mut self, ctx: &mut Context<'_>) {
//!         ctx.set_timer(Duration::from_secs(1), 0);
//!     }
//!
//!     fn on_timer(&mut self, ctx: &mut Context<'_>, _token: u64) {
//!         let others: Vec<NodeId> = ctx.members().filter(|row| !row.is_me).map(|row| row.id).collect();
//!         for other in others {
//!             ctx.send(other, b"good day").expect("short, and a member");
//!         }
//!         ctx.set_timer(Duration::from_secs(1), 0);
//!     }
//!
//!     fn on_event(&mut self, _ctx: &mut Context<'_>, event: &Event) {
//!         if let Event::Message { from, .. } = event {
//!             self.greeted_by.insert(*from);
//!         }
//!     }
//! }
//!
//! let mut cluster = Cluster::new(&Scenario::calm(7, 4), |_host| Polite::default())?;
//! cluster.gather()?;
//! cluster.eventually(Duration::from_secs(5), |cluster| {
//!     cluster.running().all(|(_, app)| app.greeted_by.len() == 3)
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cluster;
mod context;
mod process;
#[cfg(feature = "proptest")]
mod strategy;

pub use cluster::{Cluster, Failure};
pub use context::{Application, Context};
#[cfg(feature = "proptest")]
pub use strategy::{Drawn, Shape, Topology, scenarios, topologies};
