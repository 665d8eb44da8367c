//! B5: one tick or command sends at most 16 datagrams, and one datagram that arrives is answered by at most three.
//!
//! The second is what keeps a conversation from growing: an answer, what the sender has wrong, and an ack that is
//! passed on.

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::{Broken, Check, Monitor, declare};

/// Datagrams of one tick or command.
const TICK_MAX: u32 = 16;
/// Datagrams that one datagram may cause.
const ANSWERS_MAX: u32 = 3;

/// B5.
#[derive(Default)]
pub(super) struct Quantum {
    /// Whose input it is, and how much may be sent.
    input: Option<(HostId, u32)>,
    sent: u32,
    looked: u64,
}

impl Monitor for Quantum {
    declare! { "B5", "quantum", TICKED | ARRIVED | SENT | AFTER_INPUT,
    "a tick or a command sends at most sixteen datagrams, and a datagram is answered by at most three" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Ticked { host } => (self.input, self.sent) = (Some((*host, TICK_MAX)), 0),
            Happening::Commanded { host, .. } => (self.input, self.sent) = (Some((*host, TICK_MAX)), 0),
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
