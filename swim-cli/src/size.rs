//! Sizes as people write them: a number, and a unit.

use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Size(pub(crate) u64);

#[derive(thiserror::Error, Debug)]
#[error("`{0}` is no size: write a number of bytes, KiB, MiB or GiB, for example 64MiB")]
pub(crate) struct SizeError(String);

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor = match unit {
            "" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        let bytes = number.parse::<u64>().ok().zip(factor).and_then(|(number, by)| number.checked_mul(by));
        bytes.map(Self).ok_or_else(|| SizeError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        let size = |text: &str| text.parse::<Size>().map(|size| size.0).ok();
        assert_eq!(
            [size("7"), size("2KiB"), size("64MiB"), size("1GiB")],
            [Some(7), Some(2048), Some(64 << 20), Some(1 << 30)]
        );
        for text in ["", "MiB", "-1", "1MB", "1 MiB", "99999999999GiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
