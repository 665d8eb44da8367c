//! The answer to `stats`: the core's counters by name.

use serde_json::{Map, Value, json};
use swim_core::{DropReason, RttHistogram, Stats};

use crate::line::snake;

/// Every counter and gauge under the name that it has in [`Stats`]; of the reasons to drop something only
/// those that occurred.
pub(crate) fn stats_row(stats: &Stats) -> Value {
    let mut row = json!({
        "alive": stats.alive,
        "suspect": stats.suspect,
        "dead": stats.dead,
        "left": stats.left,
        "health": stats.health,
        "updates_queued": stats.updates_queued,
        "broadcasts_queued": stats.broadcasts_queued,

        "datagrams_received": stats.datagrams_received,
        "bytes_received": stats.bytes_received,
        "datagrams_sent": stats.datagrams_sent,
        "bytes_sent": stats.bytes_sent,

        "probes": stats.probes,
        "probes_answered": stats.probes_answered,
        "probes_answered_by_relay": stats.probes_answered_by_relay,
        "probes_failed": stats.probes_failed,
        "probes_excused": stats.probes_excused,
        "retries": stats.retries,
        "relays_asked": stats.relays_asked,
        "nacks_received": stats.nacks_received,
        "relayed": stats.relayed,

        "suspicions_raised": stats.suspicions_raised,
        "suspicions_learnt": stats.suspicions_learnt,
        "suspicions_refuted": stats.suspicions_refuted,
        "suspicions_expired": stats.suspicions_expired,
        "refutations": stats.refutations,

        "updates_applied": stats.updates_applied,
        "updates_known": stats.updates_known,
        "updates_sent": stats.updates_sent,
        "header_claims": stats.header_claims,
        "broadcasts_delivered": stats.broadcasts_delivered,
    });
    let more = json!({
        "pages_asked": stats.pages_asked,
        "pages_served": stats.pages_served,
        "heal_contacts": stats.reconnects,
        "stalls": stats.stalls,
        "stalled_ms": stats.stalled_ns / 1_000_000,
        "deaf_spells": stats.isolations,
        "clock_backwards": stats.clock_backwards,
        "events_lost": stats.events_lost,
        "rtt_us": rtt_row(&stats.rtt),
        "dropped": drops_row(stats),
    });
    if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
    row
}

fn rtt_row(rtt: &RttHistogram) -> Value {
    let us =
        |duration: Option<std::time::Duration>| duration.map(|d| d.as_micros().min(u64::MAX.into()) as u64);
    json!({
        "count": rtt.count(),
        "min": us(rtt.min()),
        "p50": us(rtt.quantile(500)),
        "p99": us(rtt.quantile(990)),
        "max": us(rtt.max()),
    })
}

fn drops_row(stats: &Stats) -> Map<String, Value> {
    let counted = DropReason::ALL.iter().map(|reason| (reason, stats.dropped(*reason)));
    counted
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| (drop_name(*reason), Value::from(count)))
        .collect()
}

/// What scripts read: one name is older than the reason's.
fn drop_name(reason: DropReason) -> String {
    match reason {
        DropReason::AttemptLimit => "contact_limit".into(),
        _ => snake(&format!("{reason:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use swim_core::{Config, Epoch, Identity, Instant, Node, NodeId, Seed};

    use super::*;

    fn fresh() -> Stats {
        let addr = "127.0.0.1:1".parse().expect("an address");
        let me = Identity { id: NodeId(1), addr, epoch: Epoch(1) };
        Node::new(Arc::new(Config::lan()), me, Seed([0; 32]), Instant::ORIGIN).stats()
    }

    #[test]
    fn every_counter_has_a_row_of_its_name() {
        let debug = format!("{:#?}", fresh());
        let row = stats_row(&fresh());
        let fields = debug.lines().filter_map(|line| {
            let (name, _) = line.strip_prefix("    ")?.split_once(':')?;
            name.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name)
        });
        let renamed = |name| match name {
            "drops" => "dropped",
            "stalled_ns" => "stalled_ms",
            "rtt" => "rtt_us",
            "isolations" => "deaf_spells",
            "reconnects" => "heal_contacts",
            name => name,
        };
        let mut seen = 0;
        for name in fields {
            assert!(row.get(renamed(name)).is_some(), "{name} is not shown");
            seen += 1;
        }
        assert!(seen > 30, "{debug}");
    }

    #[test]
    fn only_the_reasons_that_occurred_are_listed() {
        let mut stats = fresh();
        assert_eq!(stats_row(&stats)["dropped"], json!({}));
        stats.drops[DropReason::UnknownKind as usize] = 2;
        assert_eq!(stats_row(&stats)["dropped"], json!({"unknown_kind": 2}));
    }
}
