//! IDs of entities. They are cheap to clone, and constructors reject empty strings.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::json;

/// The error for an empty ID or emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} must not be empty")]
#[non_exhaustive]
pub struct EmptyId {
    /// The kind of ID: `user ID`, `emoji`…
    pub what: &'static str,
}

/// Allows an ID where `TryInto<Id>` is expected.
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
            /// Creates an ID from a non-empty string.
            ///
            /// ```
            /// use talk_proto::model::UserId;
            ///
            /// assert_eq!(UserId::new("alice").map(|id| id.to_string()).as_deref(), Ok("alice"));
            /// assert!(UserId::new("").is_err());
            /// ```
            ///
            /// # Errors
            /// [`EmptyId`] if the string is empty.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, EmptyId> {
                let text = text.into();
                if text.is_empty() {
                    return Err(EmptyId { what: $what });
                }
                Ok(Self(text))
            }

            /// Returns the ID as a string.
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

        id!(@compare $name: str, &str, String);

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

        impl std::str::FromStr for $name {
            type Err = EmptyId;

            fn from_str(text: &str) -> Result<Self, EmptyId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl From<$name> for Arc<str> {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<&$name> for Arc<str> {
            fn from(id: &$name) -> Self {
                Self::clone(&id.0)
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
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
    (@compare $name:ident: $($text:ty),*) => {
        $(
            impl PartialEq<$text> for $name {
                fn eq(&self, other: &$text) -> bool {
                    let other: &str = other.as_ref();
                    self.as_str() == other
                }
            }

            impl PartialEq<$name> for $text {
                fn eq(&self, other: &$name) -> bool {
                    other == self
                }
            }
        )*
    };
}

id!(
    /// The ID of an application, as shown in the dashboard.
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
    /// A Unicode emoji, or the name of a custom emoji between colons (`:party_cat:`).
    ///
    /// The server validates the emoji when it is used.
    Emoji,
    "emoji"
);
id!(
    /// The ID of an outbox entry, which is also its idempotency key.
    EntryId,
    "entry ID"
);
