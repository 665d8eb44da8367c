use super::*;

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
