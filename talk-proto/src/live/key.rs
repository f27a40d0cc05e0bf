//! Identities of stores, viewers and dependents of users.

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
    Participant(ConversationId, UserId),
    Reactions(ConversationId, MessageId, EmojiKey),
    Messages(ConversationId),
    Conversation(ConversationId),
    Conversations(ListFilter),
}

impl StoreKey {
    /// Returns the path of the subscription.
    pub(super) fn path(&self) -> String {
        match self {
            Self::User(u) => path(&["/users/", u.as_str()]),
            Self::Online(u) => path(&["/users/", u.as_str(), "/online"]),
            Self::Typing(c) => path(&["/me/conversations/", c.as_str(), "/typing"]),
            Self::Participants(c) => path(&["/me/conversations/", c.as_str(), "/participants"]),
            Self::Participant(c, u) => path(&[
                "/me/conversations/",
                c.as_str(),
                "/participants/",
                u.as_str(),
            ]),
            Self::Reactions(c, m, e) => path(&[
                "/me/conversations/",
                c.as_str(),
                "/messages/",
                m.as_str(),
                "/reactions/",
                e.as_str(),
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
            Self::Typing(c)
            | Self::Participants(c)
            | Self::Participant(c, _)
            | Self::Reactions(c, ..)
            | Self::Messages(c)
            | Self::Conversation(c) => Scope::Conversation(c.clone()),
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
    /// The items of a list store that show the user.
    Item(StoreKey, UserId),
}
