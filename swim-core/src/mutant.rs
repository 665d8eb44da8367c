//! Mistakes on purpose: what those who watch a cluster must notice.
//!
//! A search that finds nothing proves little until it is known what it would have found. So the core can be
//! built with mistakes in it, each of them one that somebody could have made: a comparison the wrong way, a
//! timer forgotten, a bound not kept. One is chosen at run time; the watchers who do not notice it lack an
//! invariant.
//!
//! They are there only in a build with `RUSTFLAGS="--cfg swim_mutants"`. That is no feature, so nothing that
//! depends on this crate can switch it on; in every other build `mutant!` is the constant `false` and this
//! file is not compiled. Each mistake is one line where it is made: search for `mutant!(` and its name.
//!
//! The choice is the process's, not a node's: it must be made before the first node is, for a digest that is
//! summed in two ways is a mistake of another kind.

use core::sync::atomic::{AtomicU8, Ordering};

use crate::api::claim::{self, Claim, Status};

/// 0: none; otherwise the place in [`Mutant::ALL`], counted from 1.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Makes this mistake from now on, in the whole process; `None`: none.
pub fn choose(mutant: Option<Mutant>) {
    CHOSEN.store(mutant.map_or(0, |mutant| mutant as u8 + 1), Ordering::Relaxed);
}

/// Whether `mutant` is the one that was chosen.
pub(crate) fn is(mutant: Mutant) -> bool {
    CHOSEN.load(Ordering::Relaxed) == mutant as u8 + 1
}

/// Whether the mistake of that name is to be made.
macro_rules! mutant {
    ($name:ident) => {
        $crate::mutant::is($crate::mutant::Mutant::$name)
    };
}

/// The order of claims, with the mistakes in it: what is planted in `claim.rs` itself would also be in the
/// order by which watchers judge.
pub(crate) fn supersedes(held: &Claim, new: &Claim) -> bool {
    use Status::{Alive, Dead, Left, Suspect};
    let life = held.epoch == new.epoch;
    let equal = life && held.incarnation == new.incarnation;
    match (held.status, new.status) {
        (Alive, Suspect) if mutant!(EqualSuspectIgnored) && equal => false,
        (Suspect, Alive) if mutant!(AliveOverEqualSuspect) && equal => true,
        (Dead, Alive) if mutant!(AliveOverEqualDead) && equal => true,
        (Dead, Suspect) if mutant!(SuspectOverEqualDead) && equal => true,
        (Dead, Alive | Suspect) if mutant!(DeadIsFinal) && life => false,
        (Left, Alive) if mutant!(AliveOverLeft) && life => new.incarnation >= held.incarnation,
        _ if mutant!(IncarnationBeforeEpoch) && held.incarnation != new.incarnation => {
            new.incarnation > held.incarnation
        }
        _ => claim::supersedes(held, new),
    }
}

macro_rules! mutants {
    ($($variant:ident $name:literal $about:literal)*) => {
        /// One mistake.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Mutant {
            $(#[doc = $about] $variant,)*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as it is typed: `refutation-dropped`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What is wrong, and in parentheses the promises (`docs/invariants.md`) that it breaks: by one of
            /// them it is to be noticed. E1 is what a scenario says of itself.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)*
                }
            }
        }
    };
}

impl Mutant {
    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mutant| mutant.name() == name)
    }
}

mutants! {
    // The order of claims.
    EqualSuspectIgnored "equal-suspect-ignored"
        "A Suspect is believed only above the incarnation that is held: accusations do not spread (Q1)."
    AliveOverEqualSuspect "alive-over-equal-suspect"
        "An Alive of the same incarnation ends a suspicion: repeated words refute in another's name (S1)."
    AliveOverEqualDead "alive-over-equal-dead"
        "An Alive of the same incarnation revives the Dead: a late word is enough (S1, S6)."
    SuspectOverEqualDead "suspect-over-equal-dead"
        "A Suspect of the same incarnation brings the Dead back into the cluster (S1, S6)."
    DeadIsFinal "dead-is-final"
        "No higher incarnation refutes a Dead: partitions never heal (L4)."
    AliveOverLeft "alive-over-left"
        "An Alive of the same life takes a goodbye back (S1, S7)."
    IncarnationBeforeEpoch "incarnation-before-epoch"
        "Incarnations are compared before epochs: an earlier life outbids a later one (S1)."
    DeadOverAlive "dead-over-alive"
        "A Dead is believed over an Alive at once: nobody can speak up here (S3)."
    LeftOverAlive "left-over-alive"
        "A Left that another says is believed over an Alive (S7)."
    PendingNeverFilled "pending-never-filled"
        "What a header announced is not fetched: an address or metadata stays out of date (L6, Q4)."

    // What is said of this node, and who it is.
    RefutationDropped "refutation-dropped"
        "Who is accused does not speak up: the living are buried (S4)."
    RefutationNotHigher "refutation-not-higher"
        "Who is accused repeats the incarnation it was accused in, which refutes nothing (S4, B10)."
    IncarnationInAByte "incarnation-in-a-byte"
        "An incarnation above 255 begins again at 0: a member's own word falls back (S1)."
    HigherEpochIgnored "higher-epoch-ignored"
        "Who is accused in a later life than its own does not outlive it: it is not heard (L3, L4, E1)."
    HeldEpochTaken "held-epoch-taken"
        "A new life takes the epoch that the cluster holds, and is taken for the old one (S1, S7, L3, L4)."
    MetadataWithoutIncarnation "metadata-without-incarnation"
        "New metadata is told in the incarnation of the old: nobody can tell which is newer (L6, Q8, B10)."
    EarlierLifeHeard "earlier-life-heard"
        "A datagram of an earlier life than the one held is heard as a member's (S6, S9, S10)."
    BothKeepTheName "both-keep-the-name"
        "Of two holders of one id that meet, the loser does not give it up (S12)."
    IncumbentNotAsked "incumbent-not-asked"
        "A newcomer is given the id of a member that may well live, unasked (S12, E1)."

    // The probe and its relays.
    AckFromAnywhere "ack-from-anywhere"
        "An ack counts whatever address it comes from (S8)."
    NumberUnchecked "number-unchecked"
        "An ack counts whatever its number is: late and guessed ones too (S8)."
    NumberReused "number-reused"
        "All probes have the same number: an ack of an earlier one answers the present one (S8)."
    AckClearsSuspicion "ack-clears-suspicion"
        "An ack ends the suspicion of whoever sent it, without its higher word (S1)."
    UnsentIsUnanswered "unsent-is-unanswered"
        "A ping that never left this machine is held against its target (S13, S21)."
    TargetAskedAsRelay "target-asked-as-relay"
        "The target of a probe may be asked to relay to itself (S23)."
    RelayForStrangers "relay-for-strangers"
        "A ping-req of somebody who is no member is carried out (S10, S11)."
    NackTooLate "nack-too-late"
        "A relay says no when its budget is over: the asker has concluded by then (S22)."
    NackNever "nack-never"
        "A relay never says no: a good relay of a dead member looks deaf (S22)."
    BuddyForgotten "buddy-forgotten"
        "A ping to a suspect does not tell it so: it learns late that it must speak up (S24)."
    RotationSkips "rotation-skips"
        "Every other member is passed over in a traversal (Q2)."
    RotationIsRandom "rotation-is-random"
        "Targets are drawn without regard to the traversal: the same one twice in a row (Q2)."
    RotationStuck "rotation-stuck"
        "The same member is probed in every period, the others never (Q2)."

    // Suspicion.
    ConfirmationsIgnored "confirmations-ignored"
        "Further accusers do not shorten a suspicion: it always lasts its longest (Q1, S25)."
    ShortestAtOnce "shortest-at-once"
        "One accuser makes a suspicion as short as all of them would (S4, S25)."
    SuspicionTooShort "suspicion-too-short"
        "A suspicion runs out after half of its time (S3)."
    SameAccuserTwice "same-accuser-twice"
        "An accuser counts as often as it is heard (S25)."
    SuspicionTimerForgotten "suspicion-timer-forgotten"
        "A suspicion with a second accuser never runs out (L1, Q1)."

    // Self-doubt and time.
    StallUnnoticed "stall-unnoticed"
        "Who was not run does not notice, and blames others for what it missed (S3, S13)."
    DeafnessUnnoticed "deafness-unnoticed"
        "Who hears nobody does not notice, and accuses everybody (S13, E1)."
    HealthNeverWorsens "health-never-worsens"
        "No sign of trouble stretches this node's patience (Q10)."
    HealthNeverRecovers "health-never-recovers"
        "A node once slow stays slow: its periods never shrink again (Q5)."
    DeadlineLate "deadline-late"
        "The deadline is told one period late: every timer runs late, and nobody is called late (B36)."

    // Telling.
    GossipTickForgotten "gossip-tick-forgotten"
        "Nothing is gossiped but on the back of probes: news are slow, a goodbye never ends (L7, B36)."
    ToldOnce "told-once"
        "An update is told once by each member: it does not reach everybody (Q6, Q8)."
    ToldOnceTooOften "told-once-too-often"
        "An update is told once more than λ · ⌈log₁₀(n + 1)⌉ times (B10)."
    ToldForEver "told-for-ever"
        "An update is told without end: storms do not end (Q5, B10)."
    SealRoomForgotten "seal-room-forgotten"
        "The bytes that encryption needs are filled: datagrams are longer than they may be (B2)."
    LeaveNotTold "leave-not-told"
        "A goodbye is not gossiped: who left is found dead instead (L7)."
    BroadcastTwice "broadcast-twice"
        "A broadcast is delivered as often as it is heard (Q6)."
    LateBroadcastTwice "late-broadcast-twice"
        "A broadcast that a later one overtook is delivered as often as it is heard (Q6)."

    // What ends what gossip, or a partition, left behind.
    DigestWithoutIncarnation "digest-without-incarnation"
        "The digest leaves incarnations out: a word that was missed is not fetched (L6, E1)."
    HealForgotten "heal-forgotten"
        "Nobody ever contacts the Dead: partitions do not heal (L4)."
    TombstoneTooShort "tombstone-too-short"
        "Tombstones are forgotten after a thousandth of their life: late words revive (B8)."

    // The door.
    StrangersBelieved "strangers-believed"
        "The gossip of somebody who is no member is heard (S9)."
    LabelUnchecked "label-unchecked"
        "Datagrams of other clusters are heard (S9)."
    EpochLeadUnchecked "epoch-lead-unchecked"
        "Any epoch is believed, however far ahead of the clock (E1)."
    TokenUnchecked "token-unchecked"
        "Any token will do in a join and an announcement: an address need not be proven (S10)."
    AddressUnproven "address-unproven"
        "An announcement may name another address than the one it comes from (S11)."
    LongAnswerToStranger "long-answer-to-stranger"
        "The answer to a stranger's ping carries a claim: it is longer than the question (S10)."
    JoinRetryForgotten "join-retry-forgotten"
        "A question to a seed is not asked again: one datagram lost, and nobody joins (L2, L8)."

    // Bounds.
    MembersUnbounded "members-unbounded"
        "Newcomers are admitted beyond `members_max` (B7)."
    TombstonesUnbounded "tombstones-unbounded"
        "Tombstones are kept beyond `tombstones_max` (B8)."
    RelaysUnbounded "relays-unbounded"
        "One member can have any number of pings relayed at once (B14)."
    PagesUnbounded "pages-unbounded"
        "Pages and welcomes are served beyond `pages_per_second` (B19)."
    BroadcastsUnbounded "broadcasts-unbounded"
        "Broadcasts are queued beyond `broadcasts_max` (B12)."
    QuantumIgnored "quantum-ignored"
        "One tick sends as many datagrams as are due, and fills the outbox (B5)."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_is_found_by_its_name_and_no_two_share_one() {
        for mutant in Mutant::ALL {
            assert_eq!(Mutant::from_name(mutant.name()), Some(*mutant));
            let kebab = mutant.name().bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
            assert!(kebab && mutant.about().ends_with('.'), "{mutant:?}");
        }
    }

    #[test]
    fn the_order_of_claims_is_the_right_one_while_no_mutant_is_chosen() {
        let claims = || {
            (0..2).flat_map(|epoch| (0..2).map(move |incarnation| (epoch, incarnation))).flat_map(
                |(epoch, incarnation)| {
                    (0..4).filter_map(Status::from_u8).map(move |status| Claim {
                        epoch: crate::Epoch(epoch),
                        incarnation: crate::Incarnation(incarnation),
                        status,
                    })
                },
            )
        };
        for held in claims() {
            for new in claims() {
                assert_eq!(supersedes(&held, &new), claim::supersedes(&held, &new), "{new:?} over {held:?}");
            }
        }
    }
}
