//! The page and the trace that a run leaves behind.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs, process};

use serde_json::Value;
use swim_core::{Config, Options};
use swim_sim::report::{self, Facts};
use swim_sim::{HostId, Limits, Phase, Random, Timeline, World};

type Shared = Arc<Mutex<Timeline>>;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Members that join under a watcher.
fn watched(seed: u64, n: usize, config: Config, limits: Limits) -> (World, Vec<HostId>, Shared) {
    let timeline = Arc::new(Mutex::new(Timeline::with(limits)));
    let mut world = World::new(seed);
    world.attach(Arc::clone(&timeline));
    let hosts = world.start_many(n, &Arc::new(config));
    for host in hosts.iter().skip(1) {
        world.join(*host, &hosts[..1]);
    }
    world.run_until(secs(60), World::converged).expect("a quiet network converges");
    (world, hosts, timeline)
}

/// A run with something of everything: a crash, a pause, a partition that outlasts the suspicions, peace.
fn troubled(limits: Limits) -> (World, Shared) {
    let (mut world, hosts, timeline) = watched(41, 12, Config::lan(), limits);
    world.enter(Phase::Trouble);
    world.crash(hosts[3]);
    world.run_for(secs(4));
    world.pause(hosts[5]);
    world.run_for(secs(3));
    world.partition(&[&hosts[8..]]);
    world.run_for(secs(30));
    world.enter(Phase::Peace);
    world.resume(hosts[5]);
    world.heal();
    world.restart(hosts[3]);
    world.join(hosts[3], &hosts[..1]);
    world.run_for(secs(20));
    (world, timeline)
}

fn facts(world: &World) -> Facts {
    Facts {
        title: "A troubled run </script><script>alert(1)</script> & more".to_owned(),
        command: "swim-sim run --seed 41".to_owned(),
        digest: world.fingerprint().to_string(),
        outcome: "safety".to_owned(),
        failed_at_ns: Some(10_000_000_000),
        ..Facts::default()
    }
}

fn page(limits: Limits) -> String {
    let (world, timeline) = troubled(limits);
    let timeline = timeline.lock().expect("no run has panicked");
    report::html(&timeline, &facts(&world))
}

fn trace() -> Value {
    let (world, timeline) = troubled(Limits::default());
    let timeline = timeline.lock().expect("no run has panicked");
    serde_json::from_str(&report::perfetto(&timeline, &facts(&world))).expect("the trace is JSON")
}

/// The data inside a page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"id="data">"#).expect("the page holds its data");
    let (json, _) = rest.split_once("</script>").expect("the data end");
    serde_json::from_str(json).expect("the data are JSON")
}

#[test]
fn the_matrix_is_what_the_tables_hold_at_any_moment() {
    for seed in 1..=4 {
        eprintln!("seed {seed}");
        let mut options = Options::lan();
        options.tombstone_life = secs(60);
        let config = Config::new(options).expect("the options are in range");
        let (mut world, hosts, timeline) = watched(seed, 8, config, Limits::default());
        let mut random = Random::new(seed, 0, 0);
        let mut compared = 0;
        for _ in 0..150 {
            let host = hosts[random.below(8) as usize];
            let _ = match random.below(9) {
                0 => world.crash(host),
                1 | 2 => world.restart(host) && world.join(host, &hosts),
                3 => world.pause(host),
                4 | 5 => world.resume(host),
                6 => world.leave(host),
                7 => {
                    world.partition(&[&hosts[..3]]);
                    true
                }
                _ => {
                    world.heal();
                    true
                }
            };
            world.run_for(Duration::from_millis(random.below(6_000)));
            let timeline = timeline.lock().expect("nothing has panicked");
            for (observer, subject) in hosts.iter().flat_map(|o| hosts.iter().map(move |s| (*o, *s))) {
                let (seen, held) =
                    (timeline.believes(observer, world.id(subject)), world.believes(observer, subject));
                assert_eq!(seen, held, "seed {seed}: {observer:?} of {subject:?} at {:?}", world.now());
                compared += usize::from(held.is_some());
            }
        }
        assert!(compared > 1_000, "the tables were empty most of the time: {compared}");
    }
}

#[test]
fn a_timeline_that_comes_late_begins_with_the_tables_as_they_are() {
    let (mut world, hosts) = World::joined(5, 6, &Arc::new(Config::lan())).expect("six members converge");
    let timeline = Arc::new(Mutex::new(Timeline::new()));
    world.attach(Arc::clone(&timeline));
    world.run_for(secs(3));
    let timeline = timeline.lock().expect("nothing has panicked");
    for (observer, subject) in hosts.iter().flat_map(|o| hosts.iter().map(move |s| (*o, *s))) {
        assert_eq!(timeline.believes(observer, world.id(subject)), world.believes(observer, subject));
    }
}

#[test]
fn a_run_that_is_watched_is_the_same_run() {
    let (watched, _, _) = watched(9, 6, Config::lan(), Limits::default());
    let mut alone = World::new(9);
    let hosts = alone.start_many(6, &Arc::new(Config::lan()));
    for host in hosts.iter().skip(1) {
        alone.join(*host, &hosts[..1]);
    }
    alone.run_until(secs(60), World::converged).expect("a quiet network converges");
    assert_eq!(watched.fingerprint(), alone.fingerprint());
}

#[test]
fn a_page_fetches_nothing_from_anywhere() {
    let page = page(Limits::default());
    for text in [
        "http:",
        "https:",
        "//www.",
        "src=",
        "@import",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "import(",
        "WebSocket",
        "@font-face",
    ] {
        assert!(
            !page.contains(text),
            "{text}: {}",
            page.split(text).nth(1).unwrap_or("").chars().take(80).collect::<String>()
        );
    }
    assert_eq!(page.matches("<link").count(), 1, "the icon, which is empty");
    assert!(page.contains(r#"<link rel="icon" href="data:,">"#));
}

#[test]
fn nothing_in_the_data_can_end_the_element_that_holds_them() {
    let page = page(Limits::default());
    assert!(!page.contains("<script>alert"));
    assert_eq!(page.matches("</script>").count(), 2, "the data's end, and the script's");
    let title = data(&page)["facts"]["title"].as_str().expect("a title").to_owned();
    assert!(title.contains("</script>"), "what was said is what is shown: {title}");
}

#[test]
fn the_page_shows_when_each_survivor_noticed_the_crash() {
    let data = data(&page(Limits::default()));
    let case = &data["detection"]["cases"][0];
    // The victim, when, how many noticed, the first, the last, how many did not.
    assert_eq!((&case[0], &case[5]), (&3.into(), &0.into()));
    assert!(case[2].as_u64() >= Some(10), "eleven survivors, one of them stopped: {case}");
    let (last, bound) = (case[4].as_u64(), data["detection"]["bound"].as_u64());
    assert!(last > Some(1_000_000) && last < bound, "{last:?} {bound:?}");
}

#[test]
fn faults_are_bands_from_their_beginning_to_their_end() {
    let data = data(&page(Limits::default()));
    let bands = data["bands"].as_array().expect("bands");
    let length = |class: &str| {
        let band = bands.iter().find(|band| band["class"] == class).expect("the run had one");
        band["to"].as_u64().map(|to| to - band["from"].as_u64().unwrap_or(0))
    };
    assert_eq!(length("partition"), Some(30_000_000));
    assert_eq!(length("pause"), Some(33_000_000));
    assert_eq!(length("crash"), Some(37_000_000));
}

#[test]
fn a_full_timeline_says_what_it_has_forgotten() {
    let mut limits = Limits::default();
    (limits.changes_max, limits.datagrams_max, limits.slices_max) = (50, 100, 16);
    limits.spotlight_max = 0;
    let data = data(&page(limits));
    assert_eq!(data["held"]["t"].as_array().map(Vec::len), Some(50));
    assert_eq!(data["datagrams"]["t"].as_array().map(Vec::len), Some(100));
    assert!(data["load"]["datagrams"].as_array().is_some_and(|slices| slices.len() <= 16));
    assert_eq!(data["notes"].as_array().map(Vec::len), Some(2), "{}", data["notes"]);
}

#[test]
fn the_datagrams_around_the_failure_are_kept_however_long_the_run_goes_on() {
    let mut limits = Limits::default();
    (limits.datagrams_max, limits.spotlight) = (200, Duration::from_millis(500));
    let (mut world, _, timeline) = watched(3, 6, Config::lan(), limits);
    let failed = world.now();
    timeline.lock().expect("nothing has panicked").keep_around(failed);
    world.run_for(secs(60));
    let timeline = timeline.lock().expect("nothing has panicked");
    let data = data(&report::html(&timeline, &Facts::default()));
    let first = data["datagrams"]["t"][0].as_u64().expect("some are kept");
    let failed = failed.as_nanos() / 1000;
    assert!(first + 500_000 >= failed && first <= failed + 500_000, "{first} {failed}");
}

#[test]
fn a_trace_has_one_process_for_each_host_and_every_arrow_has_two_ends() {
    let trace = trace();
    let events = trace["traceEvents"].as_array().expect("an array of events");
    let named = events.iter().filter(|event| event["name"] == "process_name");
    assert_eq!(named.count(), 12);
    let mut ends = BTreeMap::<u64, Vec<&str>>::new();
    for event in events.iter().filter(|event| event["ph"] == "s" || event["ph"] == "f") {
        let id = event["id"].as_u64().expect("arrows are numbered");
        ends.entry(id).or_default().push(event["ph"].as_str().expect("a letter"));
    }
    assert!(ends.len() > 500, "{}", ends.len());
    assert!(ends.values().all(|ends| ends.as_slice() == ["s", "f"]));
}

#[test]
fn spans_of_a_trace_begin_before_they_end() {
    let trace = trace();
    let mut begun = BTreeMap::<&str, (&Value, f64)>::new();
    let mut kinds = BTreeMap::<&str, u32>::new();
    for event in trace["traceEvents"].as_array().expect("an array of events") {
        let Some(id) = event["id"].as_str() else { continue };
        let at = event["ts"].as_f64().expect("a time");
        if event["ph"] == "b" {
            begun.insert(id, (&event["pid"], at));
            *kinds.entry(event["cat"].as_str().expect("a kind")).or_default() += 1;
        } else {
            let (host, from) = begun.remove(id).expect("it began");
            assert!(*host == event["pid"] && from <= at, "{event}");
        }
    }
    assert!(begun.is_empty(), "{begun:?}");
    assert!(["probe", "suspicion", "fault"].iter().all(|kind| kinds[kind] > 2), "{kinds:?}");
}

/// A browser, if there is one.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = env::var_os("PATH")?;
    env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
}

#[test]
fn a_browser_draws_the_page_without_any_complaint() {
    let Some(browser) = browser() else {
        // Not `eprintln!`, which is swallowed where a test passes.
        let _ =
            writeln!(std::io::stderr(), "SKIPPED the page in a browser: there is no chromium on the PATH");
        return;
    };
    let folder = env::temp_dir().join(format!("swim-report-{}", process::id()));
    fs::create_dir_all(&folder).expect("a folder for the page");
    let file = folder.join("page.html");
    fs::write(&file, page(Limits::default())).expect("the page is written");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args([
            "--window-size=1366,768",
            "--virtual-time-budget=2000",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("the browser runs");
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let _ = fs::remove_dir_all(&folder);
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(dom.contains(r#"data-drawn="yes""#), "the script came to its end; the browser says:\n{log}");
    let number = |name: &str| {
        let rest = dom.split_once(&format!("data-{name}=\""))?.1;
        rest.split_once('"')?.0.parse::<u32>().ok()
    };
    assert_eq!(number("cells"), Some(144), "twelve observers, twelve subjects");
    assert!(number("datagrams") > Some(20), "{:?} datagrams were drawn", number("datagrams"));
    assert_eq!(number("bands"), Some(4), "a crash, a pause, a partition, a restart");
}
