//! Typed reads of the stored data, for test suites.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use talk_proto::Timestamp;
use talk_proto::model::{Access, ConversationId, Custom, MessageSnapshot, Notify, User, UserId};

use super::conversation::{Conversation, Participation};
use super::machine::Server;
use super::message::Message;
use super::store::Store;

/// A conversation as stored, independent of a viewer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredConversation {
    /// The conversation's ID.
    pub id: ConversationId,
    /// The title.
    pub subject: Option<String>,
    /// The address of the picture.
    pub photo_url: Option<String>,
    /// The welcome messages.
    pub welcome_messages: Vec<String>,
    /// The application's own data.
    pub custom: Custom,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The participants in the order of joining.
    pub participants: Vec<StoredParticipant>,
}

/// A participant of a [`StoredConversation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredParticipant {
    /// The user's ID.
    pub user_id: UserId,
    /// The access rights.
    pub access: Access,
    /// The notification setting.
    pub notify: Notify,
    /// The time of joining.
    pub joined_at: Timestamp,
    /// The time up to which messages count as read.
    pub read_until: Timestamp,
    /// The number of unread messages.
    pub unread_message_count: u64,
    /// Set if messages are unread, or the user marked the conversation as unread.
    pub is_unread: bool,
}

impl StoredConversation {
    /// Returns a participant, if the user is one.
    pub fn participant(&self, user: &str) -> Option<&StoredParticipant> {
        self.participants
            .iter()
            .find(|participant| participant.user_id == *user)
    }
}

impl Server {
    /// Returns a user of an app.
    pub fn user(&self, app: &str, user: &str) -> Option<User> {
        self.store(app)?.read_user(user)
    }

    /// Returns the users of an app, ordered by ID.
    pub fn users(&self, app: &str) -> Vec<User> {
        let Some(store) = self.store(app) else {
            return Vec::new();
        };
        let ids = store.users.keys();
        ids.filter_map(|id| store.read_user(id)).collect()
    }

    /// Returns a conversation of an app.
    pub fn conversation(&self, app: &str, conversation: &str) -> Option<StoredConversation> {
        let stored = self.store(app)?.conversations.get(conversation)?;
        stored.stored(conversation)
    }

    /// Returns the conversations of an app, ordered by ID.
    pub fn conversations(&self, app: &str) -> Vec<StoredConversation> {
        let conversations = self
            .store(app)
            .into_iter()
            .flat_map(|it| it.conversations.iter());
        conversations
            .filter_map(|(id, conversation)| conversation.stored(id))
            .collect()
    }

    /// Returns the messages of a conversation, oldest first. It is empty if the conversation does
    /// not exist. `current_user_reacted` is not set in the reactions, because there is no viewer.
    pub fn messages(&self, app: &str, conversation: &str) -> Vec<MessageSnapshot> {
        let Some(store) = self.store(app) else {
            return Vec::new();
        };
        let Some(conversation) = store.conversations.get(conversation) else {
            return Vec::new();
        };
        let read = |message: &Message| {
            let mut snapshot = store.read_message(message)?;
            let quoted = message.referenced.as_deref();
            snapshot.referenced_message = quoted
                .and_then(|id| conversation.messages.get(id))
                .and_then(|quoted| store.read_message(quoted))
                .map(Arc::new);
            Some(snapshot)
        };
        let mut messages: Vec<_> = conversation
            .messages
            .before(None)
            .filter_map(read)
            .collect();
        messages.reverse();
        messages
    }

    fn store(&self, app: &str) -> Option<&Store> {
        Some(&self.apps.get(app)?.store)
    }
}

impl Store {
    fn read_user(&self, id: &str) -> Option<User> {
        convert(&self.users.get(id)?.profile)
    }

    fn read_message(&self, message: &Message) -> Option<MessageSnapshot> {
        let mut snapshot: MessageSnapshot = convert(&message.view(""))?;
        snapshot.sender = message
            .sender
            .as_deref()
            .and_then(|sender| self.read_user(sender))
            .map(Arc::new);
        Some(snapshot)
    }
}

impl Conversation {
    fn stored(&self, id: &str) -> Option<StoredConversation> {
        let mut participants: Vec<_> = self
            .participants
            .iter()
            .filter_map(|(user, participation)| participation.stored(user))
            .collect();
        participants.sort_by_key(|participant| participant.joined_at);
        Some(StoredConversation {
            id: ConversationId::new(id).ok()?,
            subject: self.subject.clone(),
            photo_url: self.photo_url.clone(),
            welcome_messages: self.welcome_messages.clone(),
            custom: convert(&self.custom)?,
            created_at: timestamp(self.created_at),
            participants,
        })
    }
}

impl Participation {
    fn stored(&self, user: &str) -> Option<StoredParticipant> {
        Some(StoredParticipant {
            user_id: UserId::new(user).ok()?,
            access: convert(&self.access)?,
            notify: convert(&self.notify)?,
            joined_at: timestamp(self.joined_at),
            read_until: timestamp(self.read_until),
            unread_message_count: self.unread,
            is_unread: self.unread > 0 || self.marked_unread,
        })
    }
}

fn timestamp(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Converts a value through its wire form, which the client's types can read.
fn convert<T: DeserializeOwned>(value: &impl Serialize) -> Option<T> {
    // Through text, because a raw value is no value of its own.
    serde_json::from_str(&serde_json::to_string(value).ok()?).ok()
}
