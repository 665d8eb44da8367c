//! Scenarios are carried out, judged, and repeated.

use swim_sim::run::{Run, Verdict};
use swim_sim::scenario::Scenario;

fn scenario(text: &str) -> Scenario {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_crash_and_a_pause_end_in_agreement_and_the_same_digest_twice() {
    let scenario = scenario(
        r##"
        hosts = 6
        seed = 3
        [[steps]]
        at = "1s"
        do = { crash = "#4" }
        [[steps]]
        at = "20s"
        do = { pause = { host = "#5" } }
        [[steps]]
        at = "25s"
        do = { resume = "#5" }
        "##,
    );
    let outcomes = [0, 1].map(|_| Run::new(&scenario).expect("it can be carried out").finish());
    assert_eq!(outcomes[0].verdict, Verdict::Passed);
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(outcomes[0].sometimes["event-dead"] > 0);
}
