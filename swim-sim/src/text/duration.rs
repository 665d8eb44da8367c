//! Durations as text: `"250ms"`, `"1.5s"`, `"2m"`. A number with at most nine decimals and one unit of
//! `ns`, `us` (or `µs`), `ms`, `s`, `m` and `h`; written back in the largest unit that keeps it whole.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

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

/// Reads a duration.
///
/// # Errors
/// If it is not one, or is longer than 584 years.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    nanos(text.trim()).map(Duration::from_nanos).ok_or_else(|| {
        format!("{text:?} is no duration: a number and one of ns, us, ms, s, m and h, like \"1.5s\"")
    })
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

/// Writes a duration so that [`parse`] reads the same one.
pub(crate) fn print(duration: Duration) -> String {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let whole = UNITS.iter().find(|(name, scale)| *name != "µs" && nanos.is_multiple_of(*scale) && nanos > 0);
    whole.map_or_else(|| "0s".to_owned(), |(name, scale)| format!("{}{name}", nanos / scale))
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print(*duration))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// The same for one that may be missing.
pub(crate) mod optional {
    use super::{Deserializer, Duration, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, to),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        super::deserialize(from).map(Some)
    }
}

/// The same for several.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(crate) fn serialize<S: Serializer>(durations: &[Duration], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(durations.iter().copied().map(super::print))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Duration>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| super::parse(text).map_err(serde::de::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let read = |text| parse(text).map(|duration| duration.as_micros());
        assert_eq!(read("1.5s"), Ok(1_500_000));
        assert_eq!(read("0.25ms"), Ok(250));
        assert_eq!(read("200us").and(read("200µs")), Ok(200));
        assert_eq!(read("2m"), Ok(120_000_000));
        assert_eq!(read("1 h"), Ok(3_600_000_000));
        for text in ["", "1", "s", "1.s", ".5s", "1.2.3s", "-1s", "1 day", "1s1", "600000h00", "1e3s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for nanos in [0, 1, 999, 1_000, 1_500_000, 1_500_000_000, 90_000_000_000, 7_200_000_000_000, u64::MAX]
        {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse(&print(duration)), Ok(duration));
        }
    }
}
