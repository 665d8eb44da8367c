//! `report`: the page, and the trace beside it.

use crate::place::Place;

#[test]
fn a_failing_run_becomes_a_page_and_a_trace_and_keeps_its_exit_code() {
    let place = Place::new("report");
    let ran =
        place.run("report h16-pause --set self_doubt=false -o page.html --perfetto trace.json").ended(10);
    let page = place.read("page.html");
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{}", &page[..80]);
    assert!(page.contains(ran.digest()) && page.contains("self_doubt=false"));
    let trace: serde_json::Value = serde_json::from_str(&place.read("trace.json")).expect("JSON");
    assert!(trace["traceEvents"].as_array().is_some_and(|events| !events.is_empty()));
}
