//! The member's standard output: text for people, JSON for programs, one line per event either way.
//!
//! Every line is flushed. A line that cannot be written, because the disk is full for example, is dropped and counted. The
//! first is a warning on standard error; once writing works again, a line says how many there were. A pipe without a reader
//! never works again: that is for the member to know.

use std::io::{self, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anstream::AutoStream;
use anstyle::Style;

use crate::args::word;
use crate::line::{Happening, Line, NamedEvent, Row, RowStatus, Stamped, Who, millis};
use crate::node::complain;
use crate::style::{BAD, BOLD, DIM, GOOD, NEWS, WARN, paint, printable};

pub(crate) struct Printer {
    json: bool,
    out: AutoStream<io::Stdout>,
    /// Lines dropped since the last one that was written.
    dropped: u64,
    warned: bool,
    has_reader: bool,
}

impl Printer {
    /// A printer of JSON, or of text.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, out: AutoStream::auto(io::stdout()), dropped: 0, warned: false, has_reader: true }
    }

    /// Whether what is written can still be read: `false` once a pipe's reader has gone.
    pub(crate) const fn has_reader(&self) -> bool {
        self.has_reader
    }

    pub(crate) fn event(&mut self, event: NamedEvent) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.json {
            return self.answer(&Line::Event(Stamped { event, t_ms: millis(now) }));
        }
        let Some(text) = in_words(&event) else { return };
        self.text(&format!("{} {text}", paint(DIM, clock(now))));
    }

    pub(crate) fn answer(&mut self, line: &Line) {
        let text = self.form(line);
        self.text(&text);
    }

    fn form(&self, line: &Line) -> String {
        match line {
            line if self.json => printable(
                &serde_json::to_string(line).expect("strings, numbers and lists have a form in JSON"),
            ),
            Line::Members { members } => table(members),
            Line::Stats { stats } => counters(stats),
            Line::Error { error } => format!("{} {}", paint(BAD, "error:"), printable(error)),
            Line::Help { help } => help.clone(),
            Line::Event(stamped) => in_words(&stamped.event).unwrap_or_default(),
        }
    }

    pub(crate) fn error(&mut self, error: &dyn std::error::Error) {
        self.answer(&Line::Error { error: error.to_string() });
    }

    fn text(&mut self, text: &str) {
        let lost = match self.dropped {
            0 => String::new(),
            // The line that failed may have been written in part: it gets an end of its own.
            lines => {
                let error = format!("{lines} lines could not be written here");
                format!("\n{}\n", self.form(&Line::Error { error }))
            }
        };
        match self.write(&format!("{lost}{text}\n")) {
            Ok(()) => self.dropped = 0,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.has_reader = false,
            Err(error) => {
                self.dropped += 1;
                if !std::mem::replace(&mut self.warned, true) {
                    complain("standard output fails, the member goes on without it:", &error);
                }
            }
        }
    }

    /// One write, so that lines of several writers do not mix, and a flush.
    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// An event as a person reads it: what, who, and the rest. `None`: printed already.
fn in_words(event: &NamedEvent) -> Option<String> {
    let who = &event.who;
    let (style, kind, rest) = match &event.what {
        Happening::Started { driver, profile, .. } => {
            let (driver, profile) = (word(*driver), word(*profile));
            (BOLD, "started", format!("on {driver}, profile {profile}; `help` lists the commands"))
        }
        Happening::Alive { .. } => (GOOD, "alive", String::new()),
        Happening::Suspect { by, timeout_ms, .. } => {
            (WARN, "suspect", format!("accused by {by}; {} left to refute", seconds(*timeout_ms)))
        }
        Happening::Confirmed { by, accusers } => {
            (WARN, "confirmed", format!("by {by} too: {accusers} accusers"))
        }
        Happening::Refuted { by, .. } => (GOOD, "refuted", format!("it answers; {by} had accused it")),
        Happening::Dead { by, accuser } => (BAD, "dead", format!("declared by {by}; accused by {accuser}")),
        Happening::Left { by: None } => (DIM, "left", "it said goodbye".to_owned()),
        Happening::Left { by: Some(by) } => (DIM, "left", format!("removed by {by}")),
        Happening::Updated { meta } => (NEWS, "updated", format!("\"{meta}\"")),
        Happening::Forgotten => (DIM, "forgotten", String::new()),
        Happening::Accused { by, .. } => (WARN, "accused", format!("by {by}; refuted")),
        Happening::Conflict { rival, won: true } => {
            (BAD, "conflict", format!("{rival} claims the name; kept"))
        }
        Happening::Conflict { rival, won: false } => (BAD, "conflict", format!("lost the name to {rival}")),
        Happening::WrongSource { asked, answered } => {
            (WARN, "source", format!("was asked at {asked}, answered from {answered}: is there a NAT?"))
        }
        Happening::EpochRaised { epoch } => {
            (DIM, "epoch", format!("is {epoch} from now on: for the others, this member has restarted"))
        }
        Happening::Stalled { lost_ms } => {
            (WARN, "stalled", format!("not run for {}; accuses no member for it", seconds(*lost_ms)))
        }
        Happening::StartedOver { forgotten } => {
            (WARN, "starts over", format!("forgets the {forgotten} it knew, and joins anew"))
        }
        Happening::Isolated { isolated: true } => {
            (WARN, "isolated", "no answer from any member; accuses none".to_owned())
        }
        Happening::Isolated { isolated: false } => (GOOD, "answered", "the others answer again".to_owned()),
        Happening::Joined { via, known } => {
            (GOOD, "joined", format!("through {via}; {known} members so far"))
        }
        Happening::JoinFailed { reason } => (BAD, "not joined", reason.replace('_', " ")),
        Happening::LeaveSent { datagrams } => (BOLD, "goodbye", format!("said in {datagrams} datagrams")),
        Happening::MetadataSet { .. } | Happening::AddressSet => (DIM, "changed", String::new()),
        Happening::BroadcastQueued { sequence } => {
            (DIM, "queued", format!("for all members, number {sequence}"))
        }
        Happening::Sent => (DIM, "sent", String::new()),
        Happening::Restored { used, skipped } => {
            (DIM, "restored", format!("{used} known peers, {skipped} skipped"))
        }
        Happening::Refused { .. } => return None,
        Happening::Broadcast { text } => (NEWS, "broadcast", format!("\"{text}\"")),
        Happening::BroadcastsMissed { count } => {
            (BAD, "missed", format!("{count} broadcasts; no member keeps them any longer"))
        }
        Happening::Message { text } => (NEWS, "message", format!("\"{text}\"")),
        Happening::Lost { events } => (BAD, "lost", format!("{events} events; `members` shows the present")),
        Happening::Other { what } => (DIM, "event", what.clone()),
    };
    Some(
        format!("{} {}  {}", paint(style, format_args!("{kind:<10}")), name_and_addr(who), printable(&rest))
            .trim_end()
            .to_owned(),
    )
}

fn name_and_addr(who: &Who) -> String {
    match who.addr {
        Some(addr) => format!("{} {}", printable(&who.name), paint(DIM, addr)),
        None => printable(&who.name),
    }
}

/// The time of day, UTC.
fn clock(unix: Duration) -> String {
    let (of_day, ms) = (unix.as_secs() % 86_400, unix.subsec_millis());
    format!("{:02}:{:02}:{:02}.{ms:03}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:01} s", ms / 1000, ms % 1000 / 100)
}

const fn colour(status: RowStatus) -> Style {
    match status {
        RowStatus::Alive => GOOD,
        RowStatus::Suspect => WARN,
        RowStatus::Dead => BAD,
        RowStatus::Left => DIM,
    }
}

fn table(members: &[Row]) -> String {
    let addr = |row: &Row| row.who.addr.map(|addr| addr.to_string()).unwrap_or_default();
    let name = members.iter().map(|row| printable(&row.who.name).chars().count()).max().unwrap_or(0).max(4);
    let addr_width = members.iter().map(|row| addr(row).len()).max().unwrap_or(0).max(7);
    let head = format!("{:<name$}  {:<addr_width$}  {:<8}{:>9}  meta", "name", "address", "status", "rtt");
    let mut lines = vec![paint(BOLD, head)];
    for row in members {
        let rtt =
            row.rtt_us.map_or_else(|| "-".to_owned(), |us| format!("{}.{:03} ms", us / 1000, us % 1000));
        let status = paint(colour(row.status), format_args!("{:<8}", row.status.as_str()));
        let me = if row.me { "(this one) " } else { "" };
        let line = format!(
            "{:<name$}  {:<addr_width$}  {status}{rtt:>9}  {me}{}",
            printable(&row.who.name),
            addr(row),
            printable(&row.meta)
        );
        lines.push(line.trim_end().to_owned());
    }
    let alive = members.iter().filter(|row| row.status == RowStatus::Alive).count();
    lines.push(paint(DIM, format_args!("{alive} of {} alive", members.len())));
    lines.join("\n")
}

fn counters(stats: &serde_json::Value) -> String {
    let rows = stats.as_object().into_iter().flatten();
    rows.map(|(name, value)| format!("{name:<26}{value}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str) -> Who {
        Who { name: name.to_owned(), id: "1".to_owned(), addr: None }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_line_begins_with_the_time_of_day() {
        assert_eq!(clock(Duration::from_millis(1_795_866_900_161)), "11:55:00.161Z");
    }

    #[test]
    fn a_suspicion_reads_as_a_sentence() {
        let what = Happening::Suspect { by: "node-1".to_owned(), incarnation: 0, timeout_ms: 9040 };
        let event = NamedEvent { what, who: who("node-3") };
        let text = plain(&in_words(&event).expect("worth a line"));
        assert_eq!(text, "suspect    node-3  accused by node-1; 9.0 s left to refute");
    }

    #[test]
    fn the_table_lines_up_whatever_the_names_are() {
        let row = |name: &str, status, rtt_us| Row {
            who: Who { addr: Some("127.0.0.1:7001".parse().expect("an address")), ..who(name) },
            status,
            rtt_us,
            epoch: 1,
            incarnation: 0,
            meta: String::new(),
            me: name == "a",
        };
        let rows = [row("a", RowStatus::Alive, None), row("böblingen", RowStatus::Dead, Some(1234))];
        let text = plain(&table(&rows));
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "name       address         status        rtt  meta",
                "a          127.0.0.1:7001  alive           -  (this one)",
                "böblingen  127.0.0.1:7001  dead     1.234 ms",
                "1 of 2 alive",
            ]
        );
    }
}
