//! What a law needs to hear of: most laws are about a few kinds of happenings, and a run has millions of others.
//!
//! Only what happens all the time can be left out: datagrams, ticks, events, and the end of each input. Of
//! whatever is rare (what is done to hosts, lives, commands, phases, forgeries) every law hears.

use std::ops::BitOr;

use crate::evidence::Happening;

/// Kinds of frequent happenings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heeds(u8);

impl Heeds {
    /// Nothing that is frequent.
    pub const NONE: Self = Self(0);
    /// [`Happening::Sent`].
    pub const SENT: Self = Self(1);
    /// [`Happening::Arrived`].
    pub const ARRIVED: Self = Self(1 << 1);
    /// [`Happening::Ticked`].
    pub const TICKED: Self = Self(1 << 2);
    /// [`Happening::Reported`].
    pub const REPORTED: Self = Self(1 << 3);
    /// What a datagram says that is sent.
    pub const READ_SENT: Self = Self(1 << 4);
    /// What a datagram says that arrives.
    pub const READ_ARRIVED: Self = Self(1 << 5);
    /// The end of an input.
    pub const SETTLED: Self = Self(1 << 6);
    /// What every datagram says that a node has to do with.
    pub const READ: Self = Self(Self::READ_SENT.0 | Self::READ_ARRIVED.0);
    /// Everything.
    pub const ALL: Self = Self(0x7f);

    /// What this happening is; `None`: it is rare, and concerns all.
    pub(super) const fn of(what: &Happening<'_>) -> Option<Self> {
        match what {
            Happening::Sent { .. } => Some(Self::SENT),
            Happening::Arrived { .. } => Some(Self::ARRIVED),
            Happening::Ticked { .. } => Some(Self::TICKED),
            Happening::Reported { .. } => Some(Self::REPORTED),
            _ => None,
        }
    }

    /// What reading the datagram of this happening is.
    pub(super) const fn of_reading(what: &Happening<'_>) -> Option<Self> {
        match what {
            Happening::Sent { .. } => Some(Self::READ_SENT),
            Happening::Arrived { .. } => Some(Self::READ_ARRIVED),
            _ => None,
        }
    }
}

impl BitOr for Heeds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// For each kind, the places of those who heed it.
pub(super) struct Heeders {
    of: [Vec<usize>; 7],
    all: Vec<usize>,
}

impl Heeders {
    pub(super) fn of(heeds: &[Heeds]) -> Self {
        let of = std::array::from_fn(|bit| {
            (0..heeds.len()).filter(|place| heeds[*place].0 & (1 << bit) != 0).collect()
        });
        Self { of, all: (0..heeds.len()).collect() }
    }

    /// Those who heed this one kind; `None`: all.
    pub(super) fn get(&self, kind: Option<Heeds>) -> &[usize] {
        match kind {
            Some(kind) => &self.of[kind.0.trailing_zeros() as usize],
            None => &self.all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Case, Jury, law::Invariant, standard};
    use super::*;
    use crate::Phase;
    use crate::World;
    use crate::evidence::{Scene, Witness};
    use crate::host::HostId;
    use crate::run::Run;
    use crate::swarm::Plan;
    use std::sync::{Arc, Mutex, PoisonError};

    /// A law that is told of everything, whatever it says that it heeds.
    struct Attentive(Box<dyn Invariant>);

    impl Invariant for Attentive {
        fn law(&self) -> super::super::Law {
            self.0.law()
        }
        fn looked(&self) -> u64 {
            self.0.looked()
        }
        fn see(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> super::super::Check {
            self.0.see(scene, what)
        }
        fn read(
            &mut self,
            scene: &Scene<'_>,
            what: &Happening<'_>,
            said: &super::super::Reading<'_>,
        ) -> super::super::Check {
            self.0.read(scene, what, said)
        }
        fn moved(
            &mut self,
            world: &World,
            host: HostId,
            moves: &[super::super::Move],
        ) -> super::super::Check {
            self.0.moved(world, host, moves)
        }
        fn accused(
            &mut self,
            world: &World,
            host: HostId,
            accusation: &super::super::Accusation,
        ) -> super::super::Check {
            self.0.accused(world, host, accusation)
        }
        fn settled(&mut self, world: &World, host: HostId) -> super::super::Check {
            self.0.settled(world, host)
        }
        fn over(&mut self, world: &World, phase: Phase) -> super::super::Check {
            self.0.over(world, phase)
        }
    }

    /// A jury that is told of the end of the run only.
    struct Bench(Arc<Mutex<Jury>>);

    impl Witness for Bench {
        fn see(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).see(scene, what);
        }
        fn settled(&mut self, world: &World, host: HostId) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).settled(world, host);
        }
    }

    /// Lets laws watch a run.
    fn seated(run: &mut Run, laws: Vec<Box<dyn Invariant>>) -> Arc<Mutex<Jury>> {
        let jury = Arc::new(Mutex::new(Jury::of(laws)));
        run.world().attach(Bench(Arc::clone(&jury)));
        jury
    }

    #[test]
    fn what_a_law_does_not_heed_makes_no_difference_to_it() {
        for seed in 0..12 {
            let mut plan = Plan::draw(seed);
            plan.set("hosts=6").and_then(|()| plan.set("faults=25")).expect("there are such dials");
            let scenario = plan.scenario();
            let case = Case::of(&scenario).expect("it can be carried out");
            let mut run = Run::new(&scenario).expect("it can be carried out");
            let usual = seated(&mut run, standard(&case));
            let attentive = |law| Box::new(Attentive(law)) as Box<dyn Invariant>;
            let attentive = seated(&mut run, standard(&case).into_iter().map(attentive).collect());
            let juries = [Arc::clone(&usual), Arc::clone(&attentive)];
            run.at_end(move |world| {
                for jury in juries {
                    jury.lock().unwrap_or_else(PoisonError::into_inner).over(world, Phase::Rest);
                }
            });
            run.finish();
            let [usual, attentive] =
                [usual, attentive].map(|jury| jury.lock().unwrap_or_else(PoisonError::into_inner).looked());
            assert_eq!(usual, attentive, "seed {seed}");
        }
    }
}
