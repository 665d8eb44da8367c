//! What never happens.

mod accusations;
mod answers;
mod claims;
mod deaths;
mod destinations;
mod leaves;
mod probes;
mod relays;
mod rivals;
mod strangers;
mod suspicions;

use super::{Case, Monitor};

/// The monitors.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    let any_source = case.config.accept_wrong_source;
    vec![
        Box::new(claims::Upwards::default()),
        Box::new(claims::OwnStamp::default()),
        Box::new(suspicions::Suspicions::new(case)),
        Box::new(deaths::FalseDeaths::new(case)),
        Box::new(claims::Revivals::new(case)),
        Box::new(leaves::Leaves::default()),
        Box::new(probes::Acks::new(any_source)),
        Box::new(strangers::Strangers::new(any_source)),
        Box::new(answers::Answers::new(any_source)),
        Box::new(destinations::Destinations::new(any_source)),
        Box::new(rivals::Rivals::new(&case.config)),
        Box::new(accusations::Stalls::new(&case.config)),
        Box::new(accusations::Former::default()),
        Box::new(accusations::Unasked::default()),
        Box::new(relays::Nacks::new(case)),
        Box::new(probes::ThirdParties::default()),
        Box::new(probes::Buddies::new()),
        Box::new(suspicions::Timeouts::new(case)),
        Box::new(relays::Relays::new(case)),
    ]
}
