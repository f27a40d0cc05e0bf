//! Times on the wire: unix milliseconds, read from any JSON number.

use serde::de::{Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;

/// A time in a snapshot: unix milliseconds.
///
/// Serialises as a JSON integer; a fraction in what the server sends is cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MillisVisitor;

        impl Visitor<'_> for MillisVisitor {
            type Value = Millis;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of milliseconds")
            }

            fn visit_i64<E>(self, value: i64) -> Result<Millis, E> {
                Ok(Millis(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Millis, E> {
                let out_of_range = || E::invalid_value(Unexpected::Unsigned(value), &self);
                i64::try_from(value).map(Millis).map_err(|_| out_of_range())
            }

            fn visit_f64<E>(self, value: f64) -> Result<Millis, E> {
                #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
                Ok(Millis(value as i64))
            }
        }

        deserializer.deserialize_i64(MillisVisitor)
    }
}
