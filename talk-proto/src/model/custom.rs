//! Custom data of users, conversations and messages.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::patch::{CustomPatch, Patch};
use crate::json::visit_scalars;

/// The custom data of an entity: string values by string keys. Cheap to clone.
///
/// The service stores only strings. Values of other types are skipped on deserialisation.
///
/// ```
/// use talk_proto::model::Custom;
///
/// let mut custom = Custom::from_iter([("team", "blue")]);
/// custom.insert("team", "red");
/// assert_eq!(custom.get("team"), Some("red"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Custom(
    /// `None` if empty, as for most messages, so that the type is one word wide.
    Option<Arc<BTreeMap<String, String>>>,
);

impl Custom {
    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref()?.get(key).map(String::as_str)
    }

    /// Returns an iterator over keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.0.iter().flat_map(|entries| entries.iter());
        entries.map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |entries| entries.len())
    }

    /// Returns `true` if there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets `key` to `value`.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let entries = Arc::make_mut(self.0.get_or_insert_default());
        entries.insert(key.into(), value.into());
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &str) {
        if let Some(entries) = &mut self.0 {
            let entries = Arc::make_mut(entries);
            entries.remove(key);
            if entries.is_empty() {
                self.0 = None;
            }
        }
    }

    /// Applies an update of some keys. A reset removes all keys.
    pub fn apply(&mut self, patch: Patch<CustomPatch>) {
        match patch {
            Patch::Keep => {}
            Patch::Reset => self.0 = None,
            Patch::Set(keys) => {
                for (key, value) in keys {
                    match value {
                        Some(value) => self.insert(key, value),
                        None => self.remove(&key),
                    }
                }
            }
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Custom {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut custom = Self::default();
        for (key, value) in entries {
            custom.insert(key, value);
        }
        custom
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(key, _)| key))
            .finish()
    }
}

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CustomVisitor;

        impl<'de> Visitor<'de> for CustomVisitor {
            type Value = Custom;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings, or null")
            }

            fn visit_unit<E>(self) -> Result<Custom, E> {
                Ok(Custom::default())
            }

            fn visit_none<E>(self) -> Result<Custom, E> {
                Ok(Custom::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<Custom, D::Error> {
                json.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Custom, A::Error> {
                let mut custom = Custom::default();
                while let Some(key) = map.next_key::<String>()? {
                    if let StringOrOther::String(value) = map.next_value()? {
                        custom.insert(key, value);
                    }
                }
                Ok(custom)
            }
        }

        deserializer.deserialize_option(CustomVisitor)
    }
}

/// A string, or any other JSON value, which is skipped.
enum StringOrOther {
    String(String),
    Other,
}

impl<'de> Deserialize<'de> for StringOrOther {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyVisitor;

        impl<'de> Visitor<'de> for AnyVisitor {
            type Value = StringOrOther;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_str<E>(self, text: &str) -> Result<StringOrOther, E> {
                Ok(StringOrOther::String(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<StringOrOther, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(StringOrOther::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StringOrOther, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(StringOrOther::Other)
            }

            visit_scalars!(|_: Value| StringOrOther::Other, StringOrOther);
        }

        deserializer.deserialize_any(AnyVisitor)
    }
}
