//! Seeds that are not up yet, wrong, or unreachable.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::lab::{TIMEOUT, free_address};
use crate::member::{Launch, Member};
use crate::namespace::Namespace;
use crate::report::Report;
use crate::scale::Profile;

/// "Within seconds": the longest pause between two attempts, and a second for a busy machine.
fn limit(profile: Profile) -> Duration {
    profile.options().join_retry.1 + Duration::from_secs(1)
}

/// Seeds that come up `after` the members that look for them.
pub(crate) fn late(report: &mut Report, after: Duration) {
    let seeds: Vec<(Profile, SocketAddr)> =
        [Profile::Local, Profile::Lan].into_iter().map(|profile| (profile, free_address())).collect();
    let mut waiting = Vec::new();
    for (profile, seed) in &seeds {
        for index in 0..2 {
            let name = format!("{}-{index}", profile.name());
            let launch = Launch::new(&name, index, *profile).join(&[seed]);
            waiting.push((*profile, Member::start(&launch)));
        }
    }
    std::thread::sleep(after);
    for (profile, seed) in seeds {
        let began = Instant::now();
        let _seed = Member::start(&Launch::new("seed", 0, profile).bind(seed));
        for (_, member) in waiting.iter().filter(|(own, _)| *own == profile) {
            let took = joined_after(member, began);
            let (profile_name, driver, waited) = (profile.name(), member.driver, after.as_secs());
            let what = format!("{profile_name}, {driver}: joined a seed that came up after {waited} s");
            report.within(&what, took, limit(profile));
        }
    }
}

/// Nine silent or wrong seeds of ten do not delay a join.
pub(crate) fn bad(report: &mut Report) {
    for profile in [Profile::Local, Profile::Lan] {
        let seed = Member::start(&Launch::new("seed", 0, profile));
        let foreign = Member::start(&Launch::new("foreign", 1, profile).more(["--label", "another"]));
        // Bound and never read; answering nonsense; another cluster; unused; without a route.
        let silent: Vec<UdpSocket> =
            (0..4).map(|_| UdpSocket::bind("127.0.0.1:0").expect("a port")).collect();
        let parrot = Parrot::start();
        let mut seeds: Vec<SocketAddr> =
            silent.iter().map(|socket| socket.local_addr().expect("bound")).collect();
        seeds.extend([parrot.addr, foreign.addr, free_address(), free_address()]);
        seeds.push("192.0.2.1:7946".parse().expect("an address for documentation"));
        seeds.push(seed.addr);
        assert_eq!(seeds.len(), 10);
        for index in 0..2 {
            let alone = join_time(&Launch::new(&format!("alone-{index}"), index, profile).join(&[seed.addr]));
            let among = join_time(&Launch::new(&format!("among-{index}"), index, profile).join(&seeds));
            let driver = ["mio", "tokio"][index];
            let what = format!("{}, {driver}: joined past nine bad seeds", profile.name());
            report.figure(format!("with the good seed alone: {:?}", alone.map(|time| time.as_millis())));
            report.within(&what, among, Duration::from_millis(500));
        }
    }
}

/// Seeds behind a firewall and names that are not known yet do not keep a member out.
pub(crate) fn walls(report: &mut Report) {
    let namespace = match Namespace::new() {
        Ok(namespace) => namespace,
        Err(why) => return report.skip(why),
    };
    let profile = Profile::Local;
    namespace.write_file("hosts", "127.0.0.1 localhost\n");
    // A name server that never answers: a resolver that asks it waits for many seconds.
    namespace.write_file("resolv.conf", "nameserver 127.0.0.1\n");
    namespace.run("iptables -A INPUT -p udp --dport 53 -j DROP");
    let launch = |name: &str, index, seeds: &[String]| {
        let mut launch = Launch::new(name, index, profile).join(seeds);
        launch.namespace = Some(namespace.name.clone());
        launch
    };
    // Ports 1 to 8 swallow everything, port 9 refuses to be sent to, 192.0.2.1 has no route.
    namespace.run("iptables -A INPUT -p udp --dport 1:8 -j DROP");
    namespace.run("iptables -A OUTPUT -p udp --dport 9 -j DROP");
    let mut walls: Vec<String> = (1..=7).map(|port| format!("127.0.0.1:{port}")).collect();
    walls.extend(["127.0.0.1:9".to_owned(), "192.0.2.1:1".to_owned()]);
    let seed = Member::start(&launch("seed", 0, &[]));
    for index in 0..2 {
        let seeds = [&walls[..], &[seed.addr.to_string()]].concat();
        let what = format!("{}: joined past nine walls", ["mio", "tokio"][index]);
        let took = join_time(&launch(&format!("walled-{index}"), index, &seeds));
        report.within(&what, took, Duration::from_millis(500));
    }
    let named = format!("seed.test:{}", seed.addr.port());
    let unknown = "unknown.test:1".to_owned();
    let waiting: Vec<Member> = (0..2)
        .map(|index| {
            Member::start(&launch(&format!("named-{index}"), index, &[unknown.clone(), named.clone()]))
        })
        .collect();
    std::thread::sleep(Duration::from_secs(3));
    namespace.write_file("hosts", "127.0.0.1 localhost\n127.0.0.1 seed.test\n");
    let known = Instant::now();
    for member in &waiting {
        let took = joined_after(member, known);
        let what = format!("{}: joined after the name of the seed became known", member.driver);
        report.within(&what, took, Duration::from_secs(6));
    }
    let beside = [unknown, "also-unknown.test:1".to_owned(), seed.addr.to_string()];
    let took = join_time(&launch("beside", 0, &beside));
    report.within("joined beside names that no member knows", took, Duration::from_millis(500));
}

/// From the start of the process to `joined`.
fn join_time(launch: &Launch) -> Option<Duration> {
    let member = Member::start(launch);
    joined_after(&member, member.began)
}

fn joined_after(member: &Member, since: Instant) -> Option<Duration> {
    let joined = member.wait(0, TIMEOUT, |heard| heard.is("joined"));
    joined.map(|heard| heard.at.saturating_duration_since(since))
}

/// Answers every datagram with itself, until it is dropped.
struct Parrot {
    addr: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Parrot {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let addr = socket.local_addr().expect("bound");
        let stop = Arc::new(AtomicBool::new(false));
        let parrot = Self { addr, stop: Arc::clone(&stop) };
        std::thread::spawn(move || {
            let mut buffer = [0; 9000];
            while !stop.load(Ordering::Relaxed) {
                match socket.recv_from(&mut buffer) {
                    Ok((len, source)) => drop(socket.send_to(&buffer[..len], source)),
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(_) => return,
                }
            }
        });
        parrot
    }
}

impl Drop for Parrot {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
