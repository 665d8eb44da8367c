//! The report of a member that does not get in: whom it asked, and what came back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use swim_core::{DropReason, Stats};

/// When a member that does not get in says so for the first time, and how often from then on.
const REPORT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// A search for the cluster that has not ended well yet: what was in vain, and when that is to be said next.
pub(crate) struct Search {
    not_found: Vec<Box<str>>,
    failed: Option<String>,
    pub(crate) report_at: Instant,
}

impl Search {
    pub(crate) fn begin() -> Self {
        Self { not_found: Vec::new(), failed: None, report_at: Instant::now() + REPORT.0 }
    }

    pub(crate) fn unresolved(&mut self, name: &str) {
        self.not_found.push(name.into());
    }

    pub(crate) fn resolved(&mut self, name: &str) {
        self.not_found.retain(|other| **other != *name);
    }

    pub(crate) fn fails(&mut self, error: String) {
        self.failed = Some(error);
    }

    /// What has come of it so far. The next report is due in a while.
    pub(crate) fn report(&mut self, asked: &[SocketAddr], stats: &Stats) -> String {
        self.report_at = Instant::now() + REPORT.1;
        let list = |items: Vec<String>| items.join(", ");
        let mut parts = Vec::new();
        if !asked.is_empty() {
            let asked = list(asked.iter().map(ToString::to_string).collect());
            let answer = match (&self.failed, stats.dropped(DropReason::Label), stats.datagrams_received) {
                (Some(error), ..) => error.clone(),
                (None, 0, 0) => "silence (not running, not reachable, or of another --label)".to_owned(),
                (None, 0, received) => format!("{received} datagrams, none of which let this member in"),
                (None, label, received) => {
                    format!("{received} datagrams, {label} of them with another --label")
                }
            };
            parts.push(format!("asked {asked}: {answer}"));
        }
        if !self.not_found.is_empty() {
            parts.push(format!(
                "no address of {}",
                list(self.not_found.iter().map(ToString::to_string).collect())
            ));
        }
        format!("not in a cluster yet: {}", parts.join("; "))
    }
}
