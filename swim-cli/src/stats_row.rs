//! The answer to `stats`: the core's counters by name.

use serde_json::{Map, Value, json};
use swim_core::{DropReason, Stats};
use swim_mio::RoundTrips;

use crate::line::snake;

/// Every counter and gauge under the name that it has in [`Stats`], but for some that are older than the names there;
/// of the reasons to drop something only those that occurred.
pub(crate) fn stats_row(stats: &Stats, round_trips: &RoundTrips) -> Value {
    let Ok(Value::Object(mut row)) = serde_json::to_value(stats) else { return Value::Null };
    for (name, shown) in [("isolations", "deaf_spells"), ("reconnects", "heal_contacts")] {
        let count = row.remove(name);
        row.extend(count.map(|count| (shown.to_owned(), count)));
    }
    ["stalled_ns", "rtts", "rtt_last_us", "drops"].iter().for_each(|name| drop(row.remove(*name)));
    row.insert("stalled_ms".to_owned(), (stats.stalled_ns / 1_000_000).into());
    row.insert("rtt_us".to_owned(), rtt_row(round_trips));
    row.insert("dropped".to_owned(), drops_row(stats).into());
    row.into()
}

fn rtt_row(rtt: &RoundTrips) -> Value {
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
    fn every_counter_is_shown_and_scripts_find_the_names_that_they_know() {
        let row = stats_row(&fresh(), &RoundTrips::default());
        assert!(row.as_object().is_some_and(|row| row.len() > 30), "{row}");
        for name in ["alive", "probes", "deaf_spells", "heal_contacts", "stalled_ms", "rtt_us", "dropped"] {
            assert!(row.get(name).is_some(), "{name} is not shown: {row}");
        }
        for name in ["isolations", "reconnects", "stalled_ns", "rtts", "rtt_last_us", "drops"] {
            assert!(row.get(name).is_none(), "{name} is shown: {row}");
        }
    }

    #[test]
    fn only_the_reasons_that_occurred_are_listed() {
        let mut stats = fresh();
        assert_eq!(stats_row(&stats, &RoundTrips::default())["dropped"], json!({}));
        stats.drops[DropReason::UnknownKind as usize] = 2;
        assert_eq!(stats_row(&stats, &RoundTrips::default())["dropped"], json!({"unknown_kind": 2}));
    }
}
