//! Identities of stores, viewers and dependents of users.

use std::sync::Arc;
use std::time::Duration;

use super::emoji_key::EmojiKey;
use super::stores::list_filter::ListFilter;
use crate::command::{RequestId, SubscriptionId};
use crate::model::{ConversationId, MessageId, UserId};
use crate::wire::path::path;

/// The identity of a store: its entity.
///
/// A store is ordered after the stores whose data it shows, so that one ascending pass propagates a
/// change to all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum StoreKey {
    User(UserId),
    Online(UserId),
    Typing(ConversationId),
    Participants(ConversationId),
    Participant(Arc<ParticipantKey>),
    Reactions(Arc<ReactionsKey>),
    Messages(ConversationId),
    Conversation(ConversationId),
    Conversations(ListFilter),
}

/// The identity of a participant.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ParticipantKey {
    pub(super) conversation: ConversationId,
    pub(super) user: UserId,
}

/// The identity of the reactions to a message with one emoji.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ReactionsKey {
    pub(super) conversation: ConversationId,
    pub(super) message: MessageId,
    pub(super) emoji: EmojiKey,
}

impl StoreKey {
    pub(super) fn participant(conversation: ConversationId, user: UserId) -> Self {
        Self::Participant(Arc::new(ParticipantKey { conversation, user }))
    }

    pub(super) fn reactions(
        conversation: ConversationId,
        message: MessageId,
        emoji: impl Into<EmojiKey>,
    ) -> Self {
        Self::Reactions(Arc::new(ReactionsKey {
            conversation,
            message,
            emoji: emoji.into(),
        }))
    }

    /// Returns the path of the subscription.
    pub(super) fn path(&self) -> String {
        match self {
            Self::User(u) => path(&["/users/", u.as_str()]),
            Self::Online(u) => path(&["/users/", u.as_str(), "/online"]),
            Self::Typing(c) => path(&["/me/conversations/", c.as_str(), "/typing"]),
            Self::Participants(c) => path(&["/me/conversations/", c.as_str(), "/participants"]),
            Self::Participant(key) => path(&[
                "/me/conversations/",
                key.conversation.as_str(),
                "/participants/",
                key.user.as_str(),
            ]),
            Self::Reactions(key) => path(&[
                "/me/conversations/",
                key.conversation.as_str(),
                "/messages/",
                key.message.as_str(),
                "/reactions/",
                key.emoji.as_str(),
            ]),
            Self::Messages(c) => path(&["/me/conversations/", c.as_str(), "/messages"]),
            Self::Conversation(c) => path(&["/me/conversations/", c.as_str()]),
            Self::Conversations(_) => "/me/conversations".to_owned(),
        }
    }

    /// Returns the time for which an unreferenced store stays subscribed, as measured on the
    /// published client.
    pub(super) fn linger(&self) -> Duration {
        Duration::from_secs(match self {
            Self::User(_)
            | Self::Online(_)
            | Self::Participants(_)
            | Self::Participant(..)
            | Self::Conversation(_) => 30,
            Self::Typing(_) | Self::Reactions(..) | Self::Messages(_) | Self::Conversations(_) => {
                10
            }
        })
    }

    /// Returns the scope of the events that concern the store.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::User(u) | Self::Online(u) => Scope::User(u.clone()),
            Self::Conversations(_) => Scope::Lists,
            Self::Participant(key) => Scope::Conversation(key.conversation.clone()),
            Self::Reactions(key) => Scope::Conversation(key.conversation.clone()),
            Self::Typing(c) | Self::Participants(c) | Self::Messages(c) | Self::Conversation(c) => {
                Scope::Conversation(c.clone())
            }
        }
    }

    /// Returns `true` if the store is a list of several pages.
    pub(super) fn is_list(&self) -> bool {
        matches!(
            self,
            Self::Participants(_)
                | Self::Reactions(..)
                | Self::Messages(_)
                | Self::Conversations(_)
        )
    }

    /// Returns `true` if a scope may have several stores of this kind.
    pub(super) fn is_grouped(&self) -> bool {
        matches!(
            self,
            Self::Participant(..) | Self::Reactions(..) | Self::Conversations(_)
        )
    }
}

/// A group of entities that the same events may concern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    User(UserId),
    /// All parts of a conversation.
    Conversation(ConversationId),
    /// All lists of conversations, which receive the events of every conversation.
    Lists,
}

/// The identity of a viewer of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ViewerId {
    /// A viewer that stays until it unsubscribes.
    Subscription(SubscriptionId),
    /// A viewer that is removed after the first snapshot, which resolves the request.
    Get(RequestId),
}

/// A holder of a reference to a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Dependent {
    /// A viewer of the user.
    Viewer(ViewerId),
    /// A store that shows the user.
    Store(StoreKey),
}
