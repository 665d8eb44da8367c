//! How people write what a scenario needs, in files, for serde's `with`, and on the command line: durations as
//! `"1.5s"`, addresses as `"192.0.2.1:7946"`, or `"#3"` for the address where host #3 listens at first.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};
use swim_core::Instant;

use crate::host_id::HostId;

/// A value that is written as text.
pub(crate) trait Text: Sized {
    /// What a text of it is, with an example.
    const KIND: &'static str;
    /// Reads it. `None`: the text is something else.
    fn parse(text: &str) -> Option<Self>;
    /// Writes it so that [`Text::parse`] reads the same value.
    fn print(&self) -> String;
}

/// Reads a value, or says what was expected.
pub(crate) fn read<T: Text>(text: &str) -> Result<T, String> {
    T::parse(text).ok_or_else(|| format!("{text:?}: expected {}", T::KIND))
}

/// Units by name, in nanoseconds, the largest first.
const UNITS: [(&str, u64); 7] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// A number with at most nine decimals and one unit of `ns`, `us` (or `µs`), `ms`, `s`, `m` and `h`; written in the
/// largest unit that keeps it whole. At most 584 years.
impl Text for Duration {
    const KIND: &'static str = "a duration such as 1.5s or 200ms";

    fn parse(text: &str) -> Option<Self> {
        nanos(text.trim()).map(Self::from_nanos)
    }

    fn print(&self) -> String {
        let nanos = u64::try_from(self.as_nanos()).unwrap_or(u64::MAX);
        let fits = |(name, scale): &&(&str, u64)| *name != "µs" && nanos.is_multiple_of(*scale) && nanos > 0;
        let whole = UNITS.iter().find(fits);
        whole.map_or_else(|| "0s".to_owned(), |(name, scale)| format!("{}{name}", nanos / scale))
    }
}

fn nanos(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.len() > 9 || decimals.contains('.') {
        return None;
    }
    let parts = u128::from(decimals.parse::<u64>().ok()?) * u128::from(*scale);
    let parts = u64::try_from(parts / 10_u128.pow(u32::try_from(decimals.len()).ok()?)).ok()?;
    whole.parse::<u64>().ok()?.checked_mul(*scale)?.checked_add(parts)
}

impl Text for SocketAddr {
    const KIND: &'static str = "an address such as 192.0.2.1:7946, or #3 for where that host is born";

    fn parse(text: &str) -> Option<Self> {
        if text.starts_with('#') {
            let host: HostId = text.parse().ok()?;
            return (host.0 <= 0xff_fffe).then(|| host.birthplace());
        }
        text.parse().ok()
    }

    fn print(&self) -> String {
        HostId::born_at(*self).map_or_else(|| self.to_string(), |host| host.to_string())
    }
}

/// `1,234,567`
#[must_use]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `2.6 s`, or `42 ms` if it is shorter than a second.
#[must_use]
pub fn time(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        return format!("{} ms", time.as_millis());
    }
    let tenths = u64::try_from(time.as_millis() / 100).unwrap_or(u64::MAX);
    format!("{}.{} s", number(tenths / 10), tenths % 10)
}

/// A moment, to the millisecond: there it matters.
#[must_use]
pub fn moment(at: Instant) -> String {
    let millis = at.as_nanos() / 1_000_000;
    format!("{}.{:03} s", number(millis / 1000), millis % 1000)
}

pub(crate) fn serialize<T: Text, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.print())
}

pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    read(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

/// The same for a value that may be missing.
pub(crate) mod option {
    use super::{Deserializer, Serializer, Text};

    pub(crate) fn serialize<T: Text, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        super::deserialize(from).map(Some)
    }
}

/// The same for several values.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Serializer, Text};

    pub(crate) fn serialize<T: Text, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(T::print))
    }

    pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| super::read(text).map_err(serde::de::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let read = |text| Duration::parse(text).map(|duration| duration.as_micros());
        assert_eq!(read("1.5s"), Some(1_500_000));
        assert_eq!(read("0.25ms"), Some(250));
        assert_eq!(read("200us").and(read("200µs")), Some(200));
        assert_eq!(read("2m"), Some(120_000_000));
        assert_eq!(read("1 h"), Some(3_600_000_000));
        for text in ["", "1", "s", "1.s", ".5s", "1.2.3s", "-1s", "1 day", "1s1", "600000h00", "1e3s"] {
            assert!(Duration::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for nanos in [0, 1, 999, 1_000, 1_500_000, 1_500_000_000, 90_000_000_000, 7_200_000_000_000, u64::MAX]
        {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(Duration::parse(&duration.print()), Some(duration));
        }
    }

    #[test]
    fn numbers_and_times_are_shown_as_people_write_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        let shown = |nanos| time(Duration::from_nanos(nanos));
        assert_eq!(shown(0), "0 ms");
        assert_eq!(shown(2_577_123_456), "2.5 s");
        assert_eq!(shown(3_600_000_000_000), "3,600.0 s");
        assert_eq!(moment(Instant::from_nanos(1_234_567_890_123)), "1,234.567 s");
    }
}
