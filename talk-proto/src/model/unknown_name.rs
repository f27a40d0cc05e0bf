//! Enum values unknown to this version.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A value unknown to this version, stored unchanged.
///
/// One word wide, because every message reserves space for two and most use none.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UnknownName(Arc<String>);

impl UnknownName {
    /// Returns the original value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for UnknownName {
    fn from(name: &str) -> Self {
        Self(Arc::new(name.to_owned()))
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
