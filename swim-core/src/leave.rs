//! Leaving: a node says goodbye, and stops once it has been said often enough.
//!
//! The goodbye is an update like any other: Left, about this node, by this node. It is gossiped as often as any update,
//! with an interval of its own if there is no gossip timer, and is final for this epoch.

use crate::api::Event;
use crate::context::Phase;
use crate::group::{Group, Slot};

/// Says goodbye.
pub(crate) fn begin(group: &mut Group) {
    debug_assert!(group.cx.is_running(), "a node leaves once");
    group.say_goodbye();
    group.cx.phase = Phase::Leaving { datagrams: 0 };
}

/// After every input: stops if the goodbye has been said often enough, or there is no member left to say it to.
#[inline]
pub(crate) fn settle(group: &mut Group) {
    if let Phase::Leaving { datagrams } = group.cx.phase
        && (group.members().queue(Slot::ME).is_none() || group.n() == 0)
    {
        group.cx.phase = Phase::Left { datagrams };
        group.cx.event(Event::LeaveSent { datagrams });
    }
}
