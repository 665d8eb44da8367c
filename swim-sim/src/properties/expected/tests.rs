use crate::run::{Finished, Outcome, Run};
use crate::scenario::Scenario;

/// Five hosts, one of which crashes for good 5 s into a minute of trouble.
fn run(expect: &str) -> Finished {
    let text = format!(
        r##"
        hosts = 5
        seed = 1
        trouble = "60s"
        absent = ["#5"]
        steps = [{{ at = "5s", do = {{ crash = "#5" }} }}]
        {expect}
        "##
    );
    let scenario: Scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    Run::new(&scenario).unwrap_or_else(|error| panic!("{error}")).finish()
}

/// The reason why it was broken.
fn broken(expect: &str) -> String {
    match run(expect).outcome {
        Outcome::Broken(violation) if violation.property.id == "E1" => violation.broken.why,
        other => panic!("{other:?}"),
    }
}

fn passes(expect: &str) {
    let finished = run(expect);
    assert_eq!(finished.outcome, Outcome::Passed);
    assert!(finished.properties.iter().any(|(monitor, looked)| monitor.id == "E1" && *looked > 0));
}

#[test]
fn a_moment_s_views_are_checked_at_that_moment() {
    passes(r##"expect = { views = [{ at = "4s", of = ["#5"], status = "alive" }] }"##);
    passes(r##"expect = { views = [{ at = "50s", of = ["#5"], status = "dead" }] }"##);
    let why = broken(r##"expect = { views = [{ at = "6s", by = ["#2"], of = ["#5"], status = "dead" }] }"##);
    assert!(why.ends_with("#2 holds #5 Some(Alive), not Dead"), "{why}");
}

#[test]
fn a_member_that_is_to_be_dead_or_alive_in_the_end_must_be() {
    passes(r##"expect = { dead = ["#5"], alive = ["#1", "#4"] }"##);
    assert!(broken(r##"expect = { dead = ["#4"] }"##).contains("holds #4 Some(Alive), not Dead"));
    assert!(broken(r##"expect = { alive = ["#5"] }"##).contains("holds #5 Some(Dead), not Alive"));
}

#[test]
fn agreement_can_be_asked_for_at_a_moment() {
    passes(r##"expect = { agree_at = ["0s", "50s"] }"##);
    assert!(broken(r##"expect = { agree_at = ["6s"] }"##).contains("#5 Alive"));
}

#[test]
fn a_table_that_changes_where_it_must_not_is_found() {
    passes(r##"expect = { unchanged = [{ from = "0s", until = "5s" }, { from = "50s", until = "60s" }] }"##);
    passes(r##"expect = { unchanged = [{ from = "0s", until = "50s", by = ["#5"] }] }"##);
    assert!(broken(r##"expect = { unchanged = [{ from = "0s", until = "50s" }] }"##).contains("#5"));
}

#[test]
fn an_event_too_many_or_too_few_is_found() {
    let expect = |rest: &str| format!(r##"expect = {{ events = [{{ what = "dead", {rest} }}] }}"##);
    passes(&expect(r##"of = ["#5"], at_least = 4, at_most = 4"##));
    passes(&expect(r##"of = ["#4"], at_most = 0"##));
    passes(&expect(r##"until = "5s", at_most = 0"##));
    passes(&expect(r##"at = ["#1"], by = ["#1", "#2", "#3", "#4"], at_least = 1"##));
    assert!(broken(&expect("at_most = 3")).contains("once more than was expected"));
    assert!(broken(&expect("at_least = 5")).starts_with("4 times is too rare"));
    assert!(broken(&expect(r##"until = "5s", at_least = 1"##)).starts_with("0 times is too rare"));
}

#[test]
fn a_datagram_too_many_or_too_few_is_found() {
    let expect = |rest: &str| format!("expect = {{ sent = [{{ {rest} }}] }}");
    passes(&expect(r##"by = ["#5"], from = "5s", at_most = 0"##));
    passes(&expect(r##"kind = "ping", to = "#5", at_least = 5"##));
    passes(&expect(r##"to = "192.0.2.9:9", at_most = 0"##));
    assert!(broken(&expect(r##"kind = "ping", at_most = 10"##)).contains("#"));
    assert!(broken(&expect(r##"kind = "user", at_least = 1"##)).starts_with("0 times"));
}

#[test]
fn the_crashed_may_be_called_dead_and_the_living_not() {
    passes("expect = { nobody_dead = true }");
    let cut = |except: &str| {
        let text = format!(
            r##"
            hosts = 5
            seed = 1
            expect = {{ nobody_dead = true, may_be_dead = [{except}] }}
            [[steps]]
            at = "1s"
            do = {{ partition = [["#5"]] }}
            [[steps]]
            at = "60s"
            do = "heal"
            "##
        );
        let scenario: Scenario = toml::from_str(&text).expect("well-formed");
        Run::new(&scenario).expect("it can be carried out").finish().outcome
    };
    assert!(matches!(cut(""), Outcome::Broken(violation) if violation.property.id == "E1"));
    let all = r##""#1", "#2", "#3", "#4", "#5""##;
    assert_eq!(cut(all), Outcome::Passed);
}

#[test]
fn expectations_that_mean_nothing_are_refused() {
    let refused = |expect: &str| {
        let text = format!("hosts = 5\n{expect}");
        toml::from_str::<Scenario>(&text).expect("well-formed").check().expect_err("refused").0
    };
    assert_eq!(refused(r##"expect = { dead = ["#6"] }"##), "expect names host #6; there are 5 at most");
    assert!(refused(r##"expect = { events = [{ what = "dead" }] }"##).contains("without a limit"));
    assert!(refused("expect = { sent = [{ at_least = 0 }] }").contains("without a limit"));
}
