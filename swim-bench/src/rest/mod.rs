//! What clusters cost while nothing happens in them, which is nearly always.
//!
//! All contestants run on the loopback at the same time, so that they have the same machine and the same minute; at
//! rest all together keep a few hundredths of a processor busy. First clusters of five processes, then clusters of a
//! hundred members in one process.

mod bare;
mod build;
mod cost;
mod hundred;
mod processes;
mod tied;

use std::error::Error;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::table::Presenter;
pub(crate) use bare::BareArgs;
pub(crate) use build::swim as swim_binary;
pub(crate) use tied::TiedArgs;

/// The options of `rest`.
#[derive(Debug, Args)]
pub(crate) struct RestArgs {
    /// How long is measured.
    #[arg(long, default_value_t = 30, value_name = "N")]
    seconds: u64,
    /// How long all are left alone before.
    #[arg(long, default_value_t = 10, value_name = "N")]
    settle: u64,
    /// Only these contestants; what is claimed beside others is then not checked.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<Contestant>,
    /// Fetch and build what is compared, and measure nothing.
    #[arg(long)]
    prepare: bool,
}

/// Who is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Contestant {
    /// Five processes: `swim node` on swim-mio
    Mio,
    /// Five processes: the same, built small and static
    MioSmall,
    /// Five processes: `swim node` on swim-tokio
    Tokio,
    /// Five processes: swim-mio embedded in a loop, in a program that does nothing else
    MioAlone,
    /// Five processes: the same, built small and static
    MioAloneSmall,
    /// Five processes: swim-tokio on the `current_thread` runtime, in a program that does nothing else
    TokioAlone,
    /// Five processes: foca's example
    Foca,
    /// Five processes: serf's agent
    Serf,
    /// Five processes: a loop that pings and answers, and nothing else
    Bare,
    /// A hundred in a process: swim-mio, embedded in one loop
    HundredEmbedded,
    /// A hundred in a process: the same, built small and static
    HundredSmall,
    /// A hundred in a process: swim-mio, a thread for each
    HundredThreads,
    /// A hundred in a process: swim-tokio on the `current_thread` runtime
    HundredTokio,
    /// A hundred in a process: hashicorp/memberlist
    HundredMemberlist,
}

/// A contestant and how it is started, if it is there.
struct Entrant {
    who: Contestant,
    program: PathBuf,
}

impl RestArgs {
    pub(crate) fn run(&self, presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
        let entrants = self.entrants(presenter)?;
        if self.prepare {
            return Ok(());
        }
        let (hundred, five): (Vec<_>, Vec<_>) =
            entrants.into_iter().partition(|entrant| entrant.who.hundred().is_some());
        if !five.is_empty() {
            processes::measure(self, &five, presenter)?;
        }
        if !hundred.is_empty() {
            hundred::measure(self, &hundred, presenter)?;
        }
        Ok(())
    }

    /// All who take part, built.
    fn entrants(&self, presenter: &Presenter) -> Result<Vec<Entrant>, Box<dyn Error>> {
        let mut entrants = Vec::new();
        for who in Contestant::value_variants() {
            if !self.only.is_empty() && !self.only.contains(who) {
                continue;
            }
            match who.program()? {
                Ok(program) => entrants.push(Entrant { who: *who, program }),
                Err(missing) => presenter.remark(&format!("skipped: {missing}")),
            }
        }
        Ok(entrants)
    }
}

impl Contestant {
    /// What is run, built if need be; within, what is missing on this machine, and how it is had.
    fn program(self) -> Result<Result<PathBuf, &'static str>, Box<dyn Error>> {
        Ok(match self {
            Self::Mio | Self::Tokio => Ok(build::swim()?),
            Self::MioSmall => Ok(build::small_swim()?),
            Self::MioAloneSmall | Self::HundredSmall => Ok(build::small_members()?),
            Self::MioAlone | Self::HundredEmbedded | Self::HundredThreads => Ok(build::mio_members()?),
            Self::TokioAlone | Self::HundredTokio => Ok(build::members()?),
            Self::Foca => Ok(build::foca()?),
            Self::Bare => Ok(std::env::current_exe()?),
            Self::Serf => {
                build::installed("serf").ok_or("serf is not installed (Debian: apt-get install serf)")
            }
            Self::HundredMemberlist => match build::installed("go").filter(|_| build::has_memberlist()) {
                Some(go) => Ok(build::memberlist(&go)?),
                None => Err("Go and its memberlist are not installed \
                    (Debian: apt-get install golang-go golang-github-hashicorp-memberlist-dev)"),
            },
        })
    }

    /// What it is called in a table.
    const fn label(self) -> &'static str {
        match self {
            Self::Mio => "swim node, mio",
            Self::MioSmall => "swim node, mio, small",
            Self::Tokio => "swim node, tokio",
            Self::MioAlone => "mio, alone",
            Self::MioAloneSmall => "mio, alone, small",
            Self::TokioAlone => "tokio, current_thread",
            Self::Foca => "foca 2, its UDP example",
            Self::Serf => "serf 0.9",
            Self::Bare => "a bare loop",
            Self::HundredEmbedded => "mio, embedded",
            Self::HundredSmall => "mio, embedded, small",
            Self::HundredThreads => "mio, threads",
            Self::HundredTokio => "tokio, current_thread",
            Self::HundredMemberlist => "memberlist 0.2 (Go)",
        }
    }
}
