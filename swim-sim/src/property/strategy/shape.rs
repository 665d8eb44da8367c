//! What scenarios may be drawn.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::action::FaultClass;
use crate::scenario::Profile;

/// What a test wants to see: how many hosts, which faults, how many of them, in how much time.
///
/// ```
/// # use std::time::Duration;
/// # use swim_sim::{FaultClass, property::Shape};
/// let shape = Shape { hosts: 3..=5, classes: vec![FaultClass::Pause, FaultClass::Crash], ..Shape::default() };
/// assert_eq!(shape.faults, 0..=12);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// How many hosts there are. Default: 3 to 7.
    pub hosts: RangeInclusive<u32>,
    /// How many faults are drawn. Default: up to 12.
    pub faults: RangeInclusive<usize>,
    /// Of which kinds; failures are shown with the first ones where those do as well. Default: what happens to every
    /// cluster some day. Not among them: clocks that run wrong, names that are used twice, and datagrams that are
    /// damaged or hostile, none of which every application can withstand.
    pub classes: Vec<FaultClass>,
    /// All faults are over when the trouble has lasted so long. Default: a minute.
    pub horizon: Duration,
    /// Which defaults the members' options may have. Default: those of a local network.
    pub profiles: Vec<Profile>,
}

impl Default for Shape {
    fn default() -> Self {
        use FaultClass::{
            Crash, Duplication, LateTicks, Latency, Leave, Loss, Move, OneWayCut, Partition, Pause,
            Reordering, Restart, Slow, Spike, Unplug,
        };
        let classes = vec![
            Crash,
            Pause,
            Partition,
            OneWayCut,
            Loss,
            Latency,
            Restart,
            Leave,
            Unplug,
            Spike,
            Duplication,
            Reordering,
            Slow,
            LateTicks,
            Move,
        ];
        let horizon = Duration::from_secs(60);
        Self { hosts: 3..=7, faults: 0..=12, classes, horizon, profiles: vec![Profile::Lan] }
    }
}
