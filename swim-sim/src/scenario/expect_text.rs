//! How an expectation is said when it did not come true.

use std::fmt;
use std::time::Duration;

use super::expect::{Sent, Told};
use crate::host::HostId;
use crate::text::duration::print;

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)?;
        hosts(f, " of ", &self.of)?;
        hosts(f, " by ", &self.by)?;
        hosts(f, " at ", &self.at)?;
        counted(f, (self.from, self.until), (self.at_least, self.at_most))
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{kind:?}")?,
            None => f.write_str("datagrams")?,
        }
        hosts(f, " by ", &self.by)?;
        if let Some(to) = self.to {
            write!(f, " to {to}")?;
        }
        counted(f, (self.from, self.until), (self.at_least, self.at_most))
    }
}

fn hosts(f: &mut fmt::Formatter<'_>, word: &str, hosts: &[HostId]) -> fmt::Result {
    if hosts.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    write!(f, "{word}{}", names.join(", "))
}

fn counted(
    f: &mut fmt::Formatter<'_>,
    (from, until): (Duration, Option<Duration>),
    (least, most): (Option<u64>, Option<u64>),
) -> fmt::Result {
    if !from.is_zero() {
        write!(f, " from {}", print(from))?;
    }
    if let Some(until) = until {
        write!(f, " until {}", print(until))?;
    }
    match (least, most) {
        (Some(least), Some(most)) => write!(f, ": {least} to {most}"),
        (Some(least), None) => write!(f, ": at least {least}"),
        (None, Some(most)) => write!(f, ": at most {most}"),
        (None, None) => Ok(()),
    }
}
