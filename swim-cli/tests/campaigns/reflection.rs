//! A stranger never gets back more than it gave, and no member is made to send to a stranger.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use swim_craft::{self as craft, Datagram, Mention};

use crate::cluster::Cluster;
use crate::member::Row;
use crate::packet::{STATUSES, kinds, mention, ping, plain, update};
use crate::report::Report;
use crate::scale::{Profile, seconds};

/// How long the echo of a datagram is waited for: longer than the first repetition of anything.
const ECHO: Duration = Duration::from_millis(800);

/// Sockets open at once: fewer than a process commonly may have.
const SOCKETS: usize = 900;

/// A stranger never gets back more than it sent.
pub(crate) fn reflection(report: &mut Report) {
    let mut cluster = Cluster::converged(report, 3, Profile::Local, None);
    let rows = cluster.members[0].rows();
    for victim in 0..2 {
        let (addr, driver) = (cluster.members[victim].addr, cluster.members[victim].driver);
        let letters = letters(&rows, addr);
        report
            .figure(format!("{driver}: {} kinds of datagram, each from a socket of its own", letters.len()));
        exchange(report, addr, &letters);
        repeat(report, addr, &letters);
    }
    cluster.must_agree(report, &cluster.names());
}

/// A ping-req never makes a member send to a stranger.
pub(crate) fn relays(report: &mut Report) {
    let mut cluster = Cluster::converged(report, 3, Profile::Local, None);
    let rows = cluster.members[0].rows();
    let (asked, target) = (cluster.members[0].addr, mention(&rows[1]));
    let victim = UdpSocket::bind("127.0.0.1:0").expect("a port");
    victim.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let pings = cluster.members[0].stat("relayed");
    let own = Mention { id: 0xabcd, epoch: rows[0].epoch, incarnation: 0 };
    // All senders that it can name, about all targets; the victim's address is piggybacked as a claim.
    for sender in [own, mention(&rows[0]), mention(&rows[1]), mention(&rows[2])] {
        for id in [target.id, own.id, 0x1234] {
            let about = Mention { id, ..own };
            let claim = craft::alive(about, victim.local_addr().expect("bound"), b"");
            let Datagram(bytes) = plain(craft::PING_REQ, sender, about, 5).updates(&[claim]);
            stranger.send_to(&bytes, asked).expect("sent");
        }
    }
    let heard = victim.recv_from(&mut [0; 2000]).is_ok();
    report.must(!heard, "nothing came to the address that the ping-reqs named");
    let after = cluster.members[0].stat("relayed");
    report.must(after == pings, format!("no ping-req of a stranger was obeyed: {}", after - pings));
}

/// Everything that a stranger can say, of whom it can say it, and as whom.
fn letters(rows: &[Row], target: SocketAddr) -> Vec<(String, Vec<u8>)> {
    let index = rows.iter().position(|row| row.addr == target).expect("it is a member");
    let (me, other) = (mention(&rows[index]), mention(&rows[(index + 1) % rows.len()]));
    let stranger = Mention { id: 0xfeed, epoch: me.epoch, incarnation: 0 };
    let later = |of: Mention| of.epoch(of.epoch + 60_000);
    let earlier = |of: Mention| of.epoch(of.epoch - 60_000);
    let senders = [
        ("a stranger", stranger),
        ("a member", other),
        ("a member's later epoch", later(other)),
        ("a member's earlier epoch", earlier(other)),
        ("its own name", me),
        ("its own later epoch", later(me)),
        ("an insane epoch", Mention { epoch: (1 << 48) - 1, ..stranger }),
        ("a far incarnation", Mention { incarnation: u32::MAX, ..other }),
    ];
    let targets = [
        ("it", me),
        ("its later epoch", later(me)),
        ("its earlier epoch", earlier(me)),
        ("its far incarnation", Mention { incarnation: u32::MAX, ..me }),
        ("a member", other),
        ("no member", Mention { id: 0x1234, ..me }),
    ];
    let mut letters = Vec::new();
    for (from, sender) in senders {
        for (about, target) in targets {
            for kind in kinds() {
                letters.push((
                    format!("kind {kind} from {from} about {about}"),
                    plain(kind, sender, target, 77).0,
                ));
            }
            for status in STATUSES {
                let what = format!("ping with status {status} from {from} about {about}");
                letters.push((what, ping(sender, target, status, 78).0));
            }
        }
    }
    // What has gossip along is longer; what is shorter than it should be must not be answered at length.
    let long: Vec<_> = letters
        .iter()
        .map(|(what, bytes)| {
            let mut datagram = Datagram(bytes.clone());
            if craft::kind(bytes) != craft::ANNOUNCE {
                datagram = datagram.updates(&[update(craft::SUSPECT, other, target, stranger.id)]);
            }
            (format!("{what}, with gossip"), datagram.0)
        })
        .collect();
    let short: Vec<_> = (0..110)
        .map(|len| {
            let Datagram(mut bytes) = ping(stranger, me, craft::DEAD, 79);
            bytes.resize(len, 0);
            craft::set_sender(&mut bytes, stranger);
            (format!("a ping cut or stretched to {len} bytes"), bytes)
        })
        .collect();
    letters.extend(long);
    letters.extend(short);
    letters
}

/// Sends each letter once, from a socket of its own, and counts what comes back.
fn exchange(report: &mut Report, target: SocketAddr, letters: &[(String, Vec<u8>)]) {
    let mut worst = (0.0, String::new());
    let mut answered = 0;
    let mut over = Vec::new();
    for chunk in letters.chunks(SOCKETS) {
        let sockets: Vec<UdpSocket> = chunk
            .iter()
            .map(|(_, bytes)| {
                let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
                socket.set_nonblocking(true).expect("switched");
                socket.send_to(bytes, target).expect("sent");
                socket
            })
            .collect();
        std::thread::sleep(ECHO);
        for (socket, (what, bytes)) in sockets.iter().zip(chunk) {
            let back = drain(socket);
            answered += usize::from(back > 0);
            let ratio = back as f64 / bytes.len().max(1) as f64;
            if ratio > worst.0 {
                worst = (ratio, what.clone());
            }
            if back > bytes.len() {
                over.push(format!("{what}: {} bytes sent, {back} came back", bytes.len()));
            }
        }
    }
    report.figure(format!(
        "{answered} were answered; most bytes back for one sent: {:.2} ({})",
        worst.0, worst.1
    ));
    report.none("answers that were longer", &over);
}

/// Sends all letters from one socket, several times: no state of the member's adds to the answers.
fn repeat(report: &mut Report, target: SocketAddr, letters: &[(String, Vec<u8>)]) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_nonblocking(true).expect("switched");
    let (mut sent, mut back, mut kinds) = (0, 0, BTreeMap::new());
    let began = Instant::now();
    while began.elapsed() < seconds(1) {
        for (_, bytes) in letters {
            sent += bytes.len();
            socket.send_to(bytes, target).expect("sent");
            std::thread::sleep(Duration::from_micros(20));
            back += drain_counting(&socket, &mut kinds);
        }
    }
    std::thread::sleep(ECHO);
    back += drain_counting(&socket, &mut kinds);
    report.figure(format!("one socket: {sent} bytes sent, {back} came back, by kind {kinds:?}"));
    report.must(back <= sent, "one socket got back no more than it sent");
}

fn drain(socket: &UdpSocket) -> usize {
    drain_counting(socket, &mut BTreeMap::new())
}

fn drain_counting(socket: &UdpSocket, kinds: &mut BTreeMap<u8, u32>) -> usize {
    let (mut total, mut buffer) = (0, [0; 9000]);
    while let Ok((len, _)) = socket.recv_from(&mut buffer) {
        *kinds.entry(craft::kind(&buffer)).or_default() += 1;
        total += len;
    }
    total
}
