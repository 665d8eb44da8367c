//! One host in a cluster of applications: the application that runs there now, its timers, its randomness.

use swim_core::{Event, Instant};

use super::context::{Application, Context, Timers};
use crate::random::purpose;
use crate::{HostId, Presence, Random, World};

/// Calls of applications at one instant after which one is said to hang.
pub(super) const CALLS_AT_ONE_INSTANT_MAX: u32 = 100_000;

/// One host.
pub(super) struct Process<A> {
    host: HostId,
    /// `None`: no process.
    pub(super) app: Option<A>,
    /// How often the host's process has started.
    start: u32,
    /// How much of the host's log it has been handed.
    reported: usize,
    timers: Timers,
    random: Random,
    resumption: Resumption,
}

impl<A: Application> Process<A> {
    pub(super) fn new(seed: u64, host: HostId) -> Self {
        Self {
            host,
            app: None,
            start: 0,
            reported: 0,
            timers: Timers::default(),
            random: Random::new(seed, purpose::APPLICATION, 0),
            resumption: Resumption::new(seed, host),
        }
    }

    /// Looks what has happened to the host since it was looked at last. How many calls that took.
    pub(super) fn attend(&mut self, world: &mut World, make: &mut dyn FnMut(HostId) -> A) -> u32 {
        let mut calls = 0;
        if self.start != world.starts(self.host) {
            self.begin(world, make(self.host));
            calls += 1;
        }
        while calls <= CALLS_AT_ONE_INSTANT_MAX
            && let Some(event) = self.news(world)
        {
            self.call(world, |app, ctx| app.on_event(ctx, &event));
            calls += 1;
        }
        if world.node(self.host).is_none() && self.app.is_some() {
            if world.presence(self.host) == Presence::Gone {
                self.call(world, |app, ctx| app.on_stop(ctx));
            }
            self.app = None;
            self.timers = Timers::default();
            calls += 1;
        }
        self.resumption.look(world, self.host);
        calls
    }

    fn begin(&mut self, world: &mut World, app: A) {
        self.start = world.starts(self.host);
        self.app = Some(app);
        self.timers = Timers::default();
        let stream = u64::from(self.host.0) << 32 | u64::from(self.start);
        self.random = Random::new(world.seed(), purpose::APPLICATION, stream);
        self.call(world, |app, ctx| app.on_start(ctx));
    }

    /// The next event that the application has not been handed.
    fn news(&mut self, world: &World) -> Option<Event> {
        let event = world.log(self.host).get(self.reported)?.event.clone();
        self.reported += 1;
        Some(event)
    }

    /// When, by the world's clock, the next timer fires.
    pub(super) fn next_at(&self, world: &World) -> Option<Instant> {
        let (local, _) = self.timers.first()?;
        Some(world.fires_at(self.host, local)?.max(self.resumption.timers_from()))
    }

    /// Lets the next timer fire.
    pub(super) fn fire(&mut self, world: &mut World) {
        if let Some((_, token)) = self.timers.first() {
            self.timers.cancel(token);
            self.call(world, |app, ctx| app.on_timer(ctx, token));
        }
    }

    /// One turn of the application; `None`: there is none.
    pub(super) fn call<R>(
        &mut self,
        world: &mut World,
        turn: impl FnOnce(&mut A, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let app = self.app.as_mut()?;
        let (timers, random) = (&mut self.timers, &mut self.random);
        Some(turn(app, &mut Context { world, host: self.host, timers, random }))
    }
}

/// What comes first when a process that stood still goes on: the timers that are overdue, or the datagrams that have
/// gathered. In reality that is an accident of the loop, and a bug may need either order, so a coin decides each time.
struct Resumption {
    stands_still: bool,
    /// Its timers do not fire earlier.
    timers_from: Instant,
    coin: Random,
}

impl Resumption {
    fn new(seed: u64, host: HostId) -> Self {
        let coin = Random::new(seed, purpose::RESUMPTION, u64::from(host.0));
        Self { stands_still: false, timers_from: Instant::ORIGIN, coin }
    }

    /// Looks at the process after something happened.
    fn look(&mut self, world: &World, host: HostId) {
        let stood_still = std::mem::replace(&mut self.stands_still, !world.is_running(host));
        if stood_still && !self.stands_still {
            // What has gathered is read at this very instant, and at equal times timers come first.
            self.timers_from = Instant::from_nanos(world.now().as_nanos() + self.coin.below(2));
        }
    }

    const fn timers_from(&self) -> Instant {
        self.timers_from
    }
}
