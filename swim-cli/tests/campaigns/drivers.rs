//! `swim bench drivers`: that both sides are asked and answer alike, and that calls are counted. Never a time.
//!
//! What is counted as an answer has the number of its ping and the length of an ack without anything
//! piggybacked, of members and of loops without a protocol.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::lab::SWIM;
use crate::report::Report;

/// Every contestant answers, and its calls are counted.
pub(crate) fn drivers(report: &mut Report) {
    let page = std::env::temp_dir().join(format!("swim-bench-{}.html", std::process::id()));
    let path = page.to_str().expect("UTF-8");
    let output = Command::new(SWIM)
        .args(["bench", "drivers", "--seconds", "1", "--json", "--report", path])
        .output()
        .expect("swim starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    // Whether the claims are met is a question of time.
    assert!(
        matches!(output.status.code(), Some(0 | 1))
            && lines.last().is_some_and(|last| last["ok"].is_boolean()),
        "{out}\n{err}"
    );

    let contestants: BTreeSet<&str> = lines.iter().filter_map(|line| line["contestant"].as_str()).collect();
    assert_eq!(contestants.len(), 12, "{contestants:?}");
    for contestant in &contestants {
        let of = |key: &'static str| {
            lines.iter().filter(move |line| line["contestant"] == **contestant && !line[key].is_null())
        };
        assert_eq!(of("answered").count(), 4, "two workloads in two placements: {contestant}");
        for load in of("answered") {
            let (asked, answered) = (load["asked"].as_u64(), load["answered"].as_u64());
            let (asked, answered) = (asked.expect("a count"), answered.expect("a count"));
            assert!(answered > 0 && asked - answered <= asked / 100, "{load}");
        }
        assert!(of("rest").all(|line| line["rest"]["resident_kib"].as_u64() > Some(0)), "{contestant}");
    }
    every_call_is_counted(report, &lines, &contestants);

    report.must(true, format!("{} contestants answered, and their calls were counted", contestants.len()));
    let html = std::fs::read_to_string(&page).expect("the page");
    std::fs::remove_file(&page).expect("it was there");
    assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"));
    assert!(!html.contains("http://") && !html.contains("https://"), "it fetches nothing");
    assert!(html.matches("<svg").count() == 2 && html.matches("--bar:").count() > 400, "pictures of figures");
    assert!(!html.contains("NaN"), "of figures that there are");
}

fn every_call_is_counted(report: &mut Report, lines: &[Value], contestants: &BTreeSet<&str>) {
    if let Some(skipped) = lines.iter().find_map(|line| line["skipped"].as_str()) {
        return report.skip(format!("system calls: {skipped}"));
    }
    for contestant in contestants {
        let traced = |workload: &str| {
            let calls = |line: &&Value| {
                line["contestant"] == **contestant && line["workload"] == workload && !line["calls"].is_null()
            };
            lines.iter().find(calls).unwrap_or_else(|| panic!("no calls of {contestant}"))["calls"].clone()
        };
        let count = |calls: &Value, purpose: &str| -> u64 {
            let each = calls["each"].as_array().expect("a list").iter();
            each.filter(|call| call["for"] == purpose).filter_map(|call| call["count"].as_u64()).sum()
        };
        // One in flight: each is read and answered by a call of its own, batched or not.
        let calls = traced("ping-pong");
        let answered = calls["per"].as_f64().expect("a number") as u64;
        assert!(answered > 0, "{contestant}: {calls}");
        // The tracer may miss what happens while it attaches and leaves.
        for purpose in ["receive", "send"] {
            assert!(count(&calls, purpose) + 5 >= answered, "{contestant}: {calls}");
        }
        // A member at rest waits.
        assert!(count(&traced("rest"), "wait") > 0, "{contestant}");
    }
}
