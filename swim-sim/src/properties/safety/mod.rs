//! What never happens.

mod acks;
mod answers;
mod buddies;
mod burials;
mod former;
mod goodbyes;
mod nacks;
mod own_word;
mod patience;
mod revivals;
mod rivals;
mod stalls;
mod strangers;
mod targets;
mod third_parties;
mod unasked;
mod upwards;
mod verdicts;

use super::{Case, Monitor};

/// The laws.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    vec![
        Box::new(upwards::Upwards::default()),
        Box::new(own_word::OwnWord::default()),
        Box::new(verdicts::Verdicts::new(case)),
        Box::new(burials::Burials::new(case)),
        Box::new(revivals::Revivals::new(case)),
        Box::new(goodbyes::Goodbyes::default()),
        Box::new(acks::Acks::new(case.config.accept_wrong_source)),
        Box::new(strangers::Strangers::new(case.config.accept_wrong_source)),
        Box::new(answers::Answers::new(case.config.accept_wrong_source)),
        Box::new(targets::Targets::new(case.config.accept_wrong_source)),
        Box::new(rivals::Rivals::new(&case.config)),
        Box::new(stalls::Stalls::new(&case.config)),
        Box::new(former::Former::default()),
        Box::new(unasked::Unasked::default()),
        Box::new(nacks::Nacks::new(case)),
        Box::new(third_parties::ThirdParties::default()),
        Box::new(buddies::Buddies::new()),
        Box::new(patience::Patience::new(case)),
    ]
}
