//! A flood of random and mutated datagrams at one member.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::capture::{Capture, Seen};
use crate::cluster::Cluster;
use crate::member::{Member, Row};
use crate::packet::{STATUSES, datagram, kinds, mention, ping, plain, update};
use crate::report::Report;
use crate::scale::Profile;

/// How fast the garbage comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// As fast as the member reads: its buffer is never full, nothing of its own is lost.
    AsItReads,
    /// As fast as one core can send: much of what is sent to the member is lost, of the others' datagrams too.
    Faster,
}

pub(crate) fn garbage(report: &mut Report, drivers: &[&str], wanted: usize, pace: Pace) {
    for driver in drivers {
        flood(report, driver, wanted as u64, pace);
    }
}

/// Five members that know each other, and a capture of what the first receives, if that can be had.
fn start(report: &mut Report, n: usize, profile: Profile) -> (Cluster, Result<Capture, String>) {
    let mut cluster = Cluster::of_one(profile, None);
    let first = cluster.members[0].addr;
    let capture = Capture::start(5_000, move |seen: &Seen| seen.target == first);
    for index in 1..n {
        cluster.members.push(Member::start(&cluster.newcomer(index)));
    }
    let converged = cluster.wait_until_all_alive(Instant::now(), Duration::from_secs(30));
    report.must(converged.is_some(), "converged");
    std::thread::sleep(Duration::from_secs(2));
    (cluster, capture)
}

fn flood(report: &mut Report, driver: &str, wanted: u64, pace: Pace) {
    let (n, profile) = (5, Profile::Local);
    let (mut cluster, capture) = start(report, n, profile);
    let victim = usize::from(driver == "tokio");
    let rows = cluster.members[victim].rows();
    let mut corpus = corpus(&rows, cluster.members[victim].addr);
    match &capture {
        Ok(capture) => corpus.extend(capture.seen().into_iter().map(|seen| seen.bytes)),
        Err(why) => report.skip(format!("captured datagrams to mutate: {why}")),
    }
    drop(capture);

    let marks = cluster.marks();
    let addr = cluster.members[victim].addr;
    let received = cluster.members[victim].stat("datagrams_received");
    let memory = cluster.members[victim].resident_kb();
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64 | 1);
    report.figure(format!("{driver}: {} datagrams to mutate, seed {seed}", corpus.len()));
    let began = Instant::now();
    let rain = Rain::start(addr, corpus, seed, pace);

    // A member is killed in the middle of it.
    wait_for(&mut cluster, victim, received + wanted / 4);
    let gone = n - 1;
    let killed = cluster.members[gone].kill();
    let half_way = cluster.marks();
    let name = cluster.members[gone].name.clone();
    let bound = profile.detection_bound(n);
    let dead =
        cluster.members[victim].wait(half_way[victim], bound * 3, |heard| heard.is_about("dead", &name));
    let took = dead.map(|heard| heard.at.saturating_duration_since(killed));
    report.within(&format!("{driver}: a kill meanwhile is seen by the member in the rain"), took, bound);
    wait_for(&mut cluster, victim, received + wanted);
    let (took, sent) = (began.elapsed(), rain.end());
    let read = cluster.members[victim].stat("datagrams_received") - received;
    let rate = read as f64 / took.as_secs_f64();
    report.figure(format!(
        "{driver}: {sent} sent, {read} read in {:.1} s: {rate:.0} a second",
        took.as_secs_f64()
    ));
    report.must(cluster.members[victim].is_running(), format!("{driver}: it still runs"));
    let now = cluster.members[victim].resident_kb();
    report.must(now < memory + 2048, format!("{driver}: memory {memory} kB before, {now} kB after"));
    unharmed(report, &mut cluster, driver, pace, &Before { victim, gone, marks, rows });
}

/// What is known from before the rain: the member in it, the one that is killed, marks and rows.
struct Before {
    victim: usize,
    gone: usize,
    marks: Vec<usize>,
    rows: Vec<Row>,
}

/// No other member was called Dead, and the view of the member in the rain is what it was.
fn unharmed(report: &mut Report, cluster: &mut Cluster, driver: &str, pace: Pace, before: &Before) {
    let Before { victim, gone, marks, rows } = before;
    let others = cluster.deaths_of_others(marks, *gone);
    let suspects = cluster.count(marks, "suspect");
    report.figure(format!("{driver}: suspicions meanwhile, of the killed one included: {suspects}"));
    match pace {
        Pace::AsItReads => report.none(format!("{driver}: others called Dead"), &others),
        Pace::Faster => report.figure(format!(
            "{driver}: others called Dead while most of what they said was lost: {others:?}"
        )),
    }
    std::thread::sleep(Duration::from_secs(if pace == Pace::Faster { 25 } else { 2 }));
    let mut expected: Vec<Row> = rows.clone();
    let mut alive = cluster.names();
    let name = alive.remove(*gone);
    for row in expected.iter_mut().filter(|row| row.name == name) {
        row.status = "dead".to_owned();
    }
    let mut after = cluster.members[*victim].rows();
    for row in after.iter_mut().chain(&mut expected) {
        // Who was suspected meanwhile has refuted it.
        row.incarnation = 0;
    }
    report.must(
        after == expected,
        format!("{driver}: its view is what it was, less the killed one: {after:?}"),
    );
    cluster.must_agree(report, &alive);
}

fn wait_for(cluster: &mut Cluster, victim: usize, received: u64) {
    let end = Instant::now() + Duration::from_secs(600);
    while cluster.members[victim].stat("datagrams_received") < received {
        assert!(Instant::now() < end, "it reads too slowly");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Valid datagrams about the members of a cluster.
fn corpus(rows: &[Row], addr: SocketAddr) -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    for sender in rows.iter().map(mention) {
        for about in rows.iter().map(mention) {
            corpus.extend(kinds().map(|kind| plain(kind, sender, about, sender.id).0));
            corpus.extend(STATUSES.map(|status| ping(sender, about, status, 5).0));
            for status in STATUSES {
                let later = about.incarnation(about.incarnation + 1);
                let claims = [update(status, about, addr, sender.id), update(status, later, addr, sender.id)];
                corpus.push(datagram(swim_craft::GOSSIP, sender).updates(&claims).0);
            }
        }
    }
    corpus
}

/// A thread that sends garbage until it is ended.
struct Rain {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Rain {
    fn start(target: SocketAddr, corpus: Vec<Vec<u8>>, seed: u64, pace: Pace) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let sockets: Vec<UdpSocket> =
                (0..8).map(|_| UdpSocket::bind("127.0.0.1:0").expect("a port")).collect();
            let mut random = Random(seed);
            let mut sent = 0;
            while !stopped.load(Ordering::Relaxed) {
                for _ in 0..64 {
                    let bytes = mutated(&corpus, &mut random);
                    let socket = &sockets[random.below(sockets.len())];
                    sent += u64::from(socket.send_to(&bytes, target).is_ok());
                }
                while pace == Pace::AsItReads && unread(target) > 64 * 1024 {
                    std::thread::sleep(Duration::from_micros(100));
                }
            }
            sent
        });
        Self { stop, thread }
    }

    /// How many were sent.
    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it only sends")
    }
}

/// Something between noise and a valid datagram.
fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    match random.below(8) {
        0 => {
            bytes = vec![0; random.below(1500)];
            bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
        }
        1 => bytes.truncate(random.below(bytes.len() + 1)),
        2 => bytes.extend((0..random.below(200)).map(|_| random.next() as u8).collect::<Vec<_>>()),
        3 => {
            // The head of one and the tail of another.
            let other = &corpus[random.below(corpus.len())];
            bytes.truncate(random.below(bytes.len() + 1));
            bytes.extend(&other[random.below(other.len() + 1)..]);
        }
        4 => {}
        _ => {
            for _ in 0..=random.below(6) {
                let index = random.below(bytes.len());
                bytes[index] = match random.below(3) {
                    0 => random.next() as u8,
                    1 => bytes[index] ^ (1 << random.below(8)),
                    _ => [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
                };
            }
        }
    }
    bytes
}

/// Bytes that wait in the socket bound to `addr`.
fn unread(addr: SocketAddr) -> u64 {
    let sockets = procfs::net::udp().unwrap_or_default();
    sockets.iter().find(|socket| socket.local_address == addr).map_or(0, |socket| socket.rx_queue.into())
}

/// xorshift64*: good enough for noise, and the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n.max(1)
    }
}
