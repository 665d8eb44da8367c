//! The loop on epoll itself, in the ways that it can be asked: level or edge, one datagram or many.

use std::io::{IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg, sendmsg};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use super::{BUFFER, Failure, ready, socket};

/// Datagrams of one `recvmmsg`.
const BATCH: usize = 32;
/// Room for each of them: the largest that a member with default options sends.
const BATCHED: usize = 1400;

struct Epoll {
    socket: UdpSocket,
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Epoll {
    fn new(trigger: EventFlags) -> Result<Self, Failure> {
        let socket = socket()?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &socket, EventData::new_u64(0), EventFlags::IN | trigger)?;
        ready(socket.local_addr()?)?;
        Ok(Self { socket, epoll, events: Vec::with_capacity(16) })
    }

    fn wait(&mut self, timeout: Option<Timespec>) -> Result<(), Failure> {
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads one and answers it; whether there was one.
    fn answer(&self, buffer: &mut [u8], answer: usize) -> bool {
        let Ok((len, source)) = self.socket.recv_from(buffer) else { return false };
        let _ = self.socket.send_to(&buffer[..len.min(answer)], source);
        true
    }
}

/// The kernel reports the socket as long as something is there: one read a report loses nothing.
pub(super) fn level_one(answer: usize) -> Result<(), Failure> {
    let mut epoll = Epoll::new(EventFlags::empty())?;
    let mut buffer = vec![0; BUFFER];
    loop {
        epoll.wait(None)?;
        epoll.answer(&mut buffer, answer);
    }
}

pub(super) fn level(answer: usize) -> Result<(), Failure> {
    until_empty(EventFlags::empty(), None, answer)
}

pub(super) fn edge(answer: usize) -> Result<(), Failure> {
    until_empty(EventFlags::ET, None, answer)
}

/// As a loop that has a deadline waits.
pub(super) fn timeout(answer: usize) -> Result<(), Failure> {
    until_empty(EventFlags::ET, Some(Timespec { tv_sec: 1, tv_nsec: 0 }), answer)
}

fn until_empty(trigger: EventFlags, timeout: Option<Timespec>, answer: usize) -> Result<(), Failure> {
    let mut epoll = Epoll::new(trigger)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        epoll.wait(timeout)?;
        while epoll.answer(&mut buffer, answer) {}
    }
}

/// As many as there are with one call, all the answers with another. A batch that is not full has emptied
/// the socket.
pub(super) fn batch(answer: usize) -> Result<(), Failure> {
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    batches(|fd, arrived| {
        let slices: Vec<_> =
            arrived.iter().map(|(bytes, _)| [IoSlice::new(&bytes[..bytes.len().min(answer)])]).collect();
        let targets: Vec<_> = arrived.iter().map(|(_, source)| *source).collect();
        let _ = sendmmsg(fd, &mut headers, &slices, &targets, [], MsgFlags::empty());
    })
}

/// Answers to one target that have one length leave as one datagram, which is cut again on its way.
pub(super) fn segment(answer: usize) -> Result<(), Failure> {
    batches(|fd, arrived| {
        let alike =
            |a: &Arrived<'_>, b: &Arrived<'_>| a.1 == b.1 && a.0.len().min(answer) == b.0.len().min(answer);
        for run in arrived.chunk_by(alike) {
            let slices: Vec<_> =
                run.iter().map(|(bytes, _)| IoSlice::new(&bytes[..bytes.len().min(answer)])).collect();
            let len = u16::try_from(slices[0].len()).unwrap_or(u16::MAX);
            let segments = [ControlMessage::UdpGsoSegments(&len)];
            let segments = if run.len() > 1 { &segments[..] } else { &[] };
            let _ = sendmsg(fd, &slices, segments, MsgFlags::empty(), run[0].1.as_ref());
        }
    })
}

/// A datagram and its source.
type Arrived<'a> = (&'a [u8], Option<SockaddrIn>);

fn batches(mut reply: impl FnMut(RawFd, &[Arrived<'_>])) -> Result<(), Failure> {
    let mut epoll = Epoll::new(EventFlags::ET)?;
    let fd = epoll.socket.as_raw_fd();
    let mut buffers = vec![[0; BATCHED]; BATCH];
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    loop {
        epoll.wait(None)?;
        loop {
            let mut lens = Vec::with_capacity(BATCH);
            {
                let mut slices: Vec<_> = buffers.iter_mut().map(|it| [IoSliceMut::new(it)]).collect();
                let Ok(all) = recvmmsg(fd, &mut headers, &mut slices, MsgFlags::empty(), None) else {
                    break;
                };
                lens.extend(all.map(|it| (it.bytes, it.address)));
            }
            let arrived: Vec<Arrived<'_>> =
                lens.iter().zip(&buffers).map(|((len, source), buffer)| (&buffer[..*len], *source)).collect();
            reply(fd, &arrived);
            if arrived.len() < BATCH {
                break;
            }
        }
    }
}
