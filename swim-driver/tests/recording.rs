//! A recorded engine: what the operating system did to it happens again.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use swim_core::{
    Command, Config, Epoch, Event, Identity, Input, Instant, Metadata, Node, NodeId, Payload, Seed,
};
use swim_driver::{Delivery, Engine, Host, Ready, Received, Recording};
use swim_trace::{Reader, Record, Recorder, ReplayOptions, Subject, replay};

/// An operating system in which something goes wrong every now and then.
#[derive(Default)]
struct Moody {
    now: Instant,
    sends: u32,
    blocked: bool,
    inbox: VecDeque<(SocketAddr, Vec<u8>)>,
    lent: Vec<u8>,
    outbox: Vec<Vec<u8>>,
}

impl Host for Moody {
    fn now(&mut self) -> Instant {
        // Time passes while things are done.
        self.now = self.now.after(Duration::from_nanos(100));
        self.now
    }

    fn receive(&mut self) -> Received<'_> {
        match self.inbox.pop_front() {
            Some((source, bytes)) => {
                self.lent = bytes;
                Received::Datagram { source, bytes: &self.lent }
            }
            None => Received::Empty,
        }
    }

    fn send(&mut self, _: SocketAddr, bytes: &[u8]) -> Delivery {
        self.sends += 1;
        self.blocked |= self.sends.is_multiple_of(7);
        match (self.blocked, self.sends.is_multiple_of(5)) {
            (true, _) => Delivery::Blocked,
            (false, true) => Delivery::Refused,
            (false, false) => {
                self.outbox.push(bytes.to_vec());
                Delivery::Sent
            }
        }
    }
}

struct Member {
    engine: Engine,
    os: Moody,
}

impl Member {
    fn start(number: u16, recording: Option<&Recording>) -> Self {
        let me = Identity { id: NodeId(number.into()), addr: addr(number), epoch: Epoch(1000) };
        let seed = Seed([number.to_le_bytes()[0]; 32]);
        let node = Node::new(Config::local().into(), me, seed, Instant::ORIGIN);
        let mut engine = Engine::new(node, Instant::ORIGIN, 4096);
        if let Some(recording) = recording {
            let subject = Subject { me, unix_ms: 1000, recording: 1, redactor: None };
            engine = engine.recorded(Recorder::create(recording, subject).expect("a file"), seed);
        }
        let set = Command::SetMetadata(Metadata::new(b"a word").expect("short"));
        engine.prepare(set).expect("not refused");
        // The first has only itself to ask.
        let _ = engine.prepare(Command::Join { seeds: &[addr(1)] });
        Self { engine, os: Moody::default() }
    }
}

fn addr(number: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 7000 + number))
}

/// Ten milliseconds, in which sockets that were full may stay so.
fn step(members: &mut [Member; 2], number: usize) {
    for index in 0..2 {
        let Member { engine, os } = &mut members[index];
        os.now = os.now.after(Duration::from_millis(10));
        os.blocked &= !number.is_multiple_of(3);
        engine.turn(os, Ready { readable: true, writable: !os.blocked });
        if number.is_multiple_of(20) && !engine.is_blocked() {
            let payload = number.to_le_bytes();
            // Refused while the queue is full.
            let _ = engine.command(os, Command::Broadcast(Payload::new(&payload).expect("short")));
        }
        let (source, sent) = (addr([1, 2][index]), std::mem::take(&mut os.outbox));
        members[1 - index].os.inbox.extend(sent.into_iter().map(|bytes| (source, bytes)));
    }
}

#[test]
fn what_was_blocked_and_refused_is_blocked_and_refused_again() {
    let file = File::new("moody");
    let mut members = [Member::start(1, None), Member::start(2, Some(&Recording::new(&file.0)))];
    (0..2000).for_each(|number| step(&mut members, number));
    let heard = std::iter::from_fn(|| members[1].engine.next_event());
    assert!(heard.into_iter().any(|event| matches!(event, Event::Broadcast { .. })), "they speak");
    assert!(members[1].engine.recording_ended().is_none());
    // Not dropped, nothing ended: what a turn did is on disk when it is over.
    let trace = Reader::open(&file.0).expect("a trace");
    assert_eq!(replay(&trace, ReplayOptions::default()).expect("as recorded").records, trace.len());
    let (mut refused, mut unsettled, mut settled) = (0, 0, true);
    for entry in trace.records() {
        match entry.expect("good").record {
            record @ (Record::Input { .. } | Record::Command { .. }) => {
                refused +=
                    u32::from(matches!(record, Record::Input { input: Input::Undelivered { .. }, .. }));
                unsettled += u32::from(!settled);
                settled = false;
            }
            Record::Settled { .. } => settled = true,
            _ => {}
        }
    }
    assert!(refused > 10 && unsettled > 30, "{refused} refused, {unsettled} inputs while it was blocked");
}

#[test]
fn the_birth_is_on_disk_before_anything_is_sent() {
    let file = File::new("birth");
    let _member = Member::start(1, Some(&Recording::new(&file.0)));
    let trace = Reader::open(&file.0).expect("a trace");
    let inputs = trace.records().filter(|entry| matches!(entry, Ok(e) if e.record.counts())).count();
    assert_eq!(inputs, 4, "its metadata and its seeds, and what came of them");
}

#[test]
fn a_turn_in_which_nothing_happened_writes_nothing() {
    let file = File::new("nothing");
    let mut member = Member::start(1, Some(&Recording::new(&file.0)));
    let len = || std::fs::metadata(&file.0).expect("it is there").len();
    member.engine.turn(&mut member.os, Ready::default());
    let before = len();
    for _ in 0..10 {
        member.engine.turn(&mut member.os, Ready::default());
    }
    assert_eq!(len(), before);
}

/// Deleted when dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("swim-driver-{name}-{}.swim", std::process::id())))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
