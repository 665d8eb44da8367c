//! An event as `{:?}` writes it, quickly where it must be quick.
//!
//! What is hashed of an event is its text. Among ten thousand members that join a hundred million are told
//! that somebody is alive, and the formatting machinery would take longer over it than the node.

use std::fmt::Write as _;
use std::net::SocketAddr;

use swim_core::Event;

/// Appends `event` as `{:?}` does.
pub(crate) fn append(text: &mut String, event: &Event) {
    match event {
        Event::Alive { id, addr: SocketAddr::V4(addr), epoch } => {
            text.push_str("Alive { id: #");
            number(text, id.0, 16);
            let mut before = ", addr: ";
            for octet in addr.ip().octets() {
                text.push_str(before);
                number(text, u64::from(octet), 10);
                before = ".";
            }
            text.push(':');
            number(text, u64::from(addr.port()), 10);
            text.push_str(", epoch: Epoch(");
            number(text, epoch.0, 10);
            text.push_str(") }");
        }
        other => write!(text, "{other:?}").expect("writing to a string cannot fail"),
    }
}

/// Appends `value` to the base of ten or sixteen.
fn number(text: &mut String, mut value: u64, base: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b"0123456789abcdef"[(value % base) as usize];
        value /= base;
        if value == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use swim_core::{Epoch, NodeId};

    use super::*;

    #[test]
    fn it_is_what_the_formatter_writes() {
        for (id, addr, epoch) in [
            (0, "0.0.0.0:0", 0),
            (0xab_cdef, "10.255.9.1:7946", 1_700_000_000_123),
            (u64::MAX, "255.255.255.255:65535", u64::MAX),
            (9, "[fe80::1]:10", 10),
        ] {
            let addr = addr.parse().expect("an address");
            for event in [
                Event::Alive { id: NodeId(id), addr, epoch: Epoch(epoch) },
                Event::Updated { id: NodeId(id), addr },
            ] {
                let mut text = String::from("before ");
                append(&mut text, &event);
                assert_eq!(text, format!("before {event:?}"));
            }
        }
    }
}
