//! Parameters of messages.

use serde::Serialize;
use talk_proto::Timestamp;
use talk_proto::content::ContentBlock;
use talk_proto::model::{Custom, CustomPatch, MessageId, MessageType, Patch, UserId};
use talk_proto::upload::FileToken;

use super::custom::params;

/// The members that new and imported messages share.
#[derive(Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Draft {
    #[serde(rename = "type")]
    message_type: MessageType,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<[ContentBlock; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_token: Option<FileToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Custom::is_empty")]
    custom: Custom,
}

/// A message to send.
///
/// The `text` of a message is markup: `*bold*`, `_italic_`, links, and the forms that only the REST
/// API has, such as `<https://example.com|a link>` and `<actionbutton:pay?id=1|Pay>`.
///
/// ```
/// use talk_rest::NewMessage;
///
/// let question = NewMessage::user("alice".try_into()?, "Is it *still* available?");
/// let notice = NewMessage::system("Payment received").custom("orderId", "1");
/// # Ok::<(), talk_rest::EmptyId>(())
/// ```
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct NewMessage {
    #[serde(flatten)]
    draft: Draft,
    #[serde(skip_serializing_if = "Option::is_none")]
    referenced_message_id: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

params!(NewMessage);

/// A message to import, with its time.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct ImportedMessage {
    #[serde(flatten)]
    draft: Draft,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    read_by: Vec<UserId>,
}

params!(ImportedMessage);

impl Draft {
    fn of(sender: Option<UserId>) -> Self {
        let message_type = match sender {
            Some(_) => MessageType::UserMessage,
            None => MessageType::SystemMessage,
        };
        Self {
            message_type,
            sender,
            ..Self::default()
        }
    }
}

/// The constructors and methods of both kinds. The constructors of one kind take further arguments
/// after the content.
macro_rules! drafts {
    ($name:ident { $($extra:ident: $type:ty,)* }) => {
        impl $name {
            /// Creates a message of a user from text with markup.
            pub fn user(sender: UserId, text: impl Into<String> $(, $extra: $type)*) -> Self {
                let mut message = Self::of(Some(sender) $(, $extra)*);
                message.draft.text = Some(text.into());
                message
            }

            /// Creates a message of the application from text with markup. It has no sender and
            /// causes no notifications.
            pub fn system(text: impl Into<String> $(, $extra: $type)*) -> Self {
                let mut message = Self::of(None $(, $extra)*);
                message.draft.text = Some(text.into());
                message
            }

            /// Creates a message of a user, or of the application without a sender, from a block of
            /// content.
            pub fn content(
                sender: Option<UserId>,
                content: impl Into<ContentBlock>
                $(, $extra: $type)*
            ) -> Self {
                let mut message = Self::of(sender $(, $extra)*);
                message.draft.content = Some([content.into()]);
                message
            }

            /// Creates the location of a user from latitude and longitude in degrees (our choice:
            /// the documentation of the service describes only how locations are read).
            pub fn location(
                sender: UserId,
                latitude: f64,
                longitude: f64
                $(, $extra: $type)*
            ) -> Self {
                let mut message = Self::of(Some(sender) $(, $extra)*);
                message.draft.location = Some((latitude, longitude));
                message
            }

            /// Adds an uploaded file after the text. For a file alone, use
            /// [`content`](Self::content).
            pub fn attachment(mut self, token: FileToken) -> Self {
                self.draft.attachment_token = Some(token);
                self
            }

            /// Sets a key of the custom data.
            pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                self.draft.custom.insert(key, value);
                self
            }
        }
    };
}

drafts!(NewMessage {});
drafts!(ImportedMessage {
    created_at: Timestamp,
});

impl NewMessage {
    fn of(sender: Option<UserId>) -> Self {
        Self {
            draft: Draft::of(sender),
            referenced_message_id: None,
            idempotency_key: None,
        }
    }

    /// Sets the message that this one replies to: a message of a user in the same conversation.
    pub fn replying_to(mut self, message: MessageId) -> Self {
        self.referenced_message_id = Some(message);
        self
    }

    /// Sets the key by which the service recognises a repetition. Without one,
    /// [`Call::fill_keys`](crate::Call::fill_keys) sets a new key.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl ImportedMessage {
    fn of(sender: Option<UserId>, created_at: Timestamp) -> Self {
        Self {
            draft: Draft::of(sender),
            created_at,
            read_by: Vec::new(),
        }
    }

    /// Sets the users that have read the message.
    pub fn read_by(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.read_by = users.into_iter().collect();
        self
    }
}

/// Changes of a message. Absent members are not changed.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct EditMessage {
    /// The new text with markup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The new content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<[ContentBlock; 1]>,
    /// The custom data. Other keys stay (our choice).
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
}

params!(EditMessage custom);

impl EditMessage {
    /// Replaces the content by text with markup.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// Replaces the content by a block.
    pub fn content(content: impl Into<ContentBlock>) -> Self {
        Self {
            content: Some([content.into()]),
            ..Self::default()
        }
    }
}
