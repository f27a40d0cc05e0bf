//! Names of things: cheap to clone, never empty when a caller makes them.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::json;

/// An ID or emoji was given as an empty string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} must not be empty")]
#[non_exhaustive]
pub struct EmptyId {
    /// What was named, in words: `user ID`, `emoji`…
    pub what: &'static str,
}

/// So that an ID itself can stand wherever something that becomes one is asked for.
impl From<Infallible> for EmptyId {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes any text but the empty one.
            ///
            /// ```
            /// use talk_proto::UserId;
            ///
            /// assert_eq!(UserId::new("alice").map(|id| id.to_string()).as_deref(), Ok("alice"));
            /// assert!(UserId::new("").is_err());
            /// ```
            ///
            /// # Errors
            /// [`EmptyId`] when the text is empty.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, EmptyId> {
                let text = text.into();
                if text.is_empty() {
                    return Err(EmptyId { what: $what });
                }
                Ok(Self(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                json::text(deserializer).map(Self)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl TryFrom<&str> for $name {
            type Error = EmptyId;

            fn try_from(text: &str) -> Result<Self, EmptyId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = EmptyId;

            fn try_from(text: String) -> Result<Self, EmptyId> {
                Self::new(text)
            }
        }

        impl TryFrom<&String> for $name {
            type Error = EmptyId;

            fn try_from(text: &String) -> Result<Self, EmptyId> {
                Self::new(text.as_str())
            }
        }

        impl TryFrom<&$name> for $name {
            type Error = EmptyId;

            fn try_from(id: &$name) -> Result<Self, EmptyId> {
                Ok(id.clone())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

id!(
    /// The ID of an application, as the dashboard shows it.
    AppId,
    "app ID"
);
id!(
    /// The ID of a user, chosen by the application.
    UserId,
    "user ID"
);
id!(
    /// The ID of a conversation, chosen by the application.
    ConversationId,
    "conversation ID"
);
id!(
    /// The ID of a message, chosen by the server (`msg_…`).
    MessageId,
    "message ID"
);
id!(
    /// One Unicode emoji, or the name of a custom one between colons (`:party_cat:`).
    ///
    /// Whether it is an emoji at all is the server's to say, when it is used.
    Emoji,
    "emoji"
);
