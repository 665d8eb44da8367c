//! The measured side: a process of its own that answers datagrams and does nothing else.
//!
//! It prints `ready ADDR` when its socket is bound, and ends when its standard input does, so it never
//! runs longer than the process that measures it. A member looks for its cluster at the address that it is given; a loop without a
//! protocol answers each datagram with its first bytes, as many as a member's answer has.

mod epoll;
mod member;
mod mio;
mod tokio;

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

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
        Contestant::Mio => mio::run(args.answer),
        Contestant::SwimMio => member::mio(args.peer),
        Contestant::TokioCurrent => tokio::run(tokio::current(), args.answer),
        Contestant::SwimTokioCurrent => member::tokio(tokio::current(), args.peer),
        Contestant::TokioMulti => tokio::run(tokio::multi(), args.answer),
        Contestant::SwimTokioMulti => member::tokio(tokio::multi(), args.peer),
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
    let until_eof = std::thread::Builder::new().name("until-eof".to_owned());
    until_eof.spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    })?;
    Ok(())
}
