//! Exit codes: one meaning each, the same for every command, and all of them in `--help`.

use std::process::ExitCode;

use swim_sim::properties::Kind;
use swim_sim::run::Verdict;

/// How the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Every law held.
    Ok = 0,
    /// A file could not be read or written, two runs part, or a sweep reached too little.
    Failed = 1,
    /// The command line or a scenario makes no sense. (clap's own code for it, too.)
    Usage = 2,
    /// A law of safety or a bound was broken.
    Safety = 10,
    /// What must come true did not.
    Liveness = 11,
    /// It came true, but not well enough.
    Quality = 12,
    /// The core or the simulator panicked.
    Panic = 13,
    /// The same scenario, or the same recording, gave something else.
    Nondeterminism = 14,
}

impl Exit {
    /// For one run.
    pub(crate) const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Broken(violation) => match violation.property.kind() {
                Kind::Safety => Self::Safety,
                Kind::Liveness => Self::Liveness,
                Kind::Quality => Self::Quality,
            },
            Verdict::Panicked(_) => Self::Panic,
            Verdict::Nondeterministic { .. } => Self::Nondeterminism,
            _ => Self::Ok,
        }
    }

    /// For the word that a sweep's line has for it.
    pub(crate) fn of_word(word: &str) -> Self {
        match word {
            "passed" | "cut-short" => Self::Ok,
            "safety" => Self::Safety,
            "liveness" => Self::Liveness,
            "quality" => Self::Quality,
            "panic" => Self::Panic,
            "nondeterminism" => Self::Nondeterminism,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_and_nondeterminism_have_codes_of_their_own() {
        assert_eq!(Exit::of(&Verdict::Panicked("there".to_owned())) as u8, 13);
        let [first, second] = [0, 1].map(|n| {
            let mut digest = swim_sim::Fingerprint::new();
            digest.absorb(n);
            digest
        });
        assert_eq!(Exit::of(&Verdict::Nondeterministic { first, second }) as u8, 14);
        assert_eq!(Exit::of(&Verdict::CutShort), Exit::Ok);
    }
}
