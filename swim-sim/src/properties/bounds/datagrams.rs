//! B2: no datagram is sent that is longer than `datagram_max`, less what sealing will need.
//!
//! B5: one tick or command sends at most 16 datagrams, and one datagram that arrives is answered by at most three.
//!
//! The second is what keeps a conversation from growing: an answer, what the sender has wrong, and an ack that is
//! passed on.
//!
//! B19: in a second a member serves at most `pages_per_second` pages and welcomes, out of a budget that holds as
//! many: twice as many in the first second of a flood.
//!
//! Pages cost one each, and so does a join that proves its address, whatever comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Instant, MessageKind};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::{SEAL_ROOM, is_kind};
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// B2.
pub(super) struct Lengths {
    max: usize,
    looked: u64,
}

impl Lengths {
    pub(super) fn new(case: &Case) -> Self {
        Self { max: usize::from(case.config.datagram_max) - SEAL_ROOM, looked: 0 }
    }
}

impl Monitor for Lengths {
    declare! { "B2", "lengths", SENT,
    "no datagram is longer than datagram_max, less what sealing will need" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        let Happening::Sent { host, bytes, .. } = what else { return Ok(()) };
        self.looked += 1;
        if bytes.len() <= self.max {
            return Ok(());
        }
        let said = swim_trace::describe(bytes);
        let why = format!("{host:?} sent {} bytes of at most {}: {said}", bytes.len(), self.max);
        Err(Broken::by(&[*host], why))
    }
}

/// Datagrams of one tick or command.
const TICK_MAX: u32 = 16;
/// Datagrams that one datagram may cause.
const ANSWERS_MAX: u32 = 3;

/// B5.
#[derive(Default)]
pub(super) struct SendBudget {
    /// Whose input it is, and how much may be sent.
    input: Option<(HostId, u32)>,
    sent: u32,
    looked: u64,
}

impl Monitor for SendBudget {
    declare! { "B5", "send-budget", TICKED | ARRIVED | SENT | AFTER_INPUT,
    "a tick or a command sends at most sixteen datagrams, and a datagram is answered by at most three" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Ticked { host } | Happening::Commanded { host, .. } => {
                (self.input, self.sent) = (Some((*host, TICK_MAX)), 0);
            }
            Happening::Arrived { host, .. } => (self.input, self.sent) = (Some((*host, ANSWERS_MAX)), 0),
            Happening::Sent { host, .. } => {
                let Some((_, max)) = self.input.filter(|(sender, _)| sender == host) else { return Ok(()) };
                self.sent += 1;
                if self.sent > max {
                    let why = format!("{host:?} sent {} datagrams in one input; at most {max}", self.sent);
                    return Err(Broken::by(&[*host], why));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, _world: &World, _host: HostId) -> Check {
        self.looked += u64::from(self.input.take().is_some());
        Ok(())
    }
}

/// B19.
pub(super) struct PagesPerSecond {
    max: u64,
    seconds: BTreeMap<HostId, (Instant, u64)>,
    looked: u64,
}

impl PagesPerSecond {
    pub(super) fn new(case: &Case) -> Self {
        // What was saved up, and what came in meanwhile.
        Self { max: 2 * u64::from(case.config.pages_per_second), seconds: BTreeMap::new(), looked: 0 }
    }
}

impl Monitor for PagesPerSecond {
    declare! { "B19", "pages-per-second", SENT,
    "no more pages and welcomes are served than the budget of pages_per_second allows" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        let Happening::Sent { host, bytes, .. } = what else { return Ok(()) };
        if !is_kind(bytes, MessageKind::SyncPage) && !is_kind(bytes, MessageKind::Welcome) {
            return Ok(());
        }
        self.looked += 1;
        let now = scene.now();
        let (began, served) = self.seconds.entry(*host).or_insert((now, 0));
        if now >= began.after(Duration::from_secs(1)) {
            (*began, *served) = (now, 0);
        }
        *served += 1;
        if *served <= self.max {
            return Ok(());
        }
        let why =
            format!("{host:?} served {served} pages and welcomes since {began:?}; at most {}", self.max);
        Err(Broken::by(&[*host], why))
    }
}
