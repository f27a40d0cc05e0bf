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
    Option<Arc<Vec<Entry>>>,
);

/// A key and its value. They are sorted by key in a vector, because a map allocates space for
/// several entries, and most entities have few.
type Entry = (Box<str>, Box<str>);

impl Custom {
    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.entries().get(self.find(key).ok()?)?;
        Some(value)
    }

    /// Returns an iterator over keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries().iter().map(|(k, v)| (&**k, &**v))
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Returns `true` if there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets `key` to `value`.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into().into_boxed_str(), value.into().into_boxed_str());
        let found = self.find(&key);
        let entries = Arc::make_mut(self.0.get_or_insert_default());
        match found {
            Ok(at) => entries[at].1 = value,
            Err(at) => entries.insert(at, (key, value)),
        }
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &str) {
        let found = self.find(key);
        if let (Ok(at), Some(entries)) = (found, &mut self.0) {
            let entries = Arc::make_mut(entries);
            entries.remove(at);
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
                // Not key by key, which takes quadratic time.
                let mut entries: BTreeMap<_, _> = self.entries().iter().cloned().collect();
                for (key, value) in keys {
                    let key = key.into_boxed_str();
                    match value {
                        Some(value) => entries.insert(key, value.into()),
                        None => entries.remove(&key),
                    };
                }
                *self = Self::from_sorted(entries.into_iter().collect());
            }
        }
    }

    fn entries(&self) -> &[Entry] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Returns the index of a key, or the index at which it would be.
    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries()
            .binary_search_by(|(other, _)| (**other).cmp(key))
    }

    /// Creates custom data from entries in any order. Of equal keys, the last one counts.
    fn from_entries(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|later, kept| {
            let is_equal = later.0 == kept.0;
            if is_equal {
                std::mem::swap(later, kept);
            }
            is_equal
        });
        Self::from_sorted(entries)
    }

    fn from_sorted(mut entries: Vec<Entry>) -> Self {
        entries.shrink_to_fit();
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Custom {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let entries = entries
            .map(|(key, value)| (key.into().into_boxed_str(), value.into().into_boxed_str()));
        Self::from_entries(entries.collect())
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
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if let StringOrOther::String(value) = map.next_value()? {
                        entries.push((key.into_boxed_str(), value.into_boxed_str()));
                    }
                }
                Ok(Custom::from_entries(entries))
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
