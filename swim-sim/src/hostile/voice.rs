//! Datagrams in somebody's name.

use super::Claim;

/// Tags of parts.
const HEAD: u8 = 1;
const UPDATES: u8 = 2;

/// Whom a datagram says that it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Voice {
    /// Hash of the cluster's label: [`swim_core::Config::label_hash`].
    pub label: u32,
    /// The sender's id.
    pub id: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Its incarnation.
    pub incarnation: u32,
}

impl Voice {
    /// The header alone, of any kind.
    #[must_use]
    pub fn header(&self, kind: u8) -> Vec<u8> {
        let mut bytes = vec![b'S', b'W', 1, 0, kind, 0, 0, 0];
        bytes.extend(self.label.to_le_bytes());
        bytes.extend(self.id.to_le_bytes());
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.incarnation.to_le_bytes());
        bytes
    }

    /// A ping of `target`, held alive as it is said to be.
    #[must_use]
    pub fn ping(&self, target: Claim, number: u64) -> Vec<u8> {
        let mut head = target.id.to_le_bytes().to_vec();
        head.extend(target.epoch.to_le_bytes());
        head.extend(target.incarnation.to_le_bytes());
        head.push(0);
        head.extend(number.to_le_bytes());
        head.extend(0_u64.to_le_bytes());
        self.datagram(1, &head, &[])
    }

    /// An ack that says nothing but its number.
    #[must_use]
    pub fn ack(&self, number: u64) -> Vec<u8> {
        self.datagram(2, &[&number.to_le_bytes()[..], &[0, 0, 0]].concat(), &[])
    }

    /// A request to ping `target`.
    #[must_use]
    pub fn ping_req(&self, target: u64, number: u64, budget_micros: u32) -> Vec<u8> {
        let head = [&target.to_le_bytes()[..], &number.to_le_bytes(), &budget_micros.to_le_bytes()];
        self.datagram(3, &head.concat(), &[])
    }

    /// A request to join; token 0 is none.
    #[must_use]
    pub fn join(&self, nonce: u64, token: u64) -> Vec<u8> {
        self.datagram(6, &[nonce.to_le_bytes(), token.to_le_bytes()].concat(), &[])
    }

    /// An announcement, with what the sender says of itself.
    #[must_use]
    pub fn announce(&self, token: u64, number: u64, alive: &[u8]) -> Vec<u8> {
        self.datagram(9, &[token.to_le_bytes(), number.to_le_bytes()].concat(), &[alive])
    }

    /// A question for everything that differs from an empty table.
    #[must_use]
    pub fn sync_pull(&self, number: u64) -> Vec<u8> {
        self.datagram(10, &[&number.to_le_bytes()[..], &[0; 4 + 1 + 16 * 4]].concat(), &[])
    }

    /// Nothing but claims.
    #[must_use]
    pub fn gossip(&self, updates: &[&[u8]]) -> Vec<u8> {
        self.datagram(12, &[], updates)
    }

    fn datagram(&self, kind: u8, head: &[u8], updates: &[&[u8]]) -> Vec<u8> {
        let mut bytes = self.header(kind);
        if !head.is_empty() {
            part(&mut bytes, HEAD, head);
        }
        if !updates.is_empty() {
            let records: Vec<u8> =
                updates.iter().flat_map(|update| [&len(update), *update].concat()).collect();
            part(&mut bytes, UPDATES, &records);
        }
        bytes
    }
}

fn part(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) {
    bytes.push(tag);
    bytes.extend(len(content));
    bytes.extend(content);
}

fn len(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).expect("what is forged is short").to_le_bytes()
}

#[cfg(test)]
mod tests {
    use swim_core::{NodeId, Said, Status, inspect};

    use super::*;

    const VOICE: Voice = Voice { label: 7, id: 8, epoch: 9, incarnation: 10 };
    const ABOUT: Claim = Claim { id: 1, epoch: 2, incarnation: 3 };

    #[test]
    fn a_node_reads_every_forged_message_as_what_it_says() {
        let cases = [
            (VOICE.ping(ABOUT, 77), 1, Some(NodeId(1))),
            (VOICE.ack(77), 2, None),
            (VOICE.ping_req(1, 77, 1000), 3, Some(NodeId(1))),
            (VOICE.join(77, 0), 6, None),
            (VOICE.announce(5, 77, &ABOUT.alive("[2001:db8::1]:5".parse().expect("valid"))), 9, None),
            (VOICE.sync_pull(77), 10, None),
        ];
        for (bytes, kind, target) in cases {
            let read = inspect(&bytes).unwrap_or_else(|reason| panic!("kind {kind}: {reason:?}"));
            assert_eq!((bytes[4], read.label, read.sender), (kind, 7, NodeId(8)));
            assert_eq!((read.epoch.0, read.incarnation.0), (9, 10));
            assert_eq!((read.number, read.target), (Some(77), target), "kind {kind}");
        }
    }

    #[test]
    fn a_node_reads_every_forged_claim_as_what_it_says() {
        let addr = "10.0.0.1:5".parse().expect("valid");
        let claims = [ABOUT.alive(addr), ABOUT.suspect(4), ABOUT.dead(4), ABOUT.left(1)];
        let bytes = VOICE.gossip(&claims.each_ref().map(Vec::as_slice));
        let read = inspect(&bytes).expect("it is well made");
        let said: Vec<(u64, u64, u32, Status)> = read
            .said()
            .map(|said| match said {
                Ok(Said::Member(said)) => {
                    (said.id.0, said.claim.epoch.0, said.claim.incarnation.0, said.claim.status)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [Status::Alive, Status::Suspect, Status::Dead, Status::Left];
        assert_eq!(said, expected.map(|status| (1, 2, 3, status)));
    }
}
