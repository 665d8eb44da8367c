//! What a member keeps for its next start: its epoch, and where some of the others were.
//!
//! A member that starts with it finds its cluster without a seed, and begins above its former epoch even if the clock was
//! set back. The peers are the [`STATE_PEERS_MAX`] that come first in an order of this process alone: each is as likely as
//! any other, members keep different ones, and a peer that stays is kept, so little is written.
//!
//! ```text
//! "SWIMSTA1"  id u64  epoch u64  count u8  count × (address  id u64  epoch u64  incarnation u32)  checksum u64
//! address: 4  ip [4]  port u16, or 6  ip [16]  port u16  scope u32; all little-endian
//! ```

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use swim_core::{Epoch, Identity, Incarnation, KnownPeer, Node, NodeId, Status};

use crate::Snapshot;

/// Peers that are kept at most.
pub const STATE_PEERS_MAX: usize = 64;

/// Bytes of the longest state.
pub(super) const STATE_BYTES_MAX: u64 = 8 + 8 + 8 + 1 + STATE_PEERS_MAX as u64 * (23 + 20) + 8;

/// What is kept. [`State::to_bytes`] is what a state file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// The member that it is of.
    pub id: NodeId,
    /// Its epoch: the next one is above it.
    pub epoch: Epoch,
    /// Others that it knew, at most [`STATE_PEERS_MAX`].
    pub known_peers: Vec<KnownPeer>,
}

/// Why bytes are no [`State`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadState {
    /// They do not begin as a state of this version does.
    #[error("it is no state of this version")]
    Foreign,
    /// They were cut or altered.
    #[error("it is damaged: its checksum does not fit")]
    Damaged,
    /// It is the state of another member.
    #[error("it is the state of member {0}")]
    OfAnother(NodeId),
}

impl State {
    /// The state of a member at the time of `snapshot`.
    #[must_use]
    pub fn of(me: Identity, snapshot: &Snapshot) -> Self {
        let rows = snapshot.iter().filter(|row| !row.is_me).map(|row| {
            let (id, addr, epoch, incarnation) = (row.id, row.addr, row.epoch, row.incarnation);
            (row.status, KnownPeer { id, addr, epoch, incarnation })
        });
        Self { id: me.id, epoch: me.epoch, known_peers: chosen(rows, &[], me.epoch.0) }
    }

    /// The state of a node now. `former` peers fill the room that members of the table leave.
    pub(super) fn of_node(node: &Node, former: &[KnownPeer], salt: u64) -> Self {
        let rows = node.members().filter(|row| !row.is_me).map(|row| {
            let (id, addr, epoch, incarnation) = (row.id, row.addr, row.epoch, row.incarnation);
            (row.status, KnownPeer { id, addr, epoch, incarnation })
        });
        let me = node.me();
        Self { id: me.id, epoch: me.epoch, known_peers: chosen(rows, former, salt) }
    }

    /// The state as bytes: 3 KiB at most.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let peers = &self.known_peers[..self.known_peers.len().min(STATE_PEERS_MAX)];
        let mut out = MAGIC.to_vec();
        out.extend(self.id.0.to_le_bytes());
        out.extend(self.epoch.0.to_le_bytes());
        out.push(peers.len() as u8);
        for peer in peers {
            put_addr(&mut out, peer.addr);
            out.extend(peer.id.0.to_le_bytes());
            out.extend(peer.epoch.0.to_le_bytes());
            out.extend(peer.incarnation.0.to_le_bytes());
        }
        out.extend(checksum(&out).to_le_bytes());
        out
    }

    /// Reads what [`State::to_bytes`] wrote.
    ///
    /// # Errors
    /// Anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadState> {
        let content = bytes.strip_prefix(MAGIC).ok_or(BadState::Foreign)?;
        let (body, sum) = content.split_last_chunk().ok_or(BadState::Damaged)?;
        if u64::from_le_bytes(*sum) != checksum(&bytes[..bytes.len() - sum.len()]) {
            return Err(BadState::Damaged);
        }
        Self::take(body).ok_or(BadState::Damaged)
    }

    fn take(mut from: &[u8]) -> Option<Self> {
        let (id, epoch) = (NodeId(take_u64(&mut from)?), Epoch(take_u64(&mut from)?));
        let [count] = take(&mut from)?;
        let mut known_peers = Vec::new();
        for _ in 0..count {
            let addr = take_addr(&mut from)?;
            let (id, epoch) = (NodeId(take_u64(&mut from)?), Epoch(take_u64(&mut from)?));
            let incarnation = Incarnation(u32::from_le_bytes(take(&mut from)?));
            known_peers.push(KnownPeer { id, addr, epoch, incarnation });
        }
        let is_whole = from.is_empty() && known_peers.len() <= STATE_PEERS_MAX && epoch <= Epoch::MAX;
        is_whole.then_some(Self { id, epoch, known_peers })
    }
}

/// Active members first, then those that may come back, then those of an earlier state.
fn chosen(
    rows: impl Iterator<Item = (Status, KnownPeer)>,
    former: &[KnownPeer],
    salt: u64,
) -> Vec<KnownPeer> {
    let rank = |status: Status| match status {
        Status::Alive | Status::Suspect => Some(0),
        Status::Dead => Some(1),
        Status::Left => None,
    };
    let mut absent: Vec<NodeId> = Vec::new();
    let mut peers: Vec<(u8, u64, KnownPeer)> = Vec::new();
    for (status, peer) in rows {
        match rank(status) {
            Some(rank) => peers.push((rank, mix(peer.id.0 ^ salt), peer)),
            None => absent.push(peer.id),
        }
        // Far more than are kept: the last in order go.
        if peers.len() == 4 * STATE_PEERS_MAX {
            trim(&mut peers);
        }
    }
    let full = peers.len() >= STATE_PEERS_MAX;
    for peer in former.iter().filter(|_| !full) {
        if !absent.contains(&peer.id) && peers.iter().all(|(.., held)| held.id != peer.id) {
            peers.push((2, mix(peer.id.0 ^ salt), *peer));
        }
    }
    trim(&mut peers);
    peers.into_iter().map(|(.., peer)| peer).collect()
}

fn trim(peers: &mut Vec<(u8, u64, KnownPeer)>) {
    peers.sort_unstable_by_key(|(rank, order, _)| (*rank, *order));
    peers.truncate(STATE_PEERS_MAX);
}

/// A permutation of the 64-bit numbers without pattern (the end of SplitMix64).
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// FNV-1a: a byte that differs, wherever, changes it.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn put_addr(out: &mut Vec<u8>, addr: SocketAddr) {
    match addr {
        SocketAddr::V4(v4) => {
            out.push(4);
            out.extend(v4.ip().octets());
            out.extend(v4.port().to_le_bytes());
        }
        SocketAddr::V6(v6) => {
            out.push(6);
            out.extend(v6.ip().octets());
            out.extend(v6.port().to_le_bytes());
            out.extend(v6.scope_id().to_le_bytes());
        }
    }
}

fn take_addr(from: &mut &[u8]) -> Option<SocketAddr> {
    match take(from)? {
        [4] => {
            let ip: [u8; 4] = take(from)?;
            Some(SocketAddr::new(IpAddr::from(ip), u16::from_le_bytes(take(from)?)))
        }
        [6] => {
            let ip: [u8; 16] = take(from)?;
            let (port, scope) = (u16::from_le_bytes(take(from)?), u32::from_le_bytes(take(from)?));
            Some(SocketAddrV6::new(ip.into(), port, 0, scope).into())
        }
        _ => None,
    }
}

fn take_u64(from: &mut &[u8]) -> Option<u64> {
    take(from).map(u64::from_le_bytes)
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*head)
}

const MAGIC: &[u8] = b"SWIMSTA1";

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: u64) -> KnownPeer {
        let addr = if id.is_multiple_of(2) { "[fe80::1%3]:7946" } else { "10.0.0.1:7946" };
        let addr = addr.parse().expect("an address");
        KnownPeer { id: NodeId(id), addr, epoch: Epoch(id + 7), incarnation: Incarnation(2) }
    }

    fn state() -> State {
        State { id: NodeId(9), epoch: Epoch(1_795_866_900_161), known_peers: (0..5).map(peer).collect() }
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        for known_peers in [Vec::new(), (0..STATE_PEERS_MAX as u64).map(peer).collect()] {
            let state = State { known_peers, ..state() };
            let bytes = state.to_bytes();
            assert!(bytes.len() as u64 <= STATE_BYTES_MAX);
            assert_eq!(State::from_bytes(&bytes), Ok(state));
        }
    }

    #[test]
    fn a_state_that_was_cut_or_lengthened_is_refused() {
        let bytes = state().to_bytes();
        for len in 0..bytes.len() {
            assert!(State::from_bytes(&bytes[..len]).is_err(), "cut to {len}");
        }
        assert_eq!(State::from_bytes(&[&bytes[..], &[0]].concat()), Err(BadState::Damaged));
        assert_eq!(State::from_bytes(b"# a configuration file"), Err(BadState::Foreign));
    }

    #[test]
    fn a_bit_that_was_flipped_anywhere_is_noticed() {
        let bytes = state().to_bytes();
        for at in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(State::from_bytes(&flipped).is_err(), "bit {at}");
        }
    }

    #[test]
    fn a_body_with_a_right_checksum_is_still_not_trusted() {
        for fill in 0..=u8::MAX {
            for len in 0..80 {
                let mut bytes = [MAGIC, &vec![fill; len]].concat();
                bytes.extend(checksum(&bytes).to_le_bytes());
                if let Ok(read) = State::from_bytes(&bytes) {
                    assert_eq!(read.to_bytes(), bytes, "{fill} {len}");
                }
            }
        }
    }

    #[test]
    fn the_peers_are_a_sample_that_differs_between_members_and_stays() {
        let rows = || (0..10_000).map(|id| (Status::Alive, peer(id)));
        let (one, other) = (chosen(rows(), &[], 1), chosen(rows(), &[], 2));
        assert_eq!(one.len(), STATE_PEERS_MAX);
        let mean = one.iter().map(|peer| peer.id.0).sum::<u64>() / one.len() as u64;
        assert!((3_000..7_000).contains(&mean), "spread over all: {mean}");
        assert!(one.iter().filter(|peer| other.contains(peer)).count() < 8, "members keep different ones");
        assert_eq!(one, chosen(rows(), &[], 1));
    }

    #[test]
    fn the_living_come_first_and_those_that_left_are_not_kept() {
        let rows = [(Status::Dead, peer(1)), (Status::Alive, peer(2)), (Status::Left, peer(3))];
        let kept = chosen(rows.into_iter(), &[peer(3), peer(2), peer(4)], 0);
        assert_eq!(kept, [peer(2), peer(1), peer(4)]);
    }
}
