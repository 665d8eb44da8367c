//! The page: a template, a style, a few scripts and the data, in one file.

use super::Facts;
use super::data::Data;
use crate::Timeline;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// In the order in which they are run: each uses only what is above it.
const SCRIPTS: [&str; 7] = [
    include_str!("script/base.js"),
    include_str!("script/verdict.js"),
    include_str!("script/timeline.js"),
    include_str!("script/matrix.js"),
    include_str!("script/spacetime.js"),
    include_str!("script/charts.js"),
    include_str!("script/main.js"),
];

/// The report of a run as one HTML page that opens from disk and fetches nothing.
#[must_use]
pub fn html(timeline: &Timeline, facts: &Facts) -> String {
    let data = serde_json::to_string(&Data::new(timeline, facts)).expect("strings and numbers are JSON");
    let title = if facts.title.is_empty() { "a simulated run" } else { &facts.title };
    let parts = [
        ("{{title}}", escape(title)),
        ("{{style}}", STYLE.to_owned()),
        // Nothing in the data can end the element that it is in.
        ("{{data}}", data.replace('<', "\\u003c")),
        ("{{script}}", SCRIPTS.concat()),
    ];
    let mut page = String::with_capacity(data.len() + 100_000);
    let mut rest = TEMPLATE;
    for (place, text) in parts {
        let (before, after) =
            rest.split_once(place).expect("the template has each place once, in this order");
        page.push_str(before);
        page.push_str(&text);
        rest = after;
    }
    page.push_str(rest);
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
