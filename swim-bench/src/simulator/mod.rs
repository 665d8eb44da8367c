//! `swim-bench simulator`: how fast whole clusters of real nodes are simulated.
//!
//! Each loop runs in a process of its own, which is this program again, so that each has its own largest
//! resident size and no loop finds the heap as another left it.

mod figures;
mod foca;
mod ours;
mod sweep;

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::{Args, Subcommand, ValueEnum};

use crate::foca_name::{Lean, Usual};
use crate::measure::{Claim, Measure, SPEED};
use crate::table::Presenter;
use figures::{Figures, Loop, peak_mib, time};
use ours::Ours;

/// What is to be measured.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Simulator {
    /// Sizes of the clusters.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "100,1000,5000,10000")]
    nodes: Vec<u32>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// How long it takes until so many nodes that join through one seed all know each other
    Join {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        nodes: u32,
    },
    /// Whether a sweep with two jobs uses two cores
    Sweep {
        /// The seeds 0 to N are swept.
        #[arg(long, value_name = "N", default_value_t = 60)]
        seeds: u64,
    },
    /// One loop, in this process; prints its figures as JSON.
    #[command(hide = true)]
    One {
        /// Which.
        #[arg(long)]
        side: Side,
        /// How many nodes.
        #[arg(long)]
        nodes: u32,
    },
}

/// Loops that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    Ours,
    Joining,
    Checked,
    FocaUsual,
    FocaLean,
}

impl Simulator {
    pub(crate) fn run(self, presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
        match self.part {
            Some(Part::One { side, nodes }) => {
                println!("{}", serde_json::to_string(&side.measure(nodes)?)?);
                Ok(())
            }
            Some(Part::Join { nodes }) => joining(nodes, presenter),
            Some(Part::Sweep { seeds }) => sweeps(presenter, seeds),
            None => {
                compare(&self.nodes, presenter)?;
                sweeps(presenter, SEEDS)
            }
        }
    }
}

impl Side {
    fn measure(self, nodes: u32) -> Result<Figures, Box<dyn Error>> {
        let began = Instant::now();
        let prepared = |run: &mut dyn Loop| {
            let prepared_s = began.elapsed().as_secs_f64();
            Figures { prepared_s, ..time(run) }
        };
        Ok(match self {
            Self::Ours => {
                let mut ours = Ours::acquainted(nodes);
                let figures = prepared(&mut ours);
                complete(&ours)?;
                figures
            }
            Self::Checked => {
                let mut ours = Ours::joined(nodes, true, progress)?;
                ours.settle();
                let figures = prepared(&mut ours);
                complete(&ours)?;
                figures
            }
            Self::Joining => {
                // What they joined with is freed only after it has been measured.
                let _joined = Ours::joined(nodes, false, progress)?;
                let prepared_s = began.elapsed().as_secs_f64();
                Figures { prepared_s, peak_mib: peak_mib().unwrap_or(0.0), ..Figures::default() }
            }
            Self::FocaUsual => prepared(&mut foca::Theirs::<Usual>::loaded(nodes)),
            Self::FocaLean => prepared(&mut foca::Theirs::<Lean>::loaded(nodes)),
        })
    }

    /// The same in a process of its own.
    fn apart(self, nodes: u32) -> Result<Figures, Box<dyn Error>> {
        let side = self.to_possible_value().ok_or("no such side")?;
        let child = Command::new(std::env::current_exe()?)
            .args(["simulator", "one", "--side", side.get_name(), "--nodes", &nodes.to_string()])
            // Tables of gigabytes: the cost of looking up addresses of pages is the machine's, not ours.
            .env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
            .stderr(Stdio::inherit())
            .output()?;
        if !child.status.success() {
            return Err(format!("{} at {nodes} nodes: {}", side.get_name(), child.status).into());
        }
        Ok(serde_json::from_slice(&child.stdout)?)
    }
}

/// What must hold of the speed, by nodes.
const SPEEDS: [(u32, f64); 4] = [(100, 8_000.0), (1_000, 500.0), (5_000, 70.0), (10_000, 25.0)];

/// Minutes, and not an hour: in seconds.
const JOINED_S: f64 = 600.0;
/// The largest resident size of ten thousand nodes, in MiB.
const PEAK_MIB: f64 = 9.0 * 1024.0;
/// Seeds of the sweep.
const SEEDS: u64 = 60;
/// Cores that two jobs use.
const CORES: f64 = 1.8;
/// Nodes whose joining takes so long that progress is shown.
const SLOW_JOIN: u64 = 2_000;

fn compare(sizes: &[u32], presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
    presenter.heading("The simulator: virtual seconds in each real one")?;
    for nodes in sizes.iter().copied() {
        let size = Some(u64::from(nodes));
        let ours = Side::Ours.apart(nodes)?;
        let speed = Measure::new("all know all, 1 % lost", size, SPEED, ours.speed);
        let least = SPEEDS.iter().find(|(size, _)| *size == nodes);
        presenter.show(speed.claiming(least.map(|(_, least)| Claim::AtLeast(*least))))?;
        presenter.show(Measure::new("each event", size, "ns", ours.event_ns))?;
        let limit = (nodes == 10_000).then_some(Claim::AtMost(PEAK_MIB));
        presenter.show(peak(nodes, &ours).claiming(limit))?;
        if nodes <= 1_000 {
            let checked = Side::Checked.apart(nodes)?;
            presenter.show(Measure::new("with every property checked", size, SPEED, checked.speed))?;
            let (usual, lean) = (Side::FocaUsual.apart(nodes)?, Side::FocaLean.apart(nodes)?);
            let more = (nodes == 1_000).then_some(Claim::TimesMore(8.0));
            let peers =
                [("foca 2 (socket addresses)", usual.speed, more), ("foca 2 (numbers)", lean.speed, None)];
            presenter.show_beside(&Measure::new("the same", size, SPEED, ours.speed), peers)?;
        }
    }
    Ok(())
}

fn joining(nodes: u32, presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
    presenter.heading("The simulator: joining")?;
    let figures = Side::Joining.apart(nodes)?;
    let size = Some(u64::from(nodes));
    let joined = Measure::new("until all that join through one know all", size, "s", figures.prepared_s);
    presenter.show(joined.claiming((nodes == 10_000).then_some(Claim::AtMost(JOINED_S))))?;
    // With the news that they still have for each other: nothing is claimed of that.
    Ok(presenter.show(peak(nodes, &figures))?)
}

fn peak(nodes: u32, figures: &Figures) -> Measure {
    Measure::new("largest resident size", Some(u64::from(nodes)), "MiB", figures.peak_mib)
}

/// Whether what was measured is what was to be measured.
fn complete(ours: &Ours) -> Result<(), Box<dyn Error>> {
    let (rows, all) = ours.rows();
    if rows != all {
        return Err(format!("of {all} rows only {rows} are left").into());
    }
    ours.violation().map_or(Ok(()), |violation| Err(violation.into()))
}

/// On standard error, for the user who waits.
fn progress(ours: &Ours) {
    let (rows, all) = ours.rows();
    if all >= SLOW_JOIN * SLOW_JOIN {
        let share = rows as f64 / all as f64 * 100.0;
        anstream::eprintln!("{:?}: {share:.1} % of {all} rows", ours.now());
    }
}

fn sweeps(presenter: &mut Presenter, seeds: u64) -> Result<(), Box<dyn Error>> {
    presenter.heading("The simulator: a sweep")?;
    let one = sweep::sweep(seeds, 1)?;
    let two = sweep::sweep(seeds, 2)?;
    if one.tally.digest != two.tally.digest {
        return Err("two jobs found something else than one".into());
    }
    let simulated_s = one.tally.simulated_ms as f64 / 1_000.0;
    let speed = |wall_s| simulated_s / wall_s;
    presenter.show(
        Measure::new("two jobs", None, SPEED, speed(two.wall_s)).beside("one job", speed(one.wall_s)),
    )?;
    if let Some(cpu_s) = two.cpu_s {
        let cores = Measure::new("cores that two jobs use", None, "cores", cpu_s / two.wall_s);
        presenter.show(cores.claiming(Claim::AtLeast(CORES)))?;
    }
    Ok(())
}
