//! Exit codes: one meaning each, the same for every command, and all of them in `--help`.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use swim_sim::run::Outcome;
use swim_sim::scenario::ScenarioError;

/// How the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Every property held.
    Ok = 0,
    /// A file could not be read or written, two runs part, or a sweep reached too little.
    Failed = 1,
    /// The command line or a scenario makes no sense. (clap's own code for it, too.)
    Usage = 2,
    /// A safety property or a bound was broken.
    Safety = 10,
    /// What must come true did not.
    Liveness = 11,
    /// It came true, but not well enough.
    Quality = 12,
    /// The core or the simulator panicked.
    Panic = 13,
    /// The same scenario, or the same recording, gave something else.
    Nondeterminism = 14,
    /// Ctrl-C ended a sweep before its end: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl Exit {
    /// For one run.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        Self::named(outcome.name())
    }

    /// The first that is not [`Exit::Ok`].
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::Ok { other } else { self }
    }

    /// For the name that a sweep's line has for it.
    pub(crate) fn named(name: &str) -> Self {
        match name {
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

/// An error, with what it is about and the way out.
#[derive(Debug)]
pub(crate) enum Error {
    /// A file could not be read or written.
    File(String),
    /// What was asked for makes no sense.
    Usage(String),
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| Self::File(format!("{path}: {error}"))
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::File(_) => Exit::Failed,
            Self::Usage(_) => Exit::Usage,
        }
    }
}

impl From<ScenarioError> for Error {
    fn from(error: ScenarioError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::File(text) | Self::Usage(text)) = self;
        f.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_and_nondeterminism_have_codes_of_their_own() {
        assert_eq!(Exit::of(&Outcome::Panicked("there".to_owned())) as u8, 13);
        let [first, second] = [0, 1].map(|n| {
            let mut digest = swim_sim::Fingerprint::new();
            digest.absorb(n);
            digest
        });
        assert_eq!(Exit::of(&Outcome::Nondeterministic { first, second }) as u8, 14);
        assert_eq!(Exit::of(&Outcome::CutShort), Exit::Ok);
    }
}
