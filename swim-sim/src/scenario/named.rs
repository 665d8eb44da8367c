//! The scenarios that come with the program.

macro_rules! named {
    ($($name:literal),* $(,)?) => {
        /// Their names, in the order in which they are best read.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The text of one.
        #[must_use]
        pub fn named(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../scenarios/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

named! {
    // What machines do.
    "gc-pause", "clock-jump", "clock-drift", "late-ticks", "slow-member", "flapping-nic", "calendar",
    "calendars-apart", "busy-accuser",
    // What processes and their users do.
    "rolling-restart", "storm", "name-reuse", "name-taken", "name-overtaken", "mass-join", "mass-leave",
    "missed-goodbye", "missed-word",
    "operator-remove", "moving-members",
    // What networks do.
    "one-way-link", "deaf-member", "mute-member", "split-brain", "three-way-split", "lossy-percent",
    "burst-loss", "wan-spikes", "reordering", "narrow-link", "noisy-wire", "address-translator",
    // What others do.
    "garbage-rain", "old-datagrams", "strangers", "wrong-address", "replayed-requests", "later-life-forged",
    // What small tables do.
    "full-table", "coming-and-going", "chatter", "many-seeds", "few-pages",
    // The known holes: docs/known-holes.md.
    "h01-resurrection", "h02-incarnation-overflow", "h03-restart-amnesia", "h04-two-of-one-name",
    "h05-forged-goodbye", "h06-guessed-acks", "h07-reflection", "h08-healing", "h09-one-way",
    "h10-slow-accuser", "h11-late-messages", "h12-stale-tables", "h13-address-reuse",
    "h14-missed-newcomers", "h15-undead-loop", "h16-pause",
}
