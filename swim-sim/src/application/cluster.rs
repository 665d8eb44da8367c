//! A world whose hosts run applications.
//!
//! The world goes on step by step. After each, whatever the nodes reported is handed to their applications, new
//! processes get new applications, and the rules are asked; in between, the applications' timers fire in the
//! order of time. What an application does is done at that instant, and may cause more: all of it happens
//! before time goes on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Instant};

use super::process::{CALLS_AT_ONE_INSTANT_MAX, Process};
use super::{Application, Context};
use crate::action::Action;
use crate::run::Conduct;
use crate::scenario::{Scenario, ScenarioError};
use crate::{Fingerprint, HostId, Phase, Setup, World};

/// What must hold after each thing that happens.
type Rule<A> = Box<dyn FnMut(&Cluster<A>) -> Result<(), String>>;

/// A cluster of one kind of application.
pub struct Cluster<A> {
    scenario: Arc<Scenario>,
    config: Arc<Config>,
    world: World,
    processes: Vec<Process<A>>,
    make: Box<dyn FnMut(HostId) -> A>,
    rules: Vec<Rule<A>>,
    /// The world's stir when the applications were last looked after.
    attended: u64,
    /// When applications were last called, and how often in a row at that instant.
    calls: (Instant, u32),
}

impl<A: Application> Cluster<A> {
    /// A cluster for `scenario`, in which `make` gives each process that starts its application. Nothing has
    /// begun: see [`Cluster::play`], or [`Cluster::gather`] for tests that go on by hand.
    ///
    /// # Errors
    /// The scenario cannot be carried out.
    pub fn new(scenario: &Scenario, make: impl FnMut(HostId) -> A + 'static) -> Result<Self, ScenarioError> {
        scenario.check()?;
        Ok(Self {
            config: scenario.config()?,
            world: World::with(Setup::new(scenario.seed)),
            scenario: Arc::new(scenario.clone()),
            processes: Vec::new(),
            make: Box::new(make),
            rules: Vec::new(),
            attended: 0,
            calls: (Instant::ORIGIN, 0),
        })
    }

    /// Asks `rule` from now on after each thing that happens; what it says when it is broken becomes the
    /// [`Failure`].
    pub fn always(&mut self, rule: impl FnMut(&Self) -> Result<(), String> + 'static) {
        self.rules.push(Box::new(rule));
    }

    /// The world, to be looked at.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The world, to attach watchers to or to change the network of. What is done to its processes is better done
    /// by [`Cluster::perform`].
    pub const fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The application on `host`; `None`: no process is there.
    #[must_use]
    pub fn app(&self, host: HostId) -> Option<&A> {
        self.processes.get(host.index())?.app.as_ref()
    }

    /// All applications that run now, by host: those of stopped processes do nothing.
    pub fn running(&self) -> impl Iterator<Item = (HostId, &A)> {
        let apps = self.world.hosts().filter(|host| self.world.is_running(*host));
        apps.filter_map(|host| Some((host, self.app(host)?)))
    }

    /// Lets a user of the application on `host` ask it for something. `None`: it does not run.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn visit<R>(
        &mut self,
        host: HostId,
        turn: impl FnOnce(&mut A, &mut Context<'_>) -> R,
    ) -> Result<Option<R>, Failure> {
        if host.index() >= self.processes.len() || !self.world.is_running(host) {
            return Ok(None);
        }
        let answer = self.processes[host.index()].call(&mut self.world, turn);
        self.attend()?;
        Ok(answer)
    }

    /// Does something to the world. A process that begins by it gets the command to join the scenario's seeds.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn perform(&mut self, action: &Action) -> Result<(), Failure> {
        self.scenario.act(&mut self.world, action);
        self.attend()
    }

    /// Lets so much time pass.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn run_for(&mut self, time: Duration) -> Result<(), Failure> {
        self.go_until(time, |_| false).map(drop)
    }

    /// Lets time pass until `done`, which is asked after each thing that happens. How long that took.
    ///
    /// # Errors
    /// A rule is broken, or it is not done within `limit`.
    pub fn eventually(
        &mut self,
        limit: Duration,
        done: impl FnMut(&Self) -> bool,
    ) -> Result<Duration, Failure> {
        let begin = self.world.now();
        if self.go_until(limit, done)? {
            return Ok(self.world.now().since(begin));
        }
        Err(self.failure(format!("what was to come did not come within {limit:?}")))
    }

    /// Equal for equal runs, and only for them, as far as applications show what they do.
    #[must_use]
    pub fn digest(&self) -> Fingerprint {
        self.world.fingerprint()
    }

    fn failure(&self, why: String) -> Failure {
        Failure { at: self.world.now(), phase: self.world.phase, why }
    }

    /// Lets time pass, at most `limit`. Whether it was `done`.
    fn go_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> Result<bool, Failure> {
        let end = self.world.now().after(limit);
        loop {
            if done(self) {
                return Ok(true);
            }
            let timer = self.next_timer().filter(|(at, _)| *at <= end);
            let step = self.world.next_at().filter(|at| *at <= end);
            match (timer, step) {
                (Some((at, host)), step) if step.is_none_or(|step| at <= step) => {
                    self.world.fire(at, host);
                    self.processes[host.index()].fire(&mut self.world);
                    self.count(host, 1);
                }
                (_, Some(_)) => drop(self.world.step()),
                _ => break,
            }
            self.attend()?;
        }
        self.world.run_for(end.since(self.world.now()));
        Ok(done(self))
    }

    /// The next timer of all applications: when, by the world's clock, and where.
    fn next_timer(&self) -> Option<(Instant, HostId)> {
        let hosts = self.world.hosts().zip(&self.processes);
        hosts.filter_map(|(host, process)| Some((process.next_at(&self.world)?, host))).min()
    }

    /// Rules look at the whole cluster, so they are taken out of it meanwhile.
    fn ask(&mut self) -> Result<(), Failure> {
        let mut rules = std::mem::take(&mut self.rules);
        let broken = rules.iter_mut().try_for_each(|rule| rule(self));
        self.rules = rules;
        broken.map_err(|why| self.failure(why))
    }

    fn count(&mut self, host: HostId, calls: u32) {
        let now = self.world.now();
        let before = if self.calls.0 == now { self.calls.1 } else { 0 };
        self.calls = (now, before + calls);
        assert!(
            self.calls.1 <= CALLS_AT_ONE_INSTANT_MAX,
            "the application on {host} hangs: at {now:?} it always finds something more to do"
        );
    }
}

impl<A: Application> Cluster<A> {
    /// All hosts join, the faults come, and peace after them, until all members agree on who is there.
    ///
    /// # Errors
    /// A rule is broken, or the members do not agree in time.
    pub fn play(&mut self) -> Result<(), Failure> {
        self.gather()?;
        self.trouble()?;
        self.peace()
    }

    /// All hosts start and join each other, for ten periods, with nothing in their way.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn gather(&mut self) -> Result<(), Failure> {
        let (scenario, config) = (Arc::clone(&self.scenario), Arc::clone(&self.config));
        Conduct::gather(self, &scenario, &config)
    }

    /// The steps of the scenario, at their times, over its link.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn trouble(&mut self) -> Result<(), Failure> {
        let scenario = Arc::clone(&self.scenario);
        Conduct::trouble(self, &scenario)
    }

    /// Nothing is wrong any more, and the lost are started again, until all members agree on who is there.
    ///
    /// # Errors
    /// A rule is broken, or the members do not agree in time.
    pub fn peace(&mut self) -> Result<(), Failure> {
        self.scenario.make_peace(&mut self.world);
        self.attend()?;
        let tenth = self.config.period / 10;
        for _ in 0..self.scenario.agreed_within_periods() * 10 {
            self.run_for(tenth)?;
            if self.world.converged() {
                return Ok(());
            }
        }
        let (_, views) = World::wrong_views(&self.world);
        Err(self.failure(format!("the members do not agree:\n{views}")))
    }
}

impl<A: Application> Conduct for Cluster<A> {
    type Stop = Failure;

    fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    fn go_to(&mut self, at: Instant) -> Result<(), Failure> {
        self.run_for(at.since(self.world.now()))
    }

    /// Looks after all applications until none has anything more to do, and checks the rules.
    fn attend(&mut self) -> Result<(), Failure> {
        while self.attended != self.world.stirred() {
            self.attended = self.world.stirred();
            for host in self.world.hosts() {
                if host.index() == self.processes.len() {
                    self.processes.push(Process::new(self.world.seed(), host));
                }
                let calls = self.processes[host.index()].attend(&mut self.world, &mut *self.make);
                self.count(host, calls);
            }
        }
        self.ask()
    }
}

/// What was found wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// When, by the world's clock.
    pub at: Instant,
    /// In which part of the run.
    pub phase: Phase,
    /// What the rule said, or what did not come in time.
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.as_nanos() / 1_000;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let part = match self.phase {
            Phase::Gathering => "while all gather",
            Phase::Trouble => "in the trouble",
            Phase::Peace | Phase::Rest => "in peace",
        };
        write!(f, "{} (at {seconds}.{micros:06} s, {part})", self.why)
    }
}

impl std::error::Error for Failure {}
