//! A leader for a group, by a lease: a member leads as long as most of the voters have promised to help no
//! other.
//!
//! The smallest member that is alive, as far as it knows, asks all voters again and again. A voter that says
//! yes helps no other for as long as a lease lasts. With the answers of most of them the lease holds, from when
//! they were *asked*. The membership only says who should try; that two members may hold different views of it
//! must never matter.

use std::collections::BTreeSet;
use std::time::Duration;

use swim_core::{Event, Instant, NodeId, Status};
use swim_sim::application::{Application, Context};

/// How long a lease lasts, and a promise.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// How often the leader asks.
const TICK: Duration = Duration::from_millis(500);

const ASK: u8 = 1;
const YES: u8 = 2;

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// It leads until its timer finds that the lease is over. But after a pause, timers are late.
    TrustsItsTimer,
    /// A process that starts again helps any member at once, whatever it promised before.
    ForgetsItsPromise,
    /// An answer to an earlier question counts as one to the last.
    CountsOldAnswers,
}

pub(crate) struct Lease {
    flaw: Flaw,
    voters: u32,
    /// The number of the last question, and when it was asked.
    ballot: u64,
    asked_at: Instant,
    /// Who said yes to it.
    yes: BTreeSet<NodeId>,
    /// Until when this member leads.
    until: Instant,
    leads: bool,
    /// Which member this one helps, and until when no other.
    promised: Option<NodeId>,
    promised_until: Instant,
}

impl Lease {
    /// One of so many voters.
    pub(crate) fn new(voters: u32, flaw: Flaw) -> Self {
        Self {
            flaw,
            voters,
            ballot: 0,
            asked_at: Instant::ORIGIN,
            yes: BTreeSet::new(),
            until: Instant::ORIGIN,
            leads: false,
            promised: None,
            promised_until: Instant::ORIGIN,
        }
    }

    /// Whether it would act as the leader now.
    pub(crate) fn leads(&self, now: Instant) -> bool {
        match self.flaw {
            Flaw::TrustsItsTimer => self.leads,
            _ => now < self.until,
        }
    }

    /// Whether this member helps `candidate` from now on.
    fn promise(&mut self, now: Instant, candidate: NodeId) -> bool {
        if self.promised != Some(candidate) && now < self.promised_until {
            return false;
        }
        self.promised = Some(candidate);
        self.promised_until = now.after(LEASE);
        true
    }

    fn ask(&mut self, ctx: &mut Context<'_>) {
        self.ballot = ctx.random().bits();
        self.asked_at = ctx.now();
        if self.flaw != Flaw::CountsOldAnswers {
            self.yes.clear();
        }
        let me = ctx.me();
        if self.promise(ctx.now(), me) {
            self.count(me);
        }
        for voter in (1..=u64::from(self.voters)).map(NodeId).filter(|voter| *voter != me) {
            // Refused if it is no member any more.
            let _ = ctx.send(voter, &message(ASK, self.ballot));
        }
    }

    fn count(&mut self, voter: NodeId) {
        self.yes.insert(voter);
        if self.yes.len() > self.voters as usize / 2 {
            self.until = self.asked_at.after(LEASE);
            self.leads = true;
            if self.flaw == Flaw::CountsOldAnswers {
                self.yes.clear();
            }
        }
    }
}

impl Application for Lease {
    fn on_start(&mut self, ctx: &mut Context<'_>) {
        if self.flaw != Flaw::ForgetsItsPromise {
            // Whatever an earlier process has promised is over when this is.
            self.promised_until = ctx.now().after(LEASE);
        }
        ctx.set_timer(TICK, 0);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>, _token: u64) {
        ctx.set_timer(TICK, 0);
        self.leads = ctx.now() < self.until;
        let living = ctx.members().filter(|member| member.status == Status::Alive);
        if living.map(|member| member.id).min() == Some(ctx.me()) {
            self.ask(ctx);
        }
    }

    fn on_event(&mut self, ctx: &mut Context<'_>, event: &Event) {
        let Event::Message { from, payload } = event else { return };
        match read(payload) {
            Some((ASK, ballot)) if self.promise(ctx.now(), *from) => {
                // Refused if it is no member any more.
                let _ = ctx.send(*from, &message(YES, ballot));
            }
            Some((YES, ballot)) if ballot == self.ballot || self.flaw == Flaw::CountsOldAnswers => {
                self.count(*from);
            }
            _ => {}
        }
    }
}

fn message(kind: u8, ballot: u64) -> Vec<u8> {
    [&[kind][..], &ballot.to_le_bytes()].concat()
}

fn read(payload: &[u8]) -> Option<(u8, u64)> {
    let (kind, ballot) = payload.split_first()?;
    Some((*kind, u64::from_le_bytes(ballot.try_into().ok()?)))
}
