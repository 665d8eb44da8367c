//! A run, shown to a person: one HTML page that needs nothing but a browser, and a trace for Perfetto.
//!
//! Both are written from a [`Timeline`], which saw what happened, and from [`Facts`], which
//! say how it ended. The page is one file: styles, scripts and data are inside, nothing is fetched from
//! anywhere, so it can be attached to an issue and opened from disk ten years later.

mod data;
mod perfetto;

use data::Data;
use serde::{Deserialize, Serialize};

use crate::Timeline;
use crate::run::{Finished, Outcome};

pub use crate::text::{moment, number, time};
pub use perfetto::perfetto;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// In the order in which they are run: each uses only what is above it.
const SCRIPTS: [&str; 7] = [
    include_str!("script/base.js"),
    include_str!("script/outcome.js"),
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
    for (index, text) in parts {
        let (before, after) =
            rest.split_once(index).expect("the template has each index once, in this order");
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

/// How a run was asked for, and how it ended. Empty fields are left out of the page.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What the page is called: the name of the scenario, or the seed.
    pub title: String,
    /// The command that does this run again.
    pub command: String,
    /// The seed, or the file that the run was read from.
    pub seed: String,
    /// The fingerprint of the whole run.
    pub digest: String,
    /// `passed`, `cut-short`, or how it failed: `safety`, `liveness`, `quality`, `panic`, `nondeterminism`.
    pub outcome: String,
    /// The outcome in a sentence.
    pub sentence: String,
    /// When it went wrong, in ns of the world's clock.
    pub failed_at_ns: Option<u64>,
    /// Hosts that the failure is about, by number from 0.
    pub hosts: Vec<u32>,
    /// Every option of the run, and what it was.
    pub options: Vec<(String, String)>,
    /// Every invariant that was watched.
    pub invariants: Vec<Invariant>,
    /// What should happen in some run of a sweep, and how often it did in this one.
    pub sometimes: Vec<(String, u64)>,
    /// Anything else, a sentence each.
    pub notes: Vec<String>,
}

/// One invariant, and how the run stood by it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Invariant {
    /// Its number, such as `S4`.
    pub number: String,
    /// A few words.
    pub name: String,
    /// What it says.
    pub statement: String,
    /// How often it was looked at; 0: this run says nothing about it.
    pub looked: u64,
    /// How it was broken; `None`: it was not.
    pub broken: Option<String>,
}

impl From<&Finished> for Facts {
    /// How it ended. Title, command, seed and options are for the caller to say.
    fn from(finished: &Finished) -> Self {
        let violation = match &finished.outcome {
            Outcome::Broken(violation) => Some(violation),
            _ => None,
        };
        let invariants = finished.properties.iter().map(|(property, looked)| Invariant {
            number: property.id.to_owned(),
            name: property.name.to_owned(),
            statement: property.claim.to_owned(),
            looked: *looked,
            broken: violation
                .filter(|broken| broken.property == *property)
                .map(|broken| broken.broken.why.clone()),
        });
        Self {
            digest: finished.digest.to_string(),
            outcome: finished.outcome.name().to_owned(),
            sentence: finished.sentence(),
            failed_at_ns: violation.map(|broken| broken.at.as_nanos()),
            hosts: violation.iter().flat_map(|broken| &broken.broken.hosts).map(|host| host.0).collect(),
            invariants: invariants.collect(),
            sometimes: finished.sometimes.iter().map(|(name, hits)| ((*name).to_owned(), *hits)).collect(),
            ..Self::default()
        }
    }
}
