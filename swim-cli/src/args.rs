//! The command line, and the help that teaches it.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use swim_core::Options;
use swim_mio::SeedAddr;

use crate::address::HostPort;
use crate::naming::Name;
use crate::size::Size;

/// SWIM with Lifeguard: group membership and failure detection
#[derive(Parser, Debug)]
#[command(name = "swim", version, max_term_width = 100, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Start a cluster of processes on this machine, hurt it, and show what its members make of it
    Demo(DemoArgs),
    /// Run one member in the foreground: one line per event, commands on standard input
    Node(NodeArgs),
    /// Measure on this machine what a member costs
    #[cfg(target_os = "linux")]
    #[command(subcommand)]
    Bench(BenchVerb),
}

/// `swim bench`
#[cfg(target_os = "linux")]
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum BenchVerb {
    /// The drivers, each beside the same loop without a protocol
    Drivers(BenchDriversArgs),
    /// The measured side of another command
    #[command(hide = true)]
    Subject(SubjectArgs),
}

/// `swim bench drivers`
#[cfg(target_os = "linux")]
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = BENCH_DRIVERS_HELP)]
pub(crate) struct BenchDriversArgs {
    /// About how long all of it takes, in seconds; there is at least one round of everything
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub(crate) seconds: u16,
    /// Write the figures as a page of HTML too, with pictures
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Show how long each system call took as well
    #[arg(long)]
    pub(crate) calls: bool,
    /// Print one JSON object a line; the last one is the outcome
    #[arg(long)]
    pub(crate) json: bool,
}

/// `swim bench subject`
#[cfg(target_os = "linux")]
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct SubjectArgs {
    /// Which one
    #[arg(value_enum)]
    pub(crate) contestant: crate::contestant::Contestant,
    /// Where a member finds its cluster
    #[arg(long)]
    pub(crate) peer: std::net::SocketAddr,
    /// How many bytes a loop without a protocol answers with
    #[arg(long)]
    pub(crate) answer: usize,
}

/// `swim demo`
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = DEMO_HELP)]
pub(crate) struct DemoArgs {
    /// How many members to start, each a process of its own
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=250))]
    pub(crate) nodes: u16,
    /// What drives the members; `mixed` alternates
    #[arg(long, value_enum, default_value_t = DriverMix::Mixed)]
    pub(crate) driver: DriverMix,
    /// Timing of the members
    #[arg(long, value_enum, default_value_t = Profile::Local)]
    pub(crate) profile: Profile,
    /// Print one JSON object a line; the last one is the outcome
    #[arg(long)]
    pub(crate) json: bool,
    /// Record every run of every member to a file in this folder (node-1.swim, …; the second run of
    /// node-3 is node-3-2.swim); the folder is created if it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// Take commands instead of playing the script: kill N, restart N, pause N, resume N, leave N,
    /// status, help, quit
    #[arg(long)]
    pub(crate) interactive: bool,
}

/// `swim node`
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = node_help())]
pub(crate) struct NodeArgs {
    /// Where to listen, host:port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7946")]
    pub(crate) bind: HostPort,
    /// Where the others reach this member, if that is not the bound address (needed with 0.0.0.0)
    #[arg(long, value_name = "ADDR")]
    pub(crate) advertise: Option<HostPort>,
    /// Take the address at which two members see this one when it is not the advertised one (DHCP, roaming)
    #[arg(long)]
    pub(crate) follow_address: bool,
    /// Members to join through, asked in parallel until one answers; they may come up later
    #[arg(long, value_name = "ADDR,…", value_delimiter = ',', value_parser = crate::address::seed)]
    pub(crate) join: Vec<SeedAddr>,
    /// What drives the protocol: an epoll loop of its own, or a tokio task
    #[arg(long, value_enum, default_value_t = DriverKind::Mio)]
    pub(crate) driver: DriverKind,
    /// Timing: all members of a cluster must use the same one
    #[arg(long, value_enum, default_value_t = Profile::Lan)]
    pub(crate) profile: Profile,
    /// This member's lasting name, unique in the cluster
    /// [default: node-PORT, with the address in it when that is not the loopback one]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<Name>,
    /// The cluster's name: members with another label are not heard
    #[arg(long, value_name = "LABEL", default_value = "")]
    pub(crate) label: String,
    /// What this member's clock reads at its start, in Unix milliseconds, to see what a wrong clock does
    /// [default: the time]
    #[arg(long, value_name = "MILLIS")]
    pub(crate) epoch: Option<u64>,
    /// Keep the epoch and some peers in this file, to find the cluster again without --join; each member
    /// needs a file of its own
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Record this member to a file, so that it can be replayed bit for bit; what lies there is kept
    /// as FILE.before
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Keep at most this much of the recording: the latest; half of it is in FILE.old
    #[arg(long, value_name = "SIZE", default_value = "64MiB", requires = "record")]
    pub(crate) record_limit: Size,
    /// Record noise of the same length instead of what users say
    #[arg(long, requires = "record")]
    pub(crate) record_redacted: bool,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// End when this process, which started the member, is gone
    #[arg(long, value_name = "PID", hide = true)]
    pub(crate) parent: Option<u32>,
}

/// What drives a member.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DriverKind {
    /// swim-mio: one thread on raw epoll.
    Mio,
    /// swim-tokio: one task.
    Tokio,
}

/// What drives the members of a demo.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DriverMix {
    /// All on swim-mio
    Mio,
    /// All on swim-tokio
    Tokio,
    /// Every other one, in one cluster
    #[default]
    Mixed,
}

impl DriverMix {
    /// What the `index`-th member (from 0) is driven by.
    pub(crate) const fn driver(self, index: usize) -> DriverKind {
        match self {
            Self::Mio => DriverKind::Mio,
            Self::Tokio => DriverKind::Tokio,
            Self::Mixed if index.is_multiple_of(2) => DriverKind::Mio,
            Self::Mixed => DriverKind::Tokio,
        }
    }
}

/// Presets of the core.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// One machine or rack: a probe every 0.5 s
    #[default]
    Local,
    /// A local area network: a probe every 1 s
    Lan,
    /// Across sites: a probe every 5 s
    Wan,
}

impl Profile {
    /// The core's options behind the name.
    pub(crate) fn options(self) -> Options {
        match self {
            Self::Local => Options::local(),
            Self::Lan => Options::lan(),
            Self::Wan => Options::wan(),
        }
    }
}

/// A choice as it is written on the command line.
pub(crate) fn word(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

const EXAMPLES: &str = "\
Examples:
  swim demo                                        five members, one of them killed: watch the others notice
  swim demo --nodes 50 --json | tail -1            the outcome only, for a script
  swim demo --interactive                          kill and pause members yourself
  swim bench drivers --report page.html            what a member costs on this machine, on each driver
  swim node --bind 127.0.0.1:7946                  the first member of a cluster
  swim node --bind 127.0.0.1:0 --join 127.0.0.1:7946 --driver tokio
                                                   a second one, on a free port and the other driver

Exit codes:
  0    as asked, and everything shown really happened
  1    something that was to be shown did not happen, or a member could not run
  2    the command line makes no sense
  130  a demo was interrupted";

#[cfg(target_os = "linux")]
const BENCH_DRIVERS_HELP: &str = "\
Members on swim-mio and swim-tokio answer pings on the loopback interface; beside them, the same loops without a
protocol (`bare`), and epoll itself, asked in several ways, do the same with datagrams of the same lengths. Each is
a process of its own. They take short turns, round after round, and medians are shown, so that whatever else this
machine does meets all of them alike.

  busy echo   32 pings are in flight: there is always something to read
  ping-pong   one is: the contestant sleeps before every ping
  one core    both sides take turns on one core: the work alone, with little noise
  free cores  wherever the scheduler puts them: with what waking a core costs, and with its noise
  CPU         time of the contestant, user and system, for one datagram and its answer, the median of all rounds;
              × bare: how many times that of the loop without a protocol
  kernel      the share of it in the kernel, sampled and rough
  sleeps      context switches because there was nothing to do, for one datagram; pushed: the other ones
  RTT         from ping to answer, as the other side sees it

System calls are counted in runs of their own, through ptrace. Where the kernel refuses that, they are SKIPPED. Times
differ between machines; compare the contestants of one run. docs/epoll-vs-async.md explains the figures.

With --json every line is one object: a load {\"contestant\", \"workload\", \"placement\", \"cpu_ns\", \"times_bare\", …},
{\"rest\"}, {\"calls\"}, a claim {\"what\", \"limit\", \"figure\", \"met\"}, and last {\"ok\": true|false}.

Exit codes: 0 every claim was met, 1 a claim was missed or something could not be measured, 2 usage.";

const DEMO_HELP: &str = "\
The script: start and converge; SIGKILL one member until every survivor calls it Dead; start it again; stop one
with SIGSTOP until it is suspected, wake it, and see that no member was called Dead and that it accuses none; let one
leave. Everything is checked from what the members print. They die with the demo, even if that is killed.

With --json every event of every member is one line, {\"from\": NAME, \"event\": …}, every step another,
{\"step\": …}, and the last line is the outcome: {\"ok\": true|false, \"nodes\", \"converged_ms\",
\"detected_ms\": {\"min\", \"median\", \"max\"}, \"detection_bound_ms\", \"rejoined_ms\", \"false_deaths\", …};
a time is null if what it measures did not happen.

Exit codes: 0 all of it happened, 1 some of it did not, 2 usage, 130 interrupted.";

/// What may be typed into a running member.
pub(crate) const COMMANDS: &str = "\
members           all known members, and the status of each
stats             counters of this member
join ADDR[,ADDR]  look for the cluster through these members
leave             say goodbye to all, then end
broadcast TEXT    send it to every member; waits while there is no room
send NAME TEXT    send it to one member, best effort
meta TEXT         change the text that this member attaches to itself
quit, exit        end without a goodbye: the others will find out
help, ?           this list";

fn node_help() -> String {
    let commands = COMMANDS.replace('\n', "\n  ");
    format!(
        "Commands on standard input, one a line (its end does not stop the member):\n  {commands}\n\n{NODE_HELP}"
    )
}

const NODE_HELP: &str = "\
A recording holds everything that this member receives, sends and is asked to do, and the seed of its secrets: the file
is readable by its owner only. If it cannot be written, that is said once on standard error, and the member
goes on. --record-redacted takes what users say out of it, not the addresses and names of the protocol.

SIGINT, SIGTERM and SIGHUP (the terminal is closed) leave gracefully and end the process; another SIGINT or SIGTERM,
half a second or more later, ends it at once. If SIGHUP is ignored at the start, as under nohup, it stays ignored.

With --json every event is one object a line, {\"event\": \"alive\"|\"suspect\"|\"confirmed\"|\"refuted\"|\"dead\"|
\"left\"|…, \"name\", \"id\", \"addr\", …, \"t_ms\"}: `name` is whom it is about, `by` who said so, `t_ms` Unix
milliseconds. The answers to commands are {\"members\": […]}, {\"stats\": {…}} and {\"error\": …}.

Exit codes: 0 stopped as asked, also by a signal, 1 could not run (address in use, name taken) or
the reader of standard output has gone, 2 usage, 130 ended at once by another signal.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_demo_is_five_mixed_members_on_the_local_profile_by_default() {
        let Verb::Demo(args) = parse("swim demo").expect("valid").verb else { panic!("a demo") };
        assert_eq!((args.nodes, args.driver, args.profile), (5, DriverMix::Mixed, Profile::Local));
        assert!(!args.json && !args.interactive);
    }

    #[test]
    fn seeds_are_separated_by_commas_or_given_repeatedly() {
        let line = "swim node --join 10.0.0.1:1,seed.example:2 --join [::1]:3";
        let Verb::Node(args) = parse(line).expect("valid").verb else { panic!("a node") };
        let seeds: Vec<String> = args.join.iter().map(ToString::to_string).collect();
        assert_eq!(seeds, ["10.0.0.1:1", "seed.example:2", "[::1]:3"]);
    }

    #[test]
    fn a_demo_of_one_member_is_refused() {
        assert!(parse("swim demo --nodes 1").is_err());
        assert!(parse("swim demo --nodes 2").is_ok());
    }

    #[test]
    fn a_limit_of_a_recording_needs_a_recording() {
        let limit = |line: &str| match parse(line)?.verb {
            Verb::Node(args) => Ok(args.record_limit.0),
            _ => panic!("a node"),
        };
        assert_eq!(limit("swim node --record a.swim").expect("valid"), 64 << 20);
        assert_eq!(limit("swim node --record a.swim --record-limit 2MiB").expect("valid"), 2 << 20);
        let error = limit("swim node --record-limit 2MiB").map_err(|error: clap::Error| error.to_string());
        assert!(error.expect_err("of what?").contains("--record"));
    }

    #[test]
    fn mixed_drivers_alternate_and_begin_with_mio() {
        let drivers: Vec<DriverKind> = (0..4).map(|i| DriverMix::Mixed.driver(i)).collect();
        assert_eq!(drivers, [DriverKind::Mio, DriverKind::Tokio, DriverKind::Mio, DriverKind::Tokio]);
    }
}
