//! The real `Node`, through its public doors only: datagrams made byte by byte from `docs/wire.md` or by
//! other nodes, and a clock in the test's hand.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `allocates_nothing.rs` | steady-state handling allocates nothing |
//! | `memory.rs` | how many bytes a member takes |
//! | `never_panics.rs` | whatever comes in, in whatever order, what must always hold holds |
//! | `bounds.rs` | every bound is reached, and holds |
//! | `named.rs` | every named bound has such a test |
//! | `drops.rs` | every reason to drop something is counted under its own name |
//! | `fairness.rs` | neither updates nor broadcasts starve |
//! | `state.rs` | a node can be saved and loaded at any moment, and its payloads exchanged |
//! | `strangers.rs` | what strangers can make a node do |
//! | `wrong_source.rs` | a node that advertises one address and sends from another |
//! | `clocks.rs` | what a node accepts whose wall clock is far ahead of its cluster's epoch clock |
//! | `rules.rs` | single rules of the acts in `src/node/` |

use swim_craft as craft;

mod allocates_nothing;
mod bounds;
mod broadcasts;
mod clocks;
mod counting;
mod drops;
mod fairness;
mod lab;
mod memory;
mod mesh;
mod named;
mod never_panics;
mod rules;
mod state;
mod strangers;
mod types;
mod wrong_source;
