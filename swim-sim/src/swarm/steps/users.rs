//! What users do.

use super::Drawing;
use crate::action::Action;
use crate::host::HostId;

impl Drawing<'_> {
    pub(super) fn metadata(&mut self, host: HostId) {
        let text = format!("word {}", self.below(1000));
        self.push(self.at, Action::SetMetadata { host, text });
    }

    pub(super) fn broadcast(&mut self, host: HostId) {
        let text = format!("broadcast {}", self.steps.len());
        self.push(self.at, Action::Broadcast { host, text });
    }

    pub(super) fn message(&mut self, host: HostId) {
        let target = self.host();
        let text = format!("message {}", self.steps.len());
        self.push(self.at, Action::Send { host, target, text });
    }
}
