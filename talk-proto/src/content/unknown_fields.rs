//! JSON that is kept without being understood.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde_json::{Map, Value};

/// Members of a block or node that this version does not know, kept so that they are passed on
/// unchanged. Empty for everything the protocol knows today, and then free.
#[derive(Clone, Default, PartialEq)]
pub struct UnknownFields(Option<Arc<Map<String, Value>>>);

impl UnknownFields {
    /// The members, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .flat_map(|map| map.iter())
            .map(|(name, value)| (name.as_str(), value))
    }

    /// One member, or `None`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Whether there is no such member.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.iter()
            .try_for_each(|(name, value)| map.serialize_entry(name, value))
    }
}

impl From<Map<String, Value>> for UnknownFields {
    fn from(members: Map<String, Value>) -> Self {
        Self((!members.is_empty()).then(|| Arc::new(members)))
    }
}

/// Shows the names only: values may be message text.
impl fmt::Debug for UnknownFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// A block or node of a type that this version does not know, exactly as it came.
#[derive(Clone, PartialEq)]
pub struct RawJson(Arc<Value>);

impl RawJson {
    /// Its `type`, when it is an object that has one.
    pub fn kind(&self) -> Option<&str> {
        self.0.get("type")?.as_str()
    }

    /// The JSON itself.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

impl serde::Serialize for RawJson {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Shows the type only: the rest may be message text.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawJson").field(&self.kind()).finish()
    }
}
