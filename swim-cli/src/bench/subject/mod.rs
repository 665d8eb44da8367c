//! The measured side: a process of its own that answers datagrams and does nothing else.
//!
//! It prints `ready ADDR` when its socket is bound, and ends when its standard input does, so it never
//! runs longer than the process that measures it. A member looks for its cluster at the address that it is given; a loop without a
//! protocol answers each datagram with its first bytes, as many as a member's answer has.

mod epoll;

use std::error::Error;
use std::future::pending;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use mio::{Events, Interest, Poll, Token};
use swim_core::{Config, NodeId};
use swim_mio::Settings;
use tokio::runtime::{Builder, Runtime};

use crate::args::SubjectArgs;
use crate::contestant::Contestant;
use crate::exit::Exit;

/// What a subject ends with, if it ends before it is asked to.
type Failure = Box<dyn Error>;

/// Room for a datagram, as much as a member has.
const BUFFER: usize = 9001;

/// Runs one contestant until standard input ends.
pub(crate) fn run(args: &SubjectArgs) -> Exit {
    let ended = match args.contestant {
        Contestant::EpollLevelOne => epoll::level_one(args.answer),
        Contestant::EpollLevel => epoll::level(args.answer),
        Contestant::EpollEdge => epoll::edge(args.answer),
        Contestant::EpollTimeout => epoll::timeout(args.answer),
        Contestant::EpollBatch => epoll::batch(args.answer),
        Contestant::EpollSegment => epoll::segment(args.answer),
        Contestant::Mio => on_mio(args.answer),
        Contestant::SwimMio => member_on_mio(args.peer),
        Contestant::TokioCurrent => on_tokio(current(), args.answer),
        Contestant::SwimTokioCurrent => member_on_tokio(current(), args.peer),
        Contestant::TokioMulti => on_tokio(multi(), args.answer),
        Contestant::SwimTokioMulti => member_on_tokio(multi(), args.peer),
    };
    let Err(failure) = ended else { return Exit::Ok };
    eprintln!("{}: {failure}", args.contestant.name());
    Exit::Failed
}

fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Prints where it listens, and from now on ends with its standard input.
fn ready(addr: SocketAddr) -> io::Result<()> {
    println!("ready {addr}");
    io::stdout().flush()?;
    crate::spawn("until-eof", || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    })
}

/// The loop on mio: wait, read until empty, answer each.
fn on_mio(answer: usize) -> Result<(), Failure> {
    let mut socket = mio::net::UdpSocket::from_std(socket()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
    ready(socket.local_addr()?)?;
    let mut events = Events::with_capacity(16);
    let mut buffer = vec![0; BUFFER];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        while let Ok((len, source)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..len.min(answer)], source);
        }
    }
}

fn current() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// As many workers as there are cores, as `#[tokio::main]` has it.
fn multi() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// The loop on tokio, as its documentation has it.
fn on_tokio(runtime: io::Result<Runtime>, answer: usize) -> Result<(), Failure> {
    runtime?.block_on(async {
        let socket = tokio::net::UdpSocket::from_std(socket()?)?;
        let addr = socket.local_addr()?;
        // A task, as a member is one.
        tokio::spawn(async move {
            let mut buffer = vec![0; BUFFER];
            loop {
                if let Ok((len, source)) = socket.recv_from(&mut buffer).await {
                    let _ = socket.send_to(&buffer[..len.min(answer)], source).await;
                }
            }
        });
        ready(addr)?;
        pending::<Result<(), Failure>>().await
    })
}

/// A member, started as a user would start it.
fn settings(peer: SocketAddr) -> Settings {
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut settings = Settings::new(Config::lan(), NodeId::from_name("measured"), bind);
    settings.seeds = vec![peer.into()];
    settings
}

fn member_on_mio(peer: SocketAddr) -> Result<(), Failure> {
    let member = swim_mio::spawn(&settings(peer))?;
    ready(member.local_addr())?;
    member.events().for_each(drop);
    Err("the member has stopped".into())
}

fn member_on_tokio(runtime: io::Result<Runtime>, peer: SocketAddr) -> Result<(), Failure> {
    runtime?.block_on(async {
        let member = swim_tokio::spawn(&settings(peer))?;
        ready(member.local_addr())?;
        while member.next_event().await.is_some() {}
        pending::<Result<(), Failure>>().await
    })
}
