//! Tolerant reading of JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer};
use serde_json::Value;
use talk_proto::replace_lone_surrogates;

/// Parses a body. Invalid UTF-8 and unpaired surrogates become U+FFFD. The error contains the place
/// and no values.
pub(crate) fn parse(body: &[u8]) -> Result<Value, String> {
    let text = match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(body),
    };
    serde_json::from_str(&replace_lone_surrogates(&text)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("it is not JSON (line {line}, column {column})")
    })
}

/// Reads a value, with `null` as its default.
pub(crate) fn null_default<'de, D, T>(json: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(json).map(Option::unwrap_or_default)
}

/// Reads a map, with `null` and a list as the empty map: some servers write an empty map as `[]`.
pub(crate) fn map<'de, D, K, V>(json: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    match Value::deserialize(json)? {
        Value::Null | Value::Array(_) => Ok(BTreeMap::new()),
        value => BTreeMap::deserialize(value).map_err(serde::de::Error::custom),
    }
}

/// The unknown members of a type, with `#[serde(flatten, with = "unknown")]`.
pub(crate) mod unknown {
    use serde::ser::Serializer;
    use serde::{Deserialize, Deserializer};
    use serde_json::{Map, Value};
    use talk_proto::content::UnknownFields;

    pub(crate) fn serialize<S: Serializer>(
        fields: &UnknownFields,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(fields.iter())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        json: D,
    ) -> Result<UnknownFields, D::Error> {
        Map::<String, Value>::deserialize(json).map(UnknownFields::from)
    }
}
