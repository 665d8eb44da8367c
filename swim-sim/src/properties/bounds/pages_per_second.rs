//! B19: in a second a member serves at most `pages_per_second` pages and welcomes, out of a budget that holds as
//! many: twice as many in the first second of a flood.
//!
//! Pages cost one each, and so does a join that proves its address, whatever comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Instant, MessageKind};

use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::is_kind;
use crate::properties::{Broken, Case, Check, Monitor, declare};

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
