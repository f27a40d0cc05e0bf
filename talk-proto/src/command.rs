//! What an application can ask of a session, and what it gets.

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

/// One accepted command that will be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// One subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub(crate) u64);

/// A call: it is answered once.
///
/// Made by [`Session::call`](crate::Session::call); each variant says which [`Reply`] it gets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the members are those of the variant's sentence"
)]
pub enum Call {
    /// The user, if they exist. [`Reply::User`].
    GetUser { user: UserId },
    /// Creates the user unless they exist; one who does is left as they are. [`Reply::Done`].
    CreateUser { user: UserId, params: UserParams },
    /// Creates or changes the user. [`Reply::Done`].
    SetUser { user: UserId, params: UserParams },
    /// The conversation, if the current user is a participant. [`Reply::Conversation`].
    GetConversation { conversation: ConversationId },
    /// Creates the conversation unless it exists, and joins it. [`Reply::Done`].
    CreateConversation {
        conversation: ConversationId,
        params: ConversationParams,
    },
    /// Creates or changes the conversation, and joins it. [`Reply::Done`].
    SetConversation {
        conversation: ConversationId,
        params: ConversationParams,
    },
    /// Marks everything as read. [`Reply::Done`].
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
    /// The participant, if the user is one. [`Reply::Participant`].
    GetParticipant {
        conversation: ConversationId,
        user: UserId,
    },
    /// Adds the user unless they participate. [`Reply::Done`].
    CreateParticipant {
        conversation: ConversationId,
        user: UserId,
        params: ParticipantParams,
    },
    /// Adds the user or changes their participation. [`Reply::Done`].
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
    /// Removes the user, if they participate. [`Reply::Done`].
    DeleteParticipant {
        conversation: ConversationId,
        user: UserId,
    },
    /// The message, if it exists and can be seen. [`Reply::Message`].
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
    /// Deletes the message, if it exists. [`Reply::Done`].
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
    /// Takes the current user's reaction back. [`Reply::Done`].
    RemoveReaction {
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    },
    /// The first ten who reacted with the emoji. [`Reply::Reactions`].
    GetFirstReactions {
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    },
}

impl Call {
    /// Returns the kind of call in one word, such as `send_message`, for logs and metrics.
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

/// What a call is answered with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// It is done, and there is nothing to tell.
    Done,
    /// A user, if they exist.
    User(Option<Arc<User>>),
    /// A conversation, if the current user is a participant.
    Conversation(Option<Arc<ConversationSnapshot>>),
    /// A participant, if the user is one.
    Participant(Option<Arc<ParticipantSnapshot>>),
    /// A message, if it exists and can be seen.
    Message(Option<Arc<MessageSnapshot>>),
    /// The ID of the message that was sent.
    Sent(MessageId),
    /// Who reacted, the first one in front; `None` when the message cannot be seen.
    Reactions(Option<Vec<Arc<ReactionSnapshot>>>),
    /// A translation, if the message exists.
    Translation(Option<Translation>),
    /// What a search has found.
    Searched {
        /// The results so far.
        results: SearchResults,
        /// Whether that is all.
        loaded_all: bool,
    },
    /// A file is uploaded: its token, for a message.
    Uploaded {
        /// The token.
        file_token: FileToken,
    },
}

/// A message to send: text in the markup of the service, or blocks.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SendMessage {
    /// What it says.
    pub body: MessageBody,
    /// The application's own data. Keys without a value are ignored.
    pub custom: Patch<CustomPatch>,
    /// The message that it replies to.
    pub referenced_message: Option<MessageId>,
}

/// What a message says.
#[derive(Clone, PartialEq)]
pub enum MessageBody {
    /// Text in which `*bold*`, `_italic_`, `~strike~`, code, lists and addresses are understood.
    Text(String),
    /// Blocks; the service takes exactly one today.
    Content(Vec<ContentBlock>),
}

/// What to change of a message; at least one member should be given.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EditMessage {
    /// The whole new content.
    pub body: Option<MessageBody>,
    /// Custom data, key by key.
    pub custom: Patch<CustomPatch>,
}

/// A translated message.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Translation {
    /// The translated content.
    pub content: Arc<[ContentBlock]>,
    /// The same without formatting.
    pub plaintext: String,
}

impl SendMessage {
    /// A message of text.
    ///
    /// ```
    /// use talk_proto::command::SendMessage;
    ///
    /// let message = SendMessage::text("Hello, *world*!");
    /// ```
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(MessageBody::Text(text.into()))
    }

    /// A message of blocks.
    ///
    /// ```
    /// use talk_proto::{command::SendMessage, content::ContentBlock};
    ///
    /// let message = SendMessage::content([ContentBlock::location(52.37, 4.9)]);
    /// ```
    pub fn content(blocks: impl Into<Vec<ContentBlock>>) -> Self {
        Self::of(MessageBody::Content(blocks.into()))
    }

    fn of(body: MessageBody) -> Self {
        Self {
            body,
            custom: Patch::Keep,
            referenced_message: None,
        }
    }

    /// Sets one key of the custom data.
    ///
    /// ```
    /// use talk_proto::command::SendMessage;
    ///
    /// let message = SendMessage::text("Hello").custom("mood", "good");
    /// ```
    #[must_use]
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        insert(&mut self.custom, key.into(), value.into());
        self
    }

    /// Makes it a reply to `message`.
    ///
    /// ```
    /// use talk_proto::{command::SendMessage, model::MessageId};
    ///
    /// let question = MessageId::new("msg_4x7b2")?;
    /// let answer = SendMessage::text("Yes").reply_to(question);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn reply_to(mut self, message: MessageId) -> Self {
        self.referenced_message = Some(message);
        self
    }
}

impl From<&str> for SendMessage {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for SendMessage {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl EditMessage {
    /// Replaces the content by text.
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
    #[must_use]
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        insert(&mut self.custom, key.into(), value.into());
        self
    }
}

impl From<&str> for EditMessage {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for EditMessage {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

fn insert(custom: &mut Patch<CustomPatch>, key: String, value: String) {
    let mut keys = match std::mem::take(custom) {
        Patch::Set(keys) => keys,
        Patch::Keep | Patch::Reset => CustomPatch::new(),
    };
    keys.insert(key, Some(value));
    *custom = Patch::Set(keys);
}

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
