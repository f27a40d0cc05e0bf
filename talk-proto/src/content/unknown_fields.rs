//! JSON that is stored without interpretation.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde_json::{Map, Value};

/// Unknown members of a block or node, stored so that they are passed on unchanged. Usually empty,
/// and then without an allocation.
#[derive(Clone, Default, PartialEq)]
pub struct UnknownFields(Option<Arc<Map<String, Value>>>);

impl UnknownFields {
    /// Returns an iterator over the members, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .flat_map(|map| map.iter())
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the member `name`, or `None` if it is absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Returns `true` if there are no unknown members.
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

/// Shows only the names, because values may contain message text.
impl fmt::Debug for UnknownFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// A block or node of an unknown type, stored unchanged.
#[derive(Clone, PartialEq)]
pub struct RawJson(Arc<Value>);

impl RawJson {
    /// Returns the `type`, if the JSON is an object that has one.
    pub fn kind(&self) -> Option<&str> {
        self.0.get("type")?.as_str()
    }

    /// Returns the JSON.
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

/// Shows only the type, because the other members may contain message text.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawJson").field(&self.kind()).finish()
    }
}
