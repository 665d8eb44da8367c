//! Seeds given by name: looked up on a thread of their own, again and again until each has an address.
//!
//! A name server may be slow or not up yet, exactly when a whole cluster starts. That must neither delay the
//! seeds that are addresses already nor end the member.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::address::{AddressError, HostPort, SeedAddr, same_family};

/// The first and the longest pause before a name that was not found is looked up again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Splits what was given into addresses and names.
pub(crate) fn split(seeds: &[SeedAddr]) -> (Vec<SocketAddr>, Vec<HostPort>) {
    let ready = seeds.iter().filter_map(|seed| match seed {
        SeedAddr::Ready(addr) => Some(*addr),
        SeedAddr::Name(_) => None,
    });
    let names = seeds.iter().filter_map(|seed| match seed {
        SeedAddr::Name(name) => Some(name.clone()),
        SeedAddr::Ready(_) => None,
    });
    (ready.collect(), names.collect())
}

/// What came of looking a name up.
#[derive(Debug)]
pub(crate) enum LookedUp {
    /// Addresses that the member can send to; to be joined through.
    Found(Vec<SocketAddr>),
    /// Not found yet; told once for each name, while the search goes on.
    NotYet(AddressError),
}

/// Looks `names` up until each is found or `tell` says that nobody listens any more (`false`).
/// `like` is the member's own address: only addresses of its family are of use.
///
/// # Errors
/// The operating system refused the thread.
pub(crate) fn look_up(
    names: Vec<HostPort>,
    like: SocketAddr,
    tell: impl Fn(LookedUp) -> bool + Send + 'static,
) -> io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    std::thread::Builder::new().name("swim-names".to_owned()).spawn(move || {
        let mut missing = names;
        let (mut pause, longest) = RETRY;
        let mut first = true;
        while !missing.is_empty() {
            let mut still = Vec::new();
            for name in missing {
                let told = match name.resolve() {
                    Ok(addrs) => tell(LookedUp::Found(usable(&addrs, like))),
                    Err(error) => {
                        still.push(name);
                        !first || tell(LookedUp::NotYet(error))
                    }
                };
                if !told {
                    return;
                }
            }
            missing = still;
            first = false;
            if !missing.is_empty() {
                std::thread::sleep(pause);
                pause = (pause * 2).min(longest);
            }
        }
    })?;
    Ok(())
}

/// Those of the member's family; if there is none, all, so that the refusal names them.
fn usable(addrs: &[SocketAddr], like: SocketAddr) -> Vec<SocketAddr> {
    let same: Vec<SocketAddr> = same_family(addrs, like).collect();
    if same.is_empty() { addrs.to_vec() } else { same }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LIVENESS: Duration = Duration::from_secs(30);

    #[test]
    fn names_are_found_beside_one_that_is_not() {
        let names = ["no-such-host.invalid:1", "localhost:2"].map(|name| name.parse().expect("an address"));
        let like = "127.0.0.1:9".parse().expect("an address");
        let (tx, rx) = mpsc::channel();
        look_up(names.to_vec(), like, move |news| tx.send(news).is_ok()).expect("a thread");
        let first = rx.recv_timeout(LIVENESS).expect("news");
        assert!(matches!(&first, LookedUp::NotYet(e) if e.to_string().contains("no-such-host")), "{first:?}");
        let second = rx.recv_timeout(LIVENESS).expect("news");
        let expected = vec!["127.0.0.1:2".parse().expect("an address")];
        assert!(matches!(&second, LookedUp::Found(addrs) if *addrs == expected), "{second:?}");
    }
}
