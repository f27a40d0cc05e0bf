//! Text that must not be seen.

use std::fmt;
use std::sync::Arc;

/// A token or signature. Debug shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Hides `text`.
    ///
    /// ```
    /// let token = talk_proto::Secret::new("a JWT");
    /// assert_eq!(format!("{token:?}"), "Secret(…)");
    /// ```
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself. Mind where it goes.
    ///
    /// ```
    /// assert_eq!(talk_proto::Secret::new("a JWT").expose(), "a JWT");
    /// ```
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
