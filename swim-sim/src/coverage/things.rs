//! The rare things themselves: a name for each, and what it takes to get there.

use swim_core::{DropReason, Event, MessageKind};

/// Declares things once: the variants, their names, what it takes, and the events that are such a thing.
macro_rules! things {
    ($($thing:ident $name:literal $about:literal $(by $event:pat)?,)*) => {
        /// Something that should happen somewhere in a sweep.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Thing {
            $($thing,)*
        }

        /// Name and meaning of each, in the order of [`Thing`].
        pub(super) const THINGS: &[(&str, &str)] = &[$(($name, $about),)*];

        impl Thing {
            /// What an event is.
            pub(super) const fn of(event: &Event) -> Self {
                match event {
                    $($($event => Self::$thing,)?)*
                    _ => Self::OtherEvent,
                }
            }
        }
    };
}

things! {
    Alive "event-alive" "a member is new, or back" by Event::Alive { .. },
    Suspect "event-suspect" "a probe fails, here or elsewhere" by Event::Suspect { .. },
    Confirmed "event-confirmed" "a second member's probe fails before the suspicion ends" by Event::Confirmed { .. },
    Refuted "event-refuted" "a suspect refutes in time" by Event::Refuted { .. },
    Dead "event-dead" "a suspicion runs out" by Event::Dead { .. },
    Left "event-left" "a goodbye is heard" by Event::Left { by: None, .. },
    Removed "event-removed" "an operator removes a Suspect or Dead member" by Event::Left { by: Some(_), .. },
    Updated "event-updated" "an address or metadata changes while its member runs" by Event::Updated { .. },
    Forgotten "event-forgotten" "a tombstone expires: a short tombstone_life, or a long run" by Event::Forgotten { .. },
    Accused "event-accused" "a living member learns that it is called Suspect or Dead" by Event::Accused { .. },
    ConflictWon "event-conflict-won" "a rival with the lower claim to a name" by Event::Conflict { won: true, .. },
    ConflictLost "event-conflict-lost" "a rival with the higher claim to a name" by Event::Conflict { won: false, .. },
    WrongSource "event-wrong-source" "an ack with the right number from another address: a move between ping and ack" by Event::WrongSource { .. },
    EpochRaised "event-epoch-raised" "a wall clock that was set back, or a removal of a living member" by Event::EpochRaised { .. },
    Stalled "event-stalled" "a process stands still for longer than 50 ms and a quarter of a direct timeout" by Event::Stalled { .. },
    StartedOver "event-started-over" "a stall of half of tombstone_life, or a seed whose clock is far ahead" by Event::StartedOver { .. },
    Isolated "event-deaf" "a node probes two members and receives nothing" by Event::Isolated { isolated: true },
    HearsAgain "event-hears-again" "the end of that" by Event::Isolated { isolated: false },
    Joined "event-joined" "a join succeeds" by Event::Joined { .. },
    JoinFailed "event-join-failed" "all who were asked refuse, or the node leaves while it asks" by Event::JoinFailed { .. },
    LeaveSent "event-leave-sent" "a goodbye was said to its end" by Event::LeaveSent { .. },
    MetadataSet "command-metadata-set" "a user attaches something",
    AddressSet "command-address-set" "a host moves",
    BroadcastQueued "command-broadcast-queued" "a user broadcasts",
    MessageSent "command-sent" "a user sends one member a message",
    Restored "command-restored" "a process begins with what an earlier one knew",
    Refused "command-refused" "a command that cannot be carried out, such as the removal of an Alive member",
    Broadcast "event-broadcast" "a broadcast arrives" by Event::Broadcast { .. },
    BroadcastsMissed "event-broadcasts-missed" "a member is cut off for longer than broadcasts are kept"
        by Event::BroadcastsMissed { .. },
    Message "event-message" "a direct message arrives" by Event::Message { .. },
    Lost "event-lost" "more than a thousand events in one input" by Event::Lost { .. },
    OtherEvent "event-other" "an event of a later version",
    Buddy "buddy" "a suspect is pinged, and learns from the ping that it is suspected",
    HealingPing "healing-ping" "a member held Dead is asked whether it is",
    BackFromTheDead "back-from-the-dead" "a member that was Dead here is Alive again",
    FullDatagram "full-datagram" "news fill a datagram to its last hundred bytes",
    Retry "retry" "a second ping within a period",
    AnsweredByRelay "answered-by-relay" "a probe that only a relay could save",
    NackHeard "nack-heard" "a nack comes in time",
    Excused "probe-excused" "a probe fails while the prober stalls or is isolated, or its ping never left",
    HeaderClaim "header-claim" "a header is news of its sender",
    ClockBackwards "clock-backwards" "a process's clock goes backwards",
    SendRefused "send-refused" "the operating system refuses a datagram of the engine",
    SendHeld "send-held" "a full send buffer holds a datagram back in the engine",
    SickHealth "health-at-worst" "the local health multiplier reaches its largest value",
}

/// Name and meaning of each kind of message, in the order of [`MessageKind::ALL`].
pub(super) const KINDS: [(&str, &str); MessageKind::ALL.len()] = [
    ("sent-ping", "always"),
    ("sent-ack", "always"),
    ("sent-ping-req", "a direct ping stays unanswered"),
    ("sent-nack", "a relay hears nothing for four fifths of the time that is left"),
    ("sent-relayed-ack", "a relay reaches a target that its prober cannot reach"),
    ("sent-join", "always"),
    ("sent-challenge", "always"),
    ("sent-welcome", "always"),
    ("sent-announce", "always"),
    ("sent-sync-pull", "digests differ"),
    ("sent-sync-page", "a member asked for one"),
    ("sent-gossip", "there is something to say"),
    ("sent-user", "a user sends one member a message"),
    ("sent-broadcast-pull", "a broadcast has reached others only"),
];

/// Name and meaning of each [`DropReason`], by its counter.
pub(super) const DROPS: [(&str, &str); DropReason::COUNT] = [
    ("drop-length", "a datagram shorter than a header"),
    ("drop-magic", "bytes that are none of ours"),
    ("drop-version", "a flipped bit in the version"),
    ("drop-flags", "a flipped bit in the flags that must be understood"),
    ("drop-label", "a flipped bit in the label"),
    ("drop-unknown-kind", "a flipped bit in the kind"),
    ("drop-malformed", "a body that does not decode"),
    ("drop-trailing-bytes", "a datagram that was cut or made longer"),
    ("drop-unknown-part", "a flipped bit in the kind of a part"),
    ("drop-unknown-update", "an update that does not decode"),
    ("drop-from-myself", "an echo, or a forgery in the receiver's name"),
    ("drop-stale-sender", "a datagram of an earlier epoch"),
    ("drop-insane-epoch", "a sender whose wall clock is far ahead"),
    ("drop-not-for-me", "an address that changed hands"),
    ("drop-stranger", "a datagram of a sender that is no member, outside the handshake"),
    ("drop-wrong-source", "a member's datagram from another address than it is held at"),
    ("drop-unexpected-answer", "an answer that comes late, twice, or was guessed"),
    ("drop-relay-target", "a relay that does not know the target"),
    ("drop-relay-limit", "more than four pings at once on behalf of one member"),
    ("drop-token", "a token that has expired or was made up"),
    ("drop-page-limit", "a flood of joins or pulls"),
    ("drop-contact-limit", "a flood of strangers that know later epochs"),
    ("drop-unknown-member", "news of a member that is not known"),
    ("drop-claim-epoch", "a claim of an epoch that is far ahead"),
    ("drop-claim-address", "a claim of an address that no host has, or the receiver's own"),
    ("drop-members-full", "a newcomer beyond members_max"),
    ("drop-duplicate-broadcast", "a broadcast that is heard twice"),
    ("drop-broadcast-limit", "more broadcasts than the queue holds"),
    ("drop-outbox-full", "more datagrams at once than the outbox holds"),
    ("drop-amplification", "an answer that would be longer than a stranger's question"),
    ("drop-not-running", "a datagram for a node that is quiet"),
];

/// What a swarm cannot reach, why, and what reaches it instead.
pub const UNREACHED: &[(&str, &str)] = &[
    ("event-lost", "hosts poll after every input: `lost_events_are_reported`"),
    ("event-other", "there is no later version yet"),
    (
        "command-restored",
        "hosts keep no list of members: `known_peers_alone_are_enough_however_late_they_come_up`",
    ),
    ("clock-backwards", "clocks of hosts never go backwards: the core takes such a time for the last one"),
    (
        "drop-members-full",
        "tables hold 100,000: `a_full_table_admits_no_new_or_returning_member_but_the_node_itself`",
    ),
    ("drop-broadcast-limit", "users broadcast too little at once: `the_queue_is_bounded`"),
    ("drop-outbox-full", "hosts poll after every input: `a_full_outbox_refuses_the_newest_datagram`"),
    (
        "drop-amplification",
        "no question is so short: `an_answer_that_would_be_longer_than_it_may_be_is_not_sent_and_leaves_no_trace`",
    ),
    (
        "drop-not-running",
        "a process ends as soon as its node is quiet, and hardly ever is it let in while it leaves: \
         `a_leave_ends_in_an_event_and_silence`",
    ),
    (
        "drop-contact-limit",
        "96 attempts at once, in clusters with fewer members: `attempts_are_bounded_for_each_purpose`",
    ),
    (
        "drop-page-limit",
        "256 pages in a second, by fewer members: `no_more_pages_than_the_budget_are_served_in_a_second`",
    ),
];
