//! Two members inside one `mio::Poll`, next to whatever else a program polls.
//!
//!     cargo run -p swim-mio --example embedded

use mio::{Events, Poll, Token};
use swim_mio::{Config, Embedded, NodeId, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut poll = Poll::new()?;
    let mut ready = Events::with_capacity(64);

    let blue = Settings::new(Config::local(), NodeId::from_name("blue"), "127.0.0.1:0".parse()?);
    let blue = Embedded::new(&blue, poll.registry(), Token(0))?;
    let mut green = Settings::new(Config::local(), NodeId::from_name("green"), "127.0.0.1:0".parse()?);
    green.seeds = vec![blue.local_addr().into()];
    let green = Embedded::new(&green, poll.registry(), Token(1))?;
    let mut members = [("blue", blue), ("green", green)];

    while members.iter_mut().any(|(_, member)| member.members().len() < 2) {
        let timeout = members.iter_mut().filter_map(|(_, member)| member.turn()).min();
        for (name, member) in &mut members {
            while let Some(event) = member.next_event() {
                println!("{name}: {event:?}");
            }
        }
        // Sleep until a socket is ready or a deadline comes; your own sources and timers go here too.
        poll.poll(&mut ready, timeout)?;
        for event in &ready {
            if let Some((_, member)) = members.get_mut(event.token().0) {
                member.ready(event);
            }
        }
    }
    Ok(())
}
