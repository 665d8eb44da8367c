use super::*;
use crate::net::{Burst, Latency, Rate};

/// An action as it stands in a scenario.
#[derive(PartialEq, Debug, Serialize, Deserialize)]
struct Line {
    r#do: Action,
}

fn read(text: &str) -> Result<Action, toml::de::Error> {
    toml::from_str::<Line>(text).map(|line| line.r#do)
}

#[test]
fn actions_are_read_as_people_write_them() {
    let host = HostId(2);
    let cases = [
        (r##"do = { crash = "#3" }"##, Action::Crash(host)),
        (r##"do = "heal""##, Action::Heal),
        (
            r##"do = { pause = { host = "#3", inbox = "dropped" } }"##,
            Action::Pause { host, inbox: Inbox::Dropped },
        ),
        (r##"do = { pause = { host = "#3" } }"##, Action::Pause { host, inbox: Inbox::Kept }),
        (r##"do = { partition = [["#3"], ["#1", "#a"]] }"##, {
            Action::Partition(vec![vec![host], vec![HostId(0), HostId(9)]])
        }),
        (r##"do = { join = { host = "#3", seeds = ["#1", "192.0.2.1:9"] } }"##, {
            let seeds = ["10.0.0.1:7946", "192.0.2.1:9"].map(|addr| addr.parse().expect("valid"));
            Action::Join { host, seeds: seeds.to_vec() }
        }),
    ];
    for (text, action) in cases {
        assert_eq!(read(text).as_ref(), Ok(&action), "{text}");
    }
}

#[test]
fn a_field_or_an_action_that_does_not_exist_is_refused() {
    for text in [
        r##"do = { pause = { host = "#3", inbx = "dropped" } }"##,
        r##"do = { crush = "#3" }"##,
        r##"do = { crash = 3 }"##,
        r##"do = { crash = "#0" }"##,
        r##"do = { set_default_link = { los_ppm = 1 } }"##,
        r##"do = { move = { host = "#3", addr = "nowhere" } }"##,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn every_class_has_a_name_of_its_own() {
    for class in FaultClass::ALL {
        assert_eq!(FaultClass::named(class.name()), Some(class));
    }
}

/// A link with every defect.
fn bad_link(over: Duration) -> Link {
    Link::lan()
        .loss(5)
        .burst(Burst { begin_ppm: 1, end_ppm: 2, loss_ppm: 3 })
        .duplication(1)
        .reordering(1, over)
        .corruption(1)
        .rate(Rate { bytes_per_second: 1, queue_bytes: 2 })
        .mtu(576)
        .latency(Latency::HeavyTail { min: over, mean_extra: over, max: over * 2 })
        .spikes(1, over)
}

/// At least one action of each kind.
fn samples() -> Vec<Action> {
    let [host, other] = [HostId(2), HostId(11)];
    let (addr, count, from) = ("192.0.2.1:9".parse().expect("valid"), 7, Origin::Member);
    let over = Duration::from_millis(2500);
    let seeds = vec![addr, "10.0.0.1:7946".parse().expect("valid")];
    let bad = bad_link(over);
    vec![
        Action::Crash(host),
        Action::Restart(host),
        Action::RestartAs { host, memory: Memory::Kept, addr: Some(addr) },
        Action::RestartAs { host, memory: Memory::Lost, addr: None },
        Action::Start { like: host, seeds: seeds.clone() },
        Action::Foreigner { like: host, label: "green".into(), addr: Some(seeds[0]), seeds: seeds.clone() },
        Action::Twin { of: host, seeds: seeds.clone() },
        Action::Pause { host, inbox: Inbox::Dropped },
        Action::Resume(host),
        Action::Join { host, seeds },
        Action::Leave(host),
        Action::Move { host, addr },
        Action::Mask { host, addr },
        Action::Unmask(host),
        Action::Unplug(host),
        Action::Plug(host),
        Action::FillSendBuffer(host),
        Action::DrainSendBuffer(host),
        Action::Partition(vec![vec![host], vec![other]]),
        Action::Cut { source: host, target: other },
        Action::Uncut { source: host, target: other },
        Action::Heal,
        Action::SetDefaultLink(bad),
        Action::SetDefaultLink(Link::constant(over)),
        Action::SetLink { source: host, target: other, link: bad },
        Action::ResetLink { source: host, target: other },
        Action::SetLinksOf { host, directions: Directions::In, link: bad },
        Action::ResetLinksOf(host),
        Action::Slow { host, service: over, queue: 9 },
        Action::Quicken(host),
        Action::Drift { host, ppm: -300 },
        Action::Jump { host, by: over },
        Action::LateTicks { host, up_to: over },
        Action::WallClock { host, ahead_ms: -5 },
        Action::SetMetadata { host, text: "a \"text\"".into() },
        Action::Broadcast { host, text: "a \"text\"".into() },
        Action::Send { host, target: other, text: "text".into() },
        Action::Remove { host, target: other },
        Action::Peace,
        Action::Garbage { host, count, len_max: 9, from, over },
        Action::Mutants { host, count, from, over },
        Action::Replay { host, count, from, over },
        Action::Forge {
            host,
            speaker: Some(other),
            victim: HostId(5),
            says: Says::Dead,
            epoch_ahead: -1,
            incarnation_ahead: 2,
            addr: None,
        },
        Action::SpoofAcks { host, subject: other, count, over },
        Action::Reflect { host, victim: addr, count, over },
        Action::Strangers { host, count, over },
    ]
}

#[test]
fn every_action_is_read_back_as_it_was_written() {
    for action in samples() {
        let line = Line { r#do: action };
        let text = toml::to_string(&line).expect("an action can be written");
        assert_eq!(toml::from_str(&text).as_ref(), Ok(&line), "{text}");
    }
}

#[test]
fn every_class_of_fault_has_an_action() {
    let classes: Vec<FaultClass> = samples().iter().flat_map(Action::fault_classes).collect();
    for class in FaultClass::ALL {
        assert!(classes.contains(&class), "{class}");
    }
}

#[test]
fn what_begins_something_is_ended_by_an_action_on_the_same_hosts_that_ends_it() {
    for action in samples() {
        let end = action.ended_by();
        assert_eq!(action.phase() == Phase::Begins, end.is_some(), "{action:?}");
        let Some(end) = end else { continue };
        let restarts = matches!(end, Action::Restart(_));
        assert!(end.phase() == Phase::Ends || restarts, "{action:?} is ended by {end:?}");
        assert!(end.hosts() == action.hosts() || end == Action::Heal, "{action:?} is ended by {end:?}");
    }
}
