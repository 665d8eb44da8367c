//! The dials of a plan: their names, what they mean, and how they are drawn.

use swim_core::Options;

use crate::Random;
use crate::random::purpose;
use crate::scenario::{ScenarioError, Settings, option_names};

/// One dial of a plan, and what it is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dial {
    /// What it is called.
    pub name: &'static str,
    /// What it means, and its unit.
    pub about: &'static str,
    /// What it is set to; switches are 0 or 1.
    pub value: u32,
    /// The largest value.
    pub most: u32,
    /// Set by hand, not drawn.
    pub by_hand: bool,
}

/// Declares the dials: name, what it means, the largest value, and how it is drawn from a closure that gives a
/// number below its argument. Their order is their streams': append only.
macro_rules! dials {
    ($($name:ident: $about:literal, $most:expr, |$below:ident| $draw:expr;)*) => {
        /// What a run will be like. Every field is a dial: see [`Plan::dials`] for what they mean.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub struct Plan {
            /// Everything random follows from it.
            pub seed: u64,
            $(#[doc = $about] pub $name: u32,)*
            by_hand: Vec<&'static str>,
            /// Options of the members that were set by hand.
            pub(super) options: Settings,
        }

        impl Plan {
            /// The plan of a seed.
            #[must_use]
            pub fn draw(seed: u64) -> Self {
                let mut stream = 0_u64;
                $(
                    let $name: u32 = {
                        let mut random = Random::new(seed, purpose::PLAN, stream);
                        stream += 1;
                        let mut $below = |n: u32| u32::try_from(random.below(n.into())).expect("below a u32");
                        $draw
                    };
                )*
                let _ = stream;
                Self { seed, $($name,)* by_hand: Vec::new(), options: Settings::default() }
            }

            /// All dials.
            #[must_use]
            pub fn dials(&self) -> Vec<Dial> {
                vec![$(Dial {
                    name: stringify!($name),
                    about: $about,
                    value: self.$name,
                    most: $most,
                    by_hand: self.by_hand.contains(&stringify!($name)),
                }),*]
            }

            fn dial(&mut self, name: &str) -> Option<(&'static str, &mut u32, u32)> {
                match name {
                    $(stringify!($name) => Some((stringify!($name), &mut self.$name, $most)),)*
                    _ => None,
                }
            }
        }
    };
}

dials! {
    hosts: "hosts at the beginning", 10_000, |below| match below(4) {
        0 => 3 + below(4),
        1 | 2 => 5 + below(16),
        _ => 20 + below(41),
    };
    profile: "0 lan, 1 local, 2 wan", 2, |below| [0, 0, 1, 2][below(4) as usize];
    faults: "faults that are drawn", 100_000, |below| below(60);
    pace: "periods between two faults, on the average", 10_000, |below| 1 + below(12);
    crash: "processes are killed and started again", 1, |below| u32::from(below(3) > 0);
    pause: "processes stand still for up to 15 periods", 1, |below| below(2);
    partition: "groups do not hear each other for up to 60 periods", 1, |below| below(2);
    one_way: "single directions let nothing pass", 1, |below| u32::from(below(4) == 0);
    unplug: "hosts cannot send or be reached for up to 20 periods", 1, |below| u32::from(below(4) == 0);
    readdress: "hosts get other addresses", 1, |below| u32::from(below(3) == 0);
    leave: "members say goodbye", 1, |below| u32::from(below(3) == 0);
    remove: "operators declare members gone", 1, |below| u32::from(below(6) == 0);
    metadata: "users change metadata", 1, |below| below(2);
    broadcast: "users broadcast to all members", 1, |below| below(2);
    message: "users send to one member", 1, |below| u32::from(below(3) == 0);
    wall_clock: "hours by which the wall clocks of restarted hosts are wrong, at most", 9_600, |below| {
        [0, 0, 11, 11, 9_600][below(5) as usize]
    };
    loss: "datagrams lost, per cent", 100, |below| [0, 0, 0, 5, 10, 20, 25, 40][below(8) as usize];
    duplication: "datagrams that arrive twice, per cent", 100, |below| [0, 0, 0, 20][below(4) as usize];
    burst: "loss in bursts", 1, |below| u32::from(below(6) == 0);
    reordering: "datagrams held back so that others overtake them, per cent", 100, |below| {
        [0, 0, 0, 10][below(4) as usize]
    };
    corruption: "datagrams with flipped bits, per cent", 100, |below| [0, 0, 0, 0, 0, 2][below(6) as usize];
    latency: "0 lan, 1 exponential, 2 heavy tail, 3 long", 3, |below| [0, 0, 0, 1, 2, 3][below(6) as usize];
    spikes: "datagrams that take seconds, per cent", 100, |below| [0, 0, 0, 1][below(4) as usize];
    narrow: "links of few bytes per second", 1, |below| u32::from(below(8) == 0);
    mtu: "the longest datagram that passes, in bytes; 0: any", 9_000, |below| {
        [0, 0, 0, 0, 0, 0, 0, 1_280][below(8) as usize]
    };
    turbulence: "times in which the whole network is worse", 1, |below| u32::from(below(4) == 0);
    bad_card: "hosts whose links are bad for a while", 1, |below| u32::from(below(3) == 0);
    slow: "hosts that need long for each datagram", 1, |below| u32::from(below(4) == 0);
    drift: "clocks that run wrong", 1, |below| u32::from(below(4) == 0);
    jump: "clocks that leap forward", 1, |below| u32::from(below(4) == 0);
    late_ticks: "timers that fire late", 1, |below| u32::from(below(4) == 0);
    newcomer: "hosts that come later", 1, |below| u32::from(below(4) == 0);
    twin: "hosts that bear another's name", 1, |below| u32::from(below(8) == 0);
    quiet: "nothing but single crashes and what users do, on whole links", 1, |below| u32::from(below(8) == 0);
    garbage: "noise", 1, |below| u32::from(below(5) == 0);
    mutants: "copies of datagrams with wrong bits, from strangers", 1, |below| u32::from(below(5) == 0);
    replay: "datagrams that arrive once more, much later", 1, |below| u32::from(below(5) == 0);
    forge: "lies about members, by strangers and by members", 1, |below| u32::from(below(6) == 0);
    spoof_acks: "acks with guessed numbers", 1, |below| u32::from(below(6) == 0);
    reflect: "questions whose answers would hit a third party", 1, |below| u32::from(below(6) == 0);
    strangers: "joins of many who do not exist", 1, |below| u32::from(below(6) == 0);
    forgetful: "tombstones live for 60 periods only", 1, |below| u32::from(below(4) == 0);
    piggyback_only: "no gossip ticks: updates are piggybacked on pings and acks alone", 1, |below| u32::from(below(6) == 0);
    mask: "hosts whose datagrams come from another address for up to 30 periods", 1, |below| {
        u32::from(below(8) == 0)
    };
    send_buffer: "hosts whose send buffer is full for up to a period", 1, |below| u32::from(below(4) == 0);
}

impl Plan {
    /// The plan of a seed with these dials and options set by hand: see [`Plan::set`].
    ///
    /// # Errors
    /// As [`Plan::set`] has them.
    pub fn with(seed: u64, set: &[String]) -> Result<Self, ScenarioError> {
        let mut plan = Self::draw(seed);
        set.iter().try_for_each(|assignment| plan.set(assignment))?;
        Ok(plan)
    }

    /// Sets a dial or an option of the members by hand, as `name=value`. All others stay as they were drawn.
    ///
    /// # Errors
    /// There is neither of that name, or it has no such value.
    pub fn set(&mut self, assignment: &str) -> Result<(), ScenarioError> {
        let (name, text) = assignment.split_once('=').ok_or_else(|| {
            ScenarioError(format!("`{assignment}` sets nothing; write it as name=value, for example loss=25"))
        })?;
        let (name, text) = (name.trim(), text.trim());
        // Its name before there was a wall clock.
        let name = if name == "calendar" { "wall_clock" } else { name };
        let Some((name, field, most)) = self.dial(name) else { return self.set_option(name, text) };
        let value = match text {
            "true" => Some(1),
            "false" => Some(0),
            _ => text.parse().ok(),
        };
        *field = value.filter(|value| *value <= most).ok_or_else(|| {
            ScenarioError(format!("dial `{name}` is `{text}`; expected a number from 0 to {most}"))
        })?;
        self.by_hand.push(name);
        Ok(())
    }

    fn set_option(&mut self, name: &str, text: &str) -> Result<(), ScenarioError> {
        if !option_names().contains(&name) {
            let dials: Vec<&str> = self.dials().iter().map(|dial| dial.name).collect();
            let (dials, options) = (dials.join(", "), option_names().join(", "));
            return Err(ScenarioError(format!(
                "there is no dial and no option `{name}`; dials: {dials}; options of the members: {options}"
            )));
        }
        let Ok(value) = text.parse();
        let one = Settings([(name.to_owned(), value)].into());
        one.apply(&mut Options::lan())?;
        self.options.0.extend(one.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_set_by_hand_leaves_all_others_as_they_were() {
        let drawn = Plan::draw(7);
        let mut set = drawn.clone();
        set.set("loss = 33").expect("there is such a dial");
        let differ: Vec<_> = drawn.dials().into_iter().zip(set.dials()).filter(|(a, b)| a != b).collect();
        assert_eq!(differ.len(), 1);
        assert_eq!((differ[0].1.name, differ[0].1.value, differ[0].1.by_hand), ("loss", 33, true));
    }

    #[test]
    fn what_cannot_be_set_is_named_with_what_can() {
        let mut plan = Plan::draw(7);
        let mut error = |text| plan.set(text).expect_err("wrong").0;
        assert_eq!(error("loss"), "`loss` sets nothing; write it as name=value, for example loss=25");
        assert_eq!(error("loss=101"), "dial `loss` is `101`; expected a number from 0 to 100");
        assert!(error("los=1").starts_with("there is no dial and no option `los`; dials: hosts, profile, "));
        assert_eq!(error("period=2"), "option `period` is `2`; expected a duration such as 1.5s or 200ms");
    }

    #[test]
    fn an_option_set_by_hand_goes_before_what_was_drawn() {
        let mut plan = Plan::draw(7);
        plan.set("forgetful=1").expect("there is such a dial");
        plan.set("tombstone_life=7m").expect("there is such an option");
        let config = plan.scenario().config().expect("a value in its range");
        assert_eq!(config.tombstone_life, std::time::Duration::from_secs(7 * 60));
    }

    #[test]
    fn no_dial_has_the_name_of_an_option() {
        let dials = Plan::draw(7).dials();
        assert!(dials.iter().all(|dial| !option_names().contains(&dial.name)));
    }
}
