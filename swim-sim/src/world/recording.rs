//! Processes of hosts, recorded as a real driver records them: the same format, read by the same replay.

use std::io::Write;

use swim_core::{Identity, Seed};
use swim_trace::{Recorder, Subject};

use super::World;
use crate::host::HostId;
use crate::random::{Random, purpose};

/// Makes what a process of a host, counted from 1, is recorded to; `None`: that one is not recorded.
pub(super) type Recorders = Box<dyn FnMut(HostId, u32) -> Option<Box<dyn Write + Send>> + Send>;

impl World {
    /// Records every process that begins from now on, as a trace, to what `make` gives for the host and the
    /// number of the process, counted from 1. One whose writer fails is recorded up to there.
    pub fn record(
        &mut self,
        make: impl FnMut(HostId, u32) -> Option<Box<dyn Write + Send>> + Send + 'static,
    ) {
        self.recorders = Some(Box::new(make));
    }

    pub(super) fn begin_recording(&mut self, id: HostId, me: Identity, unix_ms: u64, seed: Seed) {
        let host = &mut self.hosts[id.index()];
        let Some(out) = self.recorders.as_mut().and_then(|make| make(id, host.starts)) else { return };
        let index = u64::from(id.0) << 32 | u64::from(host.starts);
        let recording = Random::new(self.setup.seed, purpose::RECORDING, index).bits();
        let recorder = Recorder::to(out, Subject { me, unix_ms, recording, redactor: None });
        host.engine = host.engine.take().map(|engine| Box::new(engine.recorded(recorder, seed)));
    }
}
