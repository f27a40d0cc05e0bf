//! Shared visitor methods for JSON that is stored without interpretation.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, MapAccess, SeqAccess};
use serde_json::Value;

pub(super) fn object<'de, A: MapAccess<'de>>(map: A) -> Result<Value, A::Error> {
    Value::deserialize(MapAccessDeserializer::new(map))
}

pub(super) fn array<'de, A: SeqAccess<'de>>(seq: A) -> Result<Value, A::Error> {
    Value::deserialize(SeqAccessDeserializer::new(seq))
}

/// The visitor methods for null, booleans and numbers.
macro_rules! scalars {
    ($keep:expr, $out:ty) => {
        fn visit_bool<E: Error>(self, value: bool) -> Result<$out, E> {
            Ok($keep(value.into()))
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<$out, E> {
            Ok($keep(value.into()))
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<$out, E> {
            Ok($keep(value.into()))
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<$out, E> {
            Ok($keep(value.into()))
        }

        fn visit_unit<E: Error>(self) -> Result<$out, E> {
            Ok($keep(serde_json::Value::Null))
        }
    };
}
pub(super) use scalars;
