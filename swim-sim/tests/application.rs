//! What applications may rely on in a simulated cluster: their processes, clocks, timers and messages.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use swim_core::{Command, Event, Instant, NodeId, Status};
use swim_sim::application::{Application, Cluster, Context, Failure};
use swim_sim::scenario::Scenario;
use swim_sim::{Action, Fingerprint, HostId, Inbox, Phase, World};

const SECOND: Duration = Duration::from_secs(1);

fn lan(hosts: u32) -> Scenario {
    Scenario::calm(5, hosts)
}

/// Sends "tick" to all once a second, and writes down what happens to it.
struct Ticker {
    diary: Rc<RefCell<Vec<String>>>,
    started: u32,
    ticks: Vec<Instant>,
    heard: Vec<(NodeId, Box<[u8]>)>,
}

impl Application for Ticker {
    fn on_start(&mut self, ctx: &mut Context<'_>) {
        assert_eq!((ctx.now(), ctx.members().count()), (Instant::ORIGIN, 1), "a process begins with nothing");
        self.started += 1;
        ctx.set_timer(SECOND, 1);
    }

    fn on_event(&mut self, ctx: &mut Context<'_>, event: &Event) {
        match event {
            Event::Message { from, payload } => {
                assert!(ctx.member(*from).is_some());
                self.heard.push((*from, payload.clone()));
            }
            Event::Broadcast { origin, payload } => self.heard.push((*origin, payload.clone())),
            Event::LeaveSent { .. } => self.diary.borrow_mut().push(format!("{} left", ctx.host())),
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>, token: u64) {
        assert_eq!(token, 1);
        self.ticks.push(ctx.now());
        ctx.set_timer(SECOND, 1);
    }

    fn on_stop(&mut self, ctx: &mut Context<'_>) {
        assert_eq!(ctx.members().count(), 0);
        self.diary.borrow_mut().push(format!("{} stops", ctx.host()));
    }
}

/// So many tickers that know each other, and what they write down together.
fn tickers(hosts: u32) -> (Cluster<Ticker>, Rc<RefCell<Vec<String>>>) {
    let diary = Rc::new(RefCell::new(Vec::new()));
    let shared = Rc::clone(&diary);
    let make =
        move |_host| Ticker { diary: Rc::clone(&shared), started: 0, ticks: Vec::new(), heard: Vec::new() };
    let mut cluster = Cluster::new(&lan(hosts), make).expect("well formed");
    cluster.gather().expect("no rule");
    (cluster, diary)
}

fn seconds(n: u64) -> Instant {
    Instant::from_millis(1000 * n)
}

#[test]
fn timers_fire_at_their_times_by_the_clock_of_their_process() {
    let (mut cluster, _) = tickers(2);
    cluster.perform(&Action::Drift { host: HostId(1), ppm: 500_000 }).expect("no rule");
    cluster.run_for(10 * SECOND + Duration::from_millis(1)).expect("no rule");
    let ticks = |host| cluster.app(HostId(host)).expect("it runs").ticks.clone();
    assert_eq!(ticks(0), (1..=20).map(seconds).collect::<Vec<_>>());
    let fast = ticks(1);
    assert_eq!(fast.len(), 25, "half as many again in the second half");
    for (n, at) in (1..).zip(fast) {
        assert!(at.since(seconds(n)) < Duration::from_micros(1), "tick {n} at {at:?}");
    }
}

#[test]
fn timers_of_a_stopped_process_fire_late_and_its_clock_goes_on() {
    let (mut cluster, _) = tickers(3);
    let host = HostId(1);
    cluster.run_for(SECOND / 2).expect("no rule");
    cluster.perform(&Action::Pause { host, inbox: Inbox::Kept }).expect("no rule");
    cluster.run_for(4 * SECOND).expect("no rule");
    assert!(cluster.running().all(|(running, _)| running != host));
    cluster.perform(&Action::Resume(host)).expect("no rule");
    cluster.run_for(2 * SECOND).expect("no rule");
    let app = cluster.app(host).expect("it runs");
    assert_eq!(app.started, 1, "it is the same process");
    let (before, after) = app.ticks.split_at(10);
    assert_eq!(before.last(), Some(&seconds(10)));
    let late = Instant::from_millis(14_500);
    assert!(after[0].since(late) < Duration::from_micros(1), "{after:?}");
    assert_eq!(after[1], after[0].after(SECOND));
}

#[test]
fn after_a_pause_the_timers_come_first_or_what_was_sent_meanwhile_by_the_throw_of_a_coin() {
    let first = |seed| {
        let order: Rc<RefCell<Vec<&str>>> = Rc::default();
        let shared = Rc::clone(&order);
        let make = move |_host| Turns(Rc::clone(&shared));
        let mut cluster = Cluster::new(&Scenario::calm(seed, 2), make).expect("well formed");
        cluster.gather().expect("no rule");
        let host = HostId(1);
        cluster.visit(host, |_, ctx| ctx.set_timer(SECOND, 0)).expect("no rule");
        cluster.perform(&Action::Pause { host, inbox: Inbox::Kept }).expect("no rule");
        cluster.visit(HostId(0), |_, ctx| ctx.send(NodeId(2), b"").expect("short")).expect("no rule");
        cluster.run_for(2 * SECOND).expect("no rule");
        assert!(order.borrow().is_empty());
        cluster.perform(&Action::Resume(host)).expect("no rule");
        cluster.run_for(SECOND).expect("no rule");
        assert_eq!(order.borrow().len(), 2);
        order.borrow()[0]
    };
    let firsts: Vec<&str> = (0..20).map(first).collect();
    assert!(firsts.contains(&"timer") && firsts.contains(&"message"), "{firsts:?}");
}

/// Writes down in which order it is called.
struct Turns(Rc<RefCell<Vec<&'static str>>>);

impl Application for Turns {
    fn on_event(&mut self, _ctx: &mut Context<'_>, event: &Event) {
        if matches!(event, Event::Message { .. }) {
            self.0.borrow_mut().push("message");
        }
    }

    fn on_timer(&mut self, _ctx: &mut Context<'_>, _token: u64) {
        self.0.borrow_mut().push("timer");
    }
}

#[test]
fn a_crash_drops_the_application_unasked_and_the_next_process_begins_anew() {
    let (mut cluster, diary) = tickers(3);
    let host = HostId(2);
    cluster.perform(&Action::Crash(host)).expect("no rule");
    assert!(cluster.app(host).is_none());
    cluster.run_for(3 * SECOND).expect("no rule");
    cluster.perform(&Action::Restart(host)).expect("no rule");
    cluster.run_for(5 * SECOND / 2).expect("no rule");
    let app = cluster.app(host).expect("it runs again");
    assert_eq!((app.started, &app.ticks[..]), (1, &[seconds(1), seconds(2)][..]));
    assert_eq!(*diary.borrow(), [""; 0]);
}

#[test]
fn a_goodbye_is_reported_before_the_end_of_the_process() {
    let (mut cluster, diary) = tickers(3);
    cluster.visit(HostId(1), |_, ctx| ctx.leave()).expect("no rule").expect("it runs").expect("not refused");
    cluster.eventually(5 * SECOND, |cluster| cluster.app(HostId(1)).is_none()).expect("it ends");
    assert_eq!(*diary.borrow(), ["#2 left", "#2 stops"]);
}

#[test]
fn applications_exchange_messages_read_metadata_and_cannot_send_too_much() {
    let (mut cluster, _) = tickers(3);
    let said = cluster.visit(HostId(0), |_, ctx| {
        ctx.send(NodeId(2), b"you").expect("short");
        ctx.broadcast(b"all").expect("short");
        ctx.set_metadata(b"rack 7").expect("short");
        assert!(ctx.send(NodeId(2), &[0; 1025]).is_err() && ctx.broadcast(&[0; 1025]).is_err());
    });
    assert_eq!(said, Ok(Some(())));
    cluster.run_for(5 * SECOND).expect("no rule");
    let heard = |host| cluster.app(HostId(host)).expect("it runs").heard.clone();
    let message = |text: &[u8]| (NodeId(1), Box::from(text));
    assert_eq!(heard(0), []);
    let mut second = heard(1);
    second.sort();
    assert_eq!((second, heard(2)), (vec![message(b"all"), message(b"you")], vec![message(b"all")]));
    let read = cluster.visit(HostId(2), |_, ctx| ctx.member(NodeId(1)).map(|row| row.metadata.to_vec()));
    assert_eq!(read, Ok(Some(Some(b"rack 7".to_vec()))));
}

#[test]
fn a_broken_rule_ends_the_run_and_says_when_and_how() {
    let scenario = Scenario { trouble: Some(30 * SECOND), ..lan(3) };
    let mut cluster = Cluster::new(&scenario, |_host| Turns(Rc::default())).expect("well formed");
    cluster.always(|cluster| {
        let alive = cluster.world().believes(HostId(0), HostId(2)) == Some(Status::Alive);
        if cluster.world().now() < seconds(20) || !alive { Ok(()) } else { Err("#3 is there".to_owned()) }
    });
    let failure: Failure = cluster.play().expect_err("#3 is there");
    assert_eq!((failure.phase, failure.why.as_str()), (Phase::Trouble, "#3 is there"));
    assert!(failure.at >= seconds(20) && failure.at < seconds(21));
    assert!(failure.to_string().starts_with("#3 is there (at 20."), "{failure}");
}

#[test]
fn the_same_scenario_gives_the_same_digest_and_another_application_another_one() {
    let digest = |dice: u64| -> Fingerprint {
        let mut cluster = Cluster::new(&lan(4), move |_host| Gossip(dice)).expect("well formed");
        cluster.play().expect("no rule");
        cluster.digest()
    };
    assert_eq!(digest(3), digest(3));
    assert_ne!(digest(3), digest(4));
}

/// Sends something to some member, at some time, again and again.
struct Gossip(u64);

impl Application for Gossip {
    fn on_start(&mut self, ctx: &mut Context<'_>) {
        ctx.set_timer(SECOND, 0);
    }

    fn on_event(&mut self, _ctx: &mut Context<'_>, _event: &Event) {}

    fn on_timer(&mut self, ctx: &mut Context<'_>, _token: u64) {
        let after = Duration::from_millis(1 + ctx.random().below(1000));
        let target = NodeId(1 + ctx.random().below(self.0));
        // Refused where it is a node's own id.
        let _ = ctx.send(target, b"psst");
        ctx.set_timer(after, 0);
    }
}

#[test]
#[should_panic(expected = "the application on #1 hangs")]
fn an_application_that_never_comes_to_rest_is_named() {
    struct Restless;
    impl Application for Restless {
        fn on_event(&mut self, ctx: &mut Context<'_>, _event: &Event) {
            ask_in_vain(ctx);
        }
    }
    fn ask_in_vain(ctx: &mut Context<'_>) {
        let seeds = &[World::birthplace(HostId(9))];
        ctx.command(Command::Join { seeds }).expect("an address to ask");
        ctx.command(Command::CancelJoin).expect("there is a join to cancel, which ends in an event");
    }
    let mut cluster = Cluster::new(&lan(1), |_host| Restless).expect("well formed");
    cluster.gather().expect("nothing happens to it yet");
    let _ = cluster.visit(HostId(0), |_, ctx| ask_in_vain(ctx));
}
