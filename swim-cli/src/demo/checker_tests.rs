//! The checker on recorded stories: lines exactly as members print them.

use super::*;

/// Three members, `a`, `b` and `c`; the shortest suspicion takes 2 s.
struct Story {
    checker: Checker,
    now: Duration,
}

const NAMES: [&str; 3] = ["a", "b", "c"];
const A: Member = 0;
const B: Member = 1;
const C: Member = 2;

impl Story {
    fn new() -> Self {
        Self { checker: Checker::new(&NAMES.map(str::to_owned), Duration::from_secs(2)), now: Duration::ZERO }
    }

    /// All run and know each other.
    fn converged() -> Self {
        let mut story = Self::new();
        for member in [A, B, C] {
            story.deed(member, Deed::Runs);
        }
        for observer in [A, B, C] {
            for subject in [A, B, C] {
                if observer != subject {
                    story.says(observer, "alive", subject, r#""epoch":1"#);
                }
            }
        }
        story
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        self.now = Duration::from_millis(ms);
        self
    }

    fn deed(&mut self, member: Member, deed: Deed) -> &mut Self {
        self.checker.deed(self.now, member, deed);
        self
    }

    fn says(&mut self, observer: Member, event: &str, subject: Member, more: &str) -> &mut Self {
        let (name, id) = (NAMES[subject], NodeId::from_name(NAMES[subject]));
        self.prints(
            observer,
            &format!(r#"{{"event":"{event}","name":"{name}","id":"{id}",{more},"t_ms":1}}"#),
        )
    }

    fn prints(&mut self, observer: Member, line: &str) -> &mut Self {
        let line = serde_json::from_str(line).expect("a line of a member");
        self.checker.line(self.now, observer, &line);
        self
    }

    fn suspects(&mut self, observer: Member, subject: Member, by: &str) -> &mut Self {
        self.says(observer, "suspect", subject, &format!(r#""by":"{by}","incarnation":0,"timeout_ms":2000"#))
    }

    fn calls_dead(&mut self, observer: Member, subject: Member) -> &mut Self {
        self.says(observer, "dead", subject, r#""by":"a","accuser":"a""#)
    }

    fn false_deaths(&self) -> usize {
        self.checker.false_deaths().count()
    }
}

#[test]
fn they_agree_once_all_list_all() {
    let mut story = Story::new();
    story.deed(A, Deed::Runs).deed(B, Deed::Runs);
    story.at(40).says(A, "alive", B, r#""epoch":1"#);
    assert!(!story.checker.all_agree());
    story.at(50).says(B, "alive", A, r#""epoch":1"#);
    assert!(story.checker.all_agree());
    assert_eq!(story.checker.settled_at(), Duration::from_millis(50));
}

#[test]
fn an_answer_to_members_corrects_what_was_thought_from_events() {
    let mut story = Story::converged();
    let row = |name: &str, status: &str| {
        let id = NodeId::from_name(name);
        format!(
            r#"{{"name":"{name}","id":"{id}","status":"{status}","rtt_us":1,"epoch":1,"incarnation":0,"meta":"","me":false}}"#
        )
    };
    let answer = format!(r#"{{"members":[{},{}]}}"#, row("a", "alive"), row("b", "suspect"));
    story.at(9).prints(A, &answer);
    assert_eq!(story.checker.held(A, B), Some(RowStatus::Suspect));
    assert_eq!(story.checker.held(A, C), None, "not in the answer");
    assert!(!story.checker.all_answered(Duration::from_millis(9)), "b and c have not answered");
}

#[test]
fn the_death_of_a_killed_member_is_no_false_one_and_dated_by_each_survivor() {
    let mut story = Story::converged();
    story.at(1000).deed(C, Deed::Killed);
    story.at(1500).suspects(A, C, "a").at(1600).suspects(B, C, "a");
    story.at(1700).says(A, "confirmed", C, r#""by":"b","accusers":2"#);
    story.at(3600).calls_dead(A, C).at(3700).calls_dead(B, C);
    assert!(story.checker.all_agree());
    let from = Duration::from_millis(1000);
    let ms = |list: Vec<(Member, Duration)>| {
        list.into_iter().map(|(member, at)| (member, at.as_millis())).collect::<Vec<_>>()
    };
    assert_eq!(ms(story.checker.deaths_of(C, from)), [(A, 3600), (B, 3700)]);
    assert_eq!(ms(story.checker.accusers_of(C, from)), [(A, 1500), (B, 1700)]);
    assert_eq!(story.false_deaths(), 0);
}

#[test]
fn a_running_member_that_is_called_dead_is_a_false_death() {
    let mut story = Story::converged();
    story.at(5000).calls_dead(A, B);
    assert_eq!(story.false_deaths(), 1);
    assert_eq!(story.checker.false_deaths().next().map(|b| (b.observer, b.subject)), Some((A, B)));
}

#[test]
fn a_member_may_not_be_called_dead_while_it_is_stopped_for_less_than_a_suspicion() {
    let mut story = Story::converged();
    story.at(1000).deed(B, Deed::Stopped).at(2900).calls_dead(A, B);
    assert_eq!(story.false_deaths(), 1);
}

#[test]
fn a_member_may_be_called_dead_while_it_is_stopped_for_longer() {
    let mut story = Story::converged();
    story.at(1000).deed(B, Deed::Stopped).at(3100).calls_dead(A, B);
    assert_eq!(story.false_deaths(), 0);
}

#[test]
fn after_a_long_stop_only_those_that_have_not_heard_of_the_return_may_call_it_dead() {
    let mut story = Story::converged();
    story.at(1000).deed(B, Deed::Stopped).at(4000).deed(B, Deed::Runs);
    story.at(4100).says(C, "refuted", B, r#""by":"a","incarnation":1"#);
    story.at(4200).calls_dead(A, B);
    assert_eq!(story.false_deaths(), 0, "a had not heard");
    story.at(4300).calls_dead(C, B);
    assert_eq!(story.false_deaths(), 1, "c had");
}

#[test]
fn after_a_short_stop_no_member_may_call_it_dead() {
    let mut story = Story::converged();
    story.at(1000).deed(B, Deed::Stopped).at(2000).deed(B, Deed::Runs).at(3500).calls_dead(A, B);
    assert_eq!(story.false_deaths(), 1);
}

#[test]
fn a_restarted_member_that_all_welcomed_may_not_be_called_dead_again() {
    let mut story = Story::converged();
    story.at(1000).deed(C, Deed::Killed).at(4000).calls_dead(A, C).deed(C, Deed::Runs);
    story.at(4500).says(A, "alive", C, r#""epoch":2"#).at(9000).calls_dead(A, C);
    assert_eq!(story.false_deaths(), 1);
}

#[test]
fn a_new_epoch_knows_no_member_and_a_woken_one_knows_all() {
    let mut story = Story::converged();
    story.at(1000).deed(B, Deed::Stopped).at(1100).deed(B, Deed::Runs);
    assert_eq!(story.checker.held(B, A), Some(RowStatus::Alive));
    story.at(1200).deed(B, Deed::Killed).at(1300).deed(B, Deed::Runs);
    assert_eq!(story.checker.held(B, A), None);
}

#[test]
fn a_member_accuses_only_what_it_says_of_its_own_accord() {
    let mut story = Story::converged();
    story.at(100).suspects(B, C, "a").at(200).suspects(A, C, "b").at(300).suspects(B, A, "b");
    let accused = story.checker.accused_by(B, Duration::from_millis(50));
    assert_eq!(accused.iter().map(|a| a.subject).collect::<Vec<_>>(), [A]);
    assert!(story.checker.accused_by(B, Duration::from_millis(301)).is_empty());
}

#[test]
fn an_accuser_whose_name_is_not_known_yet_is_known_by_its_id() {
    let mut story = Story::converged();
    story.at(100).suspects(A, C, &NodeId::from_name("b").to_string());
    assert_eq!(story.checker.accusers_of(C, Duration::ZERO), [(B, Duration::from_millis(100))]);
}

#[test]
fn events_that_got_lost_are_not_passed_over() {
    let mut story = Story::converged();
    story.says(A, "lost", A, r#""events":7"#);
    assert_eq!(story.checker.lost(), 7);
}

#[test]
fn a_stopped_member_is_not_asked_for_its_opinion() {
    let mut story = Story::converged();
    story.at(1000).deed(B, Deed::Stopped).suspects(A, B, "a");
    assert_eq!(story.checker.speakers().collect::<Vec<_>>(), [A, C]);
    assert_eq!(story.checker.holders(B, Some(RowStatus::Suspect)), (1, 2));
}
