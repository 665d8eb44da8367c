//! Rare things that must happen somewhere in a sweep: a search that never reaches them has tried nothing.
//!
//! Laws say what must never happen; this says what must happen now and then. Each entry is a name and a count;
//! a sweep adds them up and fails if one of [`WANTED`] was never seen.

use std::collections::BTreeMap;

use swim_core::Event;

use crate::evidence::{Happening, Scene, Witness};

/// What happened in a run, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sometimes {
    counts: BTreeMap<&'static str, u64>,
}

impl Sometimes {
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.clone()
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }
}

impl Witness for Sometimes {
    fn see(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) {
        if let Happening::Reported { event, .. } = what {
            self.count(event_name(event));
        }
    }
}

fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Alive { .. } => "alive",
        Event::Suspect { .. } => "suspect",
        Event::Dead { .. } => "dead",
        _ => "other",
    }
}
