//! The command line, and the help that teaches it.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};
use swim_sim::scenario::parse_duration;

use crate::source::Source;

/// Whole clusters of real members under a virtual clock: every fault, any seed, exactly repeatable
#[derive(Parser, Debug)]
#[command(name = "swim-sim", version, max_term_width = 100, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  swim-sim run --seed 7                       one run: its faults, its outcome, its digest
  swim-sim run --seed 7 --set loss=40         the same with more loss
  swim-sim sweep --seeds 0..2000 --jobs 2     many
  swim-sim scenario                           the scenarios that come with it
  swim-sim replay split-brain --until 30s     one of them, up to an instant

Exit codes:
  0 every property held    1 a file, two runs that part, or a sweep that reached too little
  2 the command line or a scenario
  10 a safety property was broken   11 liveness   12 quality   13 a panic   14 nondeterminism
  130 Ctrl-C ended a sweep: what it has found so far is shown";

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Carry out one run, from a seed or from a scenario, and check its properties
    Run(RunArgs),
    /// The same, with a look at what happens: up to an instant, or step by step
    Replay(ReplayArgs),
    /// Carry out many seeds on all cores, and stop at the first that fails
    Sweep(SweepArgs),
    /// Find the smallest scenario that breaks the same property, and write it as a file
    Shrink(ShrinkArgs),
    /// Show a run as one page of HTML that opens from disk
    Report(ReportArgs),
    /// Show where two runs part
    Diff(DiffArgs),
    /// Hunt every deliberately broken core until a property notices, and print the table
    Mutants(MutantsArgs),
    /// Switch off one rule after the other, and print what gets worse
    Ablations(AblationsArgs),
    /// Compare what every seed and scenario does with the digests that are committed
    Oracle(OracleArgs),
    /// Put the outputs of a sweep's shards together
    Merge(MergeArgs),
    /// List the scenarios that come with the program, print one, or run one
    Scenario(ScenarioArgs),
}

/// `swim-sim run`
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Run it twice, and compare the digests
    #[arg(long)]
    pub(crate) twice: bool,
    /// Write the run as a scenario, to read it, to change it, or to keep it
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Record every process of every host in this folder, as traces that `replay` reads: 3-2.swim is #3's second
    #[arg(long, value_name = "FOLDER", conflicts_with = "twice")]
    pub(crate) record: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `swim-sim replay`
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Stop at this instant of the world's clock, and show who believes what
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) until: Option<Duration>,
    /// Print every datagram and every event; on a terminal, wait for Enter after each
    #[arg(long)]
    pub(crate) step: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `swim-sim sweep`
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = SWEEP_HELP)]
pub(crate) struct SweepArgs {
    /// The seeds, the last one excluded
    #[arg(long, value_name = "A..B", default_value = "0..2000")]
    pub(crate) seeds: Seeds,
    /// Runs at once; 0 means one for each core
    #[arg(long, value_name = "J", default_value_t = 0)]
    pub(crate) jobs: usize,
    /// Begin nothing further after so much real time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) budget: Option<Duration>,
    /// Only every n-th seed: shard i of n, counted from 0
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    pub(crate) shard: Shard,
    /// Go on after a failure
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Run every n-th seed twice and compare the digests; 0: none
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) twice_every: u64,
    /// Sets a dial of the swarm or an option of the members by hand in every run, for example loss=25
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// A deliberately broken core, in a build that has them
    #[arg(long, value_name = "NAME")]
    pub(crate) mutant: Option<String>,
    /// Write one JSON object for each run, in the order of the seeds; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) jsonl: Option<PathBuf>,
}

const SWEEP_HELP: &str = "\
Without a terminal a line on standard error says every few seconds how far it has come. Ctrl-C lets the
runs under way end, and shows what was found; once more, and it ends at once.

The result does not depend on the number of jobs. Shards are for the array jobs of any scheduler:
each runs `swim-sim sweep --seeds A..B --shard $INDEX/$COUNT --jsonl shard-$INDEX.jsonl`, and
`swim-sim merge shard-*.jsonl` puts them together.";

/// `swim-sim shrink`
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct ShrinkArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Where to write it; default: NAME-shrunk.toml here
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Runs that it may take
    #[arg(long, value_name = "N", default_value_t = swim_sim::shrink::ATTEMPTS_DEFAULT)]
    pub(crate) attempts: u32,
}

/// `swim-sim report`
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Where to write the page
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Also write a trace for Perfetto (ui.perfetto.dev, chrome://tracing)
    #[arg(long, value_name = "FILE")]
    pub(crate) perfetto: Option<PathBuf>,
}

/// `swim-sim diff`
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct DiffArgs {
    /// A seed, a scenario's name, or a file
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// Another
    #[arg(value_name = "B")]
    pub(crate) b: String,
    /// Sets a dial of the swarm or an option of the members by hand, where A or B is a seed
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
}

/// `swim-sim mutants`
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = MUTANTS_HELP)]
pub(crate) struct MutantsArgs {
    /// Seeds to try on each, the last one excluded
    #[arg(long, value_name = "A..B", default_value = "0..400")]
    pub(crate) seeds: Seeds,
    /// Runs at once; 0 means one for each core
    #[arg(long, value_name = "J", default_value_t = 0)]
    pub(crate) jobs: usize,
    /// Only those with this in their name
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Try the named scenarios before any seed (else: after the first sixteen)
    #[arg(long)]
    pub(crate) scenarios: bool,
    /// Print the table as Markdown, as docs/mutants.md has it
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Say what is wrong with each
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Print one JSON object for each
    #[arg(long)]
    pub(crate) json: bool,
}

const MUTANTS_HELP: &str = "\
Needs a build that has the mutants, which `proof/mutants/check` makes. A mutant that survives shows
that a property is missing: the exit code is 1 then.";

/// `swim-sim ablations`
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = ABLATIONS_HELP)]
pub(crate) struct AblationsArgs {
    /// Runs of each situation
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) seeds: u64,
    /// Three runs of each situation: too few to conclude anything
    #[arg(long, conflicts_with = "seeds")]
    pub(crate) quick: bool,
    /// Runs at once; 0 means one for each core
    #[arg(long, value_name = "J", default_value_t = 0)]
    pub(crate) jobs: usize,
    /// Only those with this in their name
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
}

const ABLATIONS_HELP: &str = "\
Needs a build that has the ablations: `proof/mutants/run ablations > docs/ablations.md`.";

/// 0: as many as there are cores.
pub(crate) fn cores(jobs: usize) -> usize {
    if jobs > 0 { jobs } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// `swim-sim oracle`
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = ORACLE_HELP)]
pub(crate) struct OracleArgs {
    /// Only these seeds, the last one excluded
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<Seeds>,
    /// Only the scenarios that come with the program
    #[arg(long)]
    pub(crate) scenarios: bool,
    /// Write the digests instead of comparing them: a file then holds what was run, and nothing else
    #[arg(long)]
    pub(crate) record: bool,
    /// Where the files are: seeds.txt and scenarios.txt
    #[arg(long, value_name = "FOLDER", default_value = "swim-sim/oracle")]
    pub(crate) folder: PathBuf,
    /// Runs at once; 0 means one for each core
    #[arg(long, value_name = "J", default_value_t = 0)]
    pub(crate) jobs: usize,
}

const ORACLE_HELP: &str = "\
A digest covers everything that every node of a run is given, sends, reports, counts and holds, by
meaning and not by name: code that is only moved or renamed leaves all digests as they are. Without
arguments it is seeds 0..1000 and all scenarios, and every property is checked on the way.

Before a commit that claims to preserve behaviour:
  swim-sim oracle --seeds 0..100     a first look
  swim-sim oracle                    the proof: exit code 0

In a commit that changes behaviour, and says so:
  swim-sim oracle --record";

/// `swim-sim merge`
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct MergeArgs {
    /// What sweeps wrote with --jsonl
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write all lines in the order of their seeds; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) jsonl: Option<PathBuf>,
}

/// `swim-sim scenario`
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct ScenarioArgs {
    /// A scenario's name, or a TOML file; nothing: list the names
    #[arg(value_name = "NAME|FILE")]
    pub(crate) what: Option<String>,
    /// Run every scenario that comes with the program
    #[arg(long, conflicts_with = "what")]
    pub(crate) all: bool,
    /// Print its text instead of running it
    #[arg(long, requires = "what")]
    pub(crate) print: bool,
    /// Another seed than its own
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// A deliberately broken core, in a build that has them
    #[arg(long, value_name = "NAME")]
    pub(crate) mutant: Option<String>,
}

/// `A..B`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seeds(pub(crate) Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ends = text.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match ends {
            Some((a, b)) if a < b => Ok(Self(a..b)),
            _ => Err("expected two numbers, the smaller one first, like 0..2000".to_owned()),
        }
    }
}

/// `i/n`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shard(pub(crate) u64, pub(crate) u64);

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((i, n)) if i < n => Ok(Self(i, n)),
            _ => Err("expected i/n with i from 0 to n − 1, like 0/4".to_owned()),
        }
    }
}
