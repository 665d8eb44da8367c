//! A world whose hosts run applications.
//!
//! The world goes on step by step. After each, whatever the nodes reported is handed to their applications, new
//! processes get new applications, and the rules are asked; in between, the applications' timers fire in the
//! order of time. What an application does is done at that instant, and may cause more: all of it happens
//! before time goes on.

use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Instant};

use super::seat::{CALLS_AT_ONE_INSTANT_MAX, Seat};
use super::{Application, Context, Failure};
use crate::action::Action;
use crate::scenario::{Scenario, ScenarioError};
use crate::{Fingerprint, HostId, Setup, World};

/// What must hold after each thing that happens.
type Rule<A> = Box<dyn FnMut(&Cluster<A>) -> Result<(), String>>;

/// A cluster of one kind of application.
pub struct Cluster<A> {
    pub(super) scenario: Arc<Scenario>,
    pub(super) config: Arc<Config>,
    pub(super) world: World,
    seats: Vec<Seat<A>>,
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
            seats: Vec::new(),
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
        self.seats.get(host.index())?.app.as_ref()
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
        if host.index() >= self.seats.len() || !self.world.is_running(host) {
            return Ok(None);
        }
        let answer = self.seats[host.index()].call(&mut self.world, turn);
        self.attend()?;
        Ok(answer)
    }

    /// Does something to the world. A process that begins by it is told to join the scenario's seeds.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn perform(&mut self, action: &Action) -> Result<(), Failure> {
        let scenario = Arc::clone(&self.scenario);
        scenario.act(&mut self.world, action);
        self.attend()
    }

    /// Lets so much time pass.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn run_for(&mut self, time: Duration) -> Result<(), Failure> {
        self.go(time, |_| false).map(drop)
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
        if self.go(limit, done)? {
            return Ok(self.world.now().since(begin));
        }
        Err(self.failure(format!("what was to come did not come within {limit:?}")))
    }

    /// Equal for equal runs, and only for them, as far as applications show what they do.
    #[must_use]
    pub const fn digest(&self) -> Fingerprint {
        self.world.fingerprint()
    }

    pub(super) fn failure(&self, why: String) -> Failure {
        Failure { at: self.world.now(), phase: self.world.phase, why }
    }

    /// Lets time pass, at most `limit`. Whether it was `done`.
    pub(super) fn go(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Result<bool, Failure> {
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
                    self.seats[host.index()].fire(&mut self.world);
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
        let hosts = self.world.hosts().zip(&self.seats);
        hosts.filter_map(|(host, seat)| Some((seat.next_at(&self.world)?, host))).min()
    }

    /// Looks after all applications until nobody has anything more to say, and asks the rules.
    pub(super) fn attend(&mut self) -> Result<(), Failure> {
        while self.attended != self.world.stirred() {
            self.attended = self.world.stirred();
            for host in self.world.hosts() {
                if host.index() == self.seats.len() {
                    self.seats.push(Seat::new(self.world.seed(), host));
                }
                let calls = self.seats[host.index()].attend(&mut self.world, &mut *self.make);
                self.count(host, calls);
            }
        }
        self.ask()
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
