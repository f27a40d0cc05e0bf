//! Calls of an application and their replies.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::content::ContentBlock;
use crate::model::{
    ConversationId, ConversationParams, ConversationSnapshot, CustomPatch, Emoji, MessageId,
    MessageSnapshot, ParticipantParams, ParticipantSnapshot, Patch, ReactionSnapshot, User, UserId,
    UserParams,
};
use crate::search::results::SearchResults;
use crate::upload::file::FileToken;

mod json;

/// The ID of an accepted command that is resolved later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// The ID of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub(crate) u64);

/// A command that is resolved exactly once.
///
/// Passed to [`Session::call`](crate::Session::call); each variant names the [`Reply`] that it
/// produces.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the members are those of the variant's sentence"
)]
pub enum Call {
    /// Returns the user, or `None` if they do not exist. [`Reply::User`].
    GetUser { user: UserId },
    /// Creates the user. An existing user is not changed. [`Reply::Done`].
    CreateUser { user: UserId, params: UserParams },
    /// Creates or changes the user. [`Reply::Done`].
    SetUser { user: UserId, params: UserParams },
    /// Returns the conversation, or `None` if the current user is not a participant.
    /// [`Reply::Conversation`].
    GetConversation { conversation: ConversationId },
    /// Creates and joins the conversation. An existing conversation is not changed.
    /// [`Reply::Done`].
    CreateConversation {
        conversation: ConversationId,
        params: ConversationParams,
    },
    /// Creates or changes the conversation and joins it. [`Reply::Done`].
    SetConversation {
        conversation: ConversationId,
        params: ConversationParams,
    },
    /// Marks the conversation as read. [`Reply::Done`].
    MarkAsRead { conversation: ConversationId },
    /// Marks the conversation as unread. [`Reply::Done`].
    MarkAsUnread { conversation: ConversationId },
    /// Shows the current user as typing for 10 s. [`Reply::Done`].
    MarkAsTyping { conversation: ConversationId },
    /// Sends a message. [`Reply::Sent`].
    SendMessage {
        conversation: ConversationId,
        message: SendMessage,
    },
    /// Returns the participant, or `None` if the user does not participate. [`Reply::Participant`].
    GetParticipant {
        conversation: ConversationId,
        user: UserId,
    },
    /// Adds the user. An existing participant is not changed. [`Reply::Done`].
    CreateParticipant {
        conversation: ConversationId,
        user: UserId,
        params: ParticipantParams,
    },
    /// Adds the user, or changes their participation. [`Reply::Done`].
    SetParticipant {
        conversation: ConversationId,
        user: UserId,
        params: ParticipantParams,
    },
    /// Changes the user's participation. [`Reply::Done`].
    EditParticipant {
        conversation: ConversationId,
        user: UserId,
        params: ParticipantParams,
    },
    /// Removes the user from the conversation. Succeeds if the user does not participate.
    /// [`Reply::Done`].
    DeleteParticipant {
        conversation: ConversationId,
        user: UserId,
    },
    /// Returns the message, or `None` if it does not exist or is not visible. [`Reply::Message`].
    GetMessage {
        conversation: ConversationId,
        message: MessageId,
    },
    /// Changes the message. [`Reply::Done`].
    EditMessage {
        conversation: ConversationId,
        message: MessageId,
        edit: EditMessage,
    },
    /// Deletes the message. Succeeds if it does not exist. [`Reply::Done`].
    DeleteMessage {
        conversation: ConversationId,
        message: MessageId,
    },
    /// Translates the message into the language, an ISO 639-1 code. [`Reply::Translation`].
    TranslateMessage {
        conversation: ConversationId,
        message: MessageId,
        language: String,
    },
    /// Adds the current user's reaction. [`Reply::Done`].
    AddReaction {
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    },
    /// Removes the current user's reaction. [`Reply::Done`].
    RemoveReaction {
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    },
    /// Returns the first ten reactions with the emoji. [`Reply::Reactions`].
    GetFirstReactions {
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    },
}

impl Call {
    /// Returns the name of the call, such as `send_message`, for logs and metrics.
    ///
    /// ```
    /// use talk_proto::Call;
    ///
    /// let call = Call::MarkAsRead { conversation: "lobby".try_into()? };
    /// assert_eq!(call.kind(), "mark_as_read");
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GetUser { .. } => "get_user",
            Self::CreateUser { .. } => "create_user",
            Self::SetUser { .. } => "set_user",
            Self::GetConversation { .. } => "get_conversation",
            Self::CreateConversation { .. } => "create_conversation",
            Self::SetConversation { .. } => "set_conversation",
            Self::MarkAsRead { .. } => "mark_as_read",
            Self::MarkAsUnread { .. } => "mark_as_unread",
            Self::MarkAsTyping { .. } => "mark_as_typing",
            Self::SendMessage { .. } => "send_message",
            Self::GetParticipant { .. } => "get_participant",
            Self::CreateParticipant { .. } => "create_participant",
            Self::SetParticipant { .. } => "set_participant",
            Self::EditParticipant { .. } => "edit_participant",
            Self::DeleteParticipant { .. } => "delete_participant",
            Self::GetMessage { .. } => "get_message",
            Self::EditMessage { .. } => "edit_message",
            Self::DeleteMessage { .. } => "delete_message",
            Self::TranslateMessage { .. } => "translate_message",
            Self::AddReaction { .. } => "add_reaction",
            Self::RemoveReaction { .. } => "remove_reaction",
            Self::GetFirstReactions { .. } => "get_first_reactions",
        }
    }
}

/// The result of a successful call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// The call succeeded and has no result.
    Done,
    /// A user, if they exist.
    User(Option<Arc<User>>),
    /// A conversation, if the current user is a participant.
    Conversation(Option<Arc<ConversationSnapshot>>),
    /// A participant, if the user is one.
    Participant(Option<Arc<ParticipantSnapshot>>),
    /// A message, if it exists and is visible.
    Message(Option<Arc<MessageSnapshot>>),
    /// The ID of the sent message.
    Sent(MessageId),
    /// The reactions, oldest first; `None` if the message does not exist or is not visible.
    Reactions(Option<Vec<Arc<ReactionSnapshot>>>),
    /// A translation, if the message exists.
    Translation(Option<Translation>),
    /// The results of a search.
    Searched {
        /// The results so far.
        results: SearchResults,
        /// Set if there are no more results.
        loaded_all: bool,
    },
    /// An uploaded file.
    Uploaded {
        /// The token to send in a message.
        file_token: FileToken,
    },
}

/// A message to send, as marked-up text or as blocks.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct SendMessage {
    /// The content.
    pub body: MessageBody,
    /// The custom data. Keys without a value are ignored.
    pub custom: Patch<CustomPatch>,
    /// The message to reply to.
    pub referenced_message: Option<MessageId>,
}

/// The content of a message.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum MessageBody {
    /// Text in the markup of the service: `*bold*`, `_italic_`, `~strike~`, code, lists and links.
    Text(String),
    /// Blocks. The service currently accepts exactly one.
    Content(Vec<ContentBlock>),
}

/// Changes to a message. At least one field should be set.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct EditMessage {
    /// The new content, which replaces the old one.
    pub body: Option<MessageBody>,
    /// Changes to single keys of the custom data.
    pub custom: Patch<CustomPatch>,
}

/// A translated message.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Translation {
    /// The translated content.
    pub content: Arc<[ContentBlock]>,
    /// The translated content without formatting.
    pub plaintext: String,
}

impl SendMessage {
    /// Creates a message from marked-up text.
    ///
    /// ```
    /// use talk_proto::command::SendMessage;
    ///
    /// let message = SendMessage::text("Hello, *world*!");
    /// ```
    pub fn text(text: impl Into<String>) -> Self {
        Self::from(MessageBody::Text(text.into()))
    }

    /// Creates a message from blocks.
    ///
    /// ```
    /// use talk_proto::{command::SendMessage, content::ContentBlock};
    ///
    /// let message = SendMessage::content([ContentBlock::location(52.37, 4.9)]);
    /// ```
    pub fn content(blocks: impl Into<Vec<ContentBlock>>) -> Self {
        Self::from(MessageBody::Content(blocks.into()))
    }

    /// Creates a message of one uploaded file.
    ///
    /// ```
    /// use talk_proto::{command::SendMessage, upload::FileToken};
    ///
    /// let message = SendMessage::file(FileToken::from("ft_1"));
    /// assert_eq!(message, SendMessage::file("ft_1"));
    /// ```
    pub fn file(token: impl Into<FileToken>) -> Self {
        Self::content([ContentBlock::from(token.into())])
    }

    /// Sets one key of the custom data.
    ///
    /// ```
    /// use talk_proto::command::SendMessage;
    ///
    /// let message = SendMessage::text("Hello").custom("mood", "good");
    /// ```
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.custom.set_key(key.into(), value.into());
        self
    }

    /// Makes the message a reply to another one of the same conversation: an ID, a borrowed ID, or
    /// a ref of talk-client. System messages cannot be replied to.
    ///
    /// ```
    /// use talk_proto::{command::SendMessage, model::MessageId};
    ///
    /// let question = MessageId::new("msg_4x7b2")?;
    /// let answer = SendMessage::text("Yes").reply_to(&question);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reply_to(mut self, message: impl Into<MessageId>) -> Self {
        self.referenced_message = Some(message.into());
        self
    }
}

/// Implements the conversions from texts.
macro_rules! from_text {
    ($message:ty) => {
        impl From<&str> for $message {
            fn from(text: &str) -> Self {
                Self::text(text)
            }
        }

        impl From<String> for $message {
            fn from(text: String) -> Self {
                Self::text(text)
            }
        }

        impl From<&String> for $message {
            fn from(text: &String) -> Self {
                Self::text(text)
            }
        }

        impl From<Cow<'_, str>> for $message {
            fn from(text: Cow<'_, str>) -> Self {
                Self::text(text)
            }
        }
    };
}

impl From<MessageBody> for SendMessage {
    fn from(body: MessageBody) -> Self {
        Self {
            body,
            custom: Patch::Keep,
            referenced_message: None,
        }
    }
}

from_text!(SendMessage);

impl From<FileToken> for SendMessage {
    fn from(token: FileToken) -> Self {
        Self::file(token)
    }
}

impl EditMessage {
    /// Replaces the content by marked-up text.
    ///
    /// ```
    /// use talk_proto::command::EditMessage;
    ///
    /// let edit = EditMessage::text("Hello, *everybody*!");
    /// ```
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            body: Some(MessageBody::Text(text.into())),
            custom: Patch::Keep,
        }
    }

    /// Replaces the content by blocks.
    ///
    /// ```
    /// use talk_proto::{command::EditMessage, content::ContentBlock};
    ///
    /// let edit = EditMessage::content([ContentBlock::location(52.37, 4.9)]);
    /// ```
    pub fn content(blocks: impl Into<Vec<ContentBlock>>) -> Self {
        Self {
            body: Some(MessageBody::Content(blocks.into())),
            custom: Patch::Keep,
        }
    }

    /// Sets one key of the custom data.
    ///
    /// ```
    /// use talk_proto::command::EditMessage;
    ///
    /// let edit = EditMessage::default().custom("mood", "better");
    /// ```
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.custom.set_key(key.into(), value.into());
        self
    }
}

from_text!(EditMessage);

impl fmt::Debug for MessageBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "text of {} bytes", text.len()),
            Self::Content(blocks) => write!(f, "{} blocks", blocks.len()),
        }
    }
}

impl fmt::Debug for SendMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendMessage")
            .field("body", &self.body)
            .field("referenced_message", &self.referenced_message)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EditMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EditMessage")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
