//! Names that this version does not know.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A value that this version does not know, kept as it came.
///
/// One word wide, for nearly every message has room for two and uses none.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UnknownName(Arc<String>);

impl UnknownName {
    /// The value as it came.
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
