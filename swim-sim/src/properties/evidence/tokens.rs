//! Which addresses have been proven, and to whom: by the tokens that were given out and came back.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use swim_core::MessageKind;

use crate::ground_truth::Happening;
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;

/// The tokens that each node has given out.
#[derive(Default)]
pub(in crate::properties) struct Tokens(PerHost<BTreeSet<(SocketAddr, u64)>>);

impl Tokens {
    pub(in crate::properties) fn on_datagram(&mut self, what: &Happening<'_>, said: &Reading<'_>) {
        if let (Happening::Sent { host, target, .. }, MessageKind::Challenge, Some(token)) =
            (what, said.kind, said.token)
        {
            self.0.of(*host).insert((*target, token));
        }
    }

    /// Whether a datagram shows the token that `host` has sent to where it comes from.
    pub(in crate::properties) fn proves(
        &mut self,
        host: HostId,
        source: SocketAddr,
        said: &Reading<'_>,
    ) -> bool {
        let shows = matches!(said.kind, MessageKind::Join | MessageKind::Announce);
        shows && said.token.is_some_and(|token| self.0.of(host).contains(&(source, token)))
    }
}
