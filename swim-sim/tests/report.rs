//! The page and the trace that a run leaves behind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_core::{Config, Status};
use swim_sim::report::{self, Facts, Invariant};
use swim_sim::{Chronicle, HostId, Limits, Phase, World};

/// A run that somebody would want to look at: a crash, a pause, a partition that outlasts the suspicions.
fn troubled(limits: Limits) -> (World, Arc<Mutex<Chronicle>>) {
    let config = Arc::new(Config::lan());
    let chronicle = Arc::new(Mutex::new(Chronicle::with(limits)));
    let mut world = World::new(41);
    world.attach(Arc::clone(&chronicle));
    let hosts = world.start_many(12, &config);
    for host in hosts.iter().skip(1) {
        world.join(*host, &hosts[..1]);
    }
    world.run_until(Duration::from_secs(60), World::converged).expect("a quiet network converges");
    world.enter(Phase::Trouble);
    world.run_for(Duration::from_secs(5));
    world.crash(hosts[3]);
    world.run_for(Duration::from_secs(4));
    world.pause(hosts[5]);
    world.run_for(Duration::from_secs(3));
    world.partition(&[&hosts[8..]]);
    world.run_for(Duration::from_secs(30));
    world.enter(Phase::Peace);
    world.resume(hosts[5]);
    world.heal();
    world.restart(hosts[3]);
    world.join(hosts[3], &hosts[..1]);
    world.run_for(Duration::from_secs(25));
    (world, chronicle)
}


fn facts(world: &World, failed: bool) -> Facts {
    Facts {
        title: "Seed 41".into(), command: "swim-sim run --seed 41 --until 62s".into(), seed: "41".into(),
        digest: world.fingerprint().to_string(), verdict: if failed {"safety".into()} else {"passed".into()},
        sentence: if failed {"S4: #9 was called Dead by #1 although it was up".into()} else {"11 invariants held in 61.2 s; all agreed 4.1 s after the faults ended.".into()},
        failed_at_ns: failed.then_some(18_400_000_000), hosts: if failed {vec![0, 8]} else {vec![]},
        options: (0..12).map(|i| (format!("option_{i}"), format!("{i}"))).collect(),
        invariants: (1..=9).map(|i| Invariant { number: format!("S{i}"), name: "No false deaths".into(), statement: "Nobody who is up and can be reached is called Dead.".into(), looked: 12345 * i, broken: (failed && i == 4).then(|| "#1 called #9 Dead at 18.400 s".into()) }).collect(),
        sometimes: (0..12).map(|i| (format!("a suspicion is refuted {i}"), i * 100)).collect(),
        notes: vec![],
    }
}
#[test]
fn preview() {
    let (world, chronicle) = troubled(Limits::default());
    let page = report::html(&chronicle.lock().unwrap(), &facts(&world, true));
    std::fs::write("/tmp/page-bad.html", page).unwrap();
    std::fs::write("/tmp/trace.json", report::perfetto(&chronicle.lock().unwrap(), &facts(&world, true))).unwrap();
    for (n, path) in [(20, "/tmp/page-good.html"), (300, "/tmp/page-big.html")] {
        let chronicle = Arc::new(Mutex::new(Chronicle::new()));
        let mut world = World::new(41);
        world.attach(Arc::clone(&chronicle));
        let hosts = world.start_many(n, &Arc::new(Config::lan()));
        for host in hosts.iter().skip(1) {
            world.join(*host, &hosts[..1]);
        }
        world.run_until(Duration::from_secs(60), World::converged).expect("a quiet network converges");
        world.enter(Phase::Trouble);
        world.run_for(Duration::from_secs(5));
        world.crash(hosts[3]);
        world.run_for(Duration::from_secs(8));
        world.crash(hosts[7]); world.leave(hosts[9]);
        world.run_for(Duration::from_secs(20));
        let page = report::html(&chronicle.lock().unwrap(), &facts(&world, false));
        std::fs::write(path, page).unwrap();
    }
    let _ = (Status::Alive, HostId(0));
}
