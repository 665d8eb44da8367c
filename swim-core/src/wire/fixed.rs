//! Fields of fixed width, for `#[serde(with = "fixed")]`.
//!
//! postcard writes integers as varints unless told otherwise. A varint has several spellings of one
//! number and a length that depends on it; the wire has neither. Every field wider than a byte goes
//! through here, and an epoch that no node can hold is refused where it is read.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::message::Verdict;
use crate::claim::{Claim, Status};
use crate::identity::{Epoch, Incarnation, NodeId};

/// A field that always takes the same number of bytes.
pub(super) trait Fixed: Copy {
    /// Writes it.
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error>;
    /// Reads it.
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// What `#[serde(with = "fixed")]` calls to write.
pub(super) fn serialize<T: Fixed, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.put(serializer)
}

/// What `#[serde(with = "fixed")]` calls to read.
pub(super) fn deserialize<'de, T: Fixed, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::take(deserializer)
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Word32(#[serde(with = "postcard::fixint::le")] u32);

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Word64(#[serde(with = "postcard::fixint::le")] u64);

/// A [`Claim`], which itself knows nothing of the wire.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct ClaimFields {
    #[serde(with = "self")]
    epoch: Epoch,
    #[serde(with = "self")]
    incarnation: Incarnation,
    #[serde(with = "self")]
    status: Status,
}

impl Fixed for u16 {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        postcard::fixint::le::serialize(&self, serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        postcard::fixint::le::deserialize(deserializer)
    }
}

impl Fixed for u32 {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        postcard::fixint::le::serialize(&self, serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        postcard::fixint::le::deserialize(deserializer)
    }
}

impl Fixed for u64 {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        postcard::fixint::le::serialize(&self, serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        postcard::fixint::le::deserialize(deserializer)
    }
}

impl Fixed for NodeId {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.put(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::take(deserializer).map(Self)
    }
}

impl Fixed for Incarnation {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.put(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::take(deserializer).map(Self)
    }
}

impl Fixed for Epoch {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.put(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let epoch = Self(u64::take(deserializer)?);
        if epoch > Self::MAX { Err(D::Error::custom("epoch beyond 48 bits")) } else { Ok(epoch) }
    }
}

/// A byte that tells whether the number follows, then the number.
impl Fixed for Option<u64> {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map(Word64).serialize(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Word64>::deserialize(deserializer)?.map(|word| word.0))
    }
}

impl Fixed for Status {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        (self as u8).serialize(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_u8(u8::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("unknown status"))
    }
}

/// A byte that tells whether the claim follows, then epoch, incarnation and status.
impl Fixed for Option<Claim> {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        let claim =
            self.map(|Claim { epoch, incarnation, status }| ClaimFields { epoch, incarnation, status });
        claim.serialize(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let claim = Option::<ClaimFields>::deserialize(deserializer)?;
        Ok(claim.map(|ClaimFields { epoch, incarnation, status }| Claim { epoch, incarnation, status }))
    }
}

impl Fixed for [u32; 16] {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map(Word32).serialize(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(<[Word32; 16]>::deserialize(deserializer)?.map(|word| word.0))
    }
}

impl Fixed for Verdict {
    fn put<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        (self as u8).serialize(serializer)
    }
    fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Admitted),
            1 => Ok(Self::IdTaken),
            2 => Ok(Self::Refused),
            _ => Err(D::Error::custom("unknown verdict")),
        }
    }
}
