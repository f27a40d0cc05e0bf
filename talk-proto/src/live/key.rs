//! Names of stores, of those who look at them, and of what shows a user.

use std::time::Duration;

use super::stores::list_filter::ListFilter;
use crate::command::{RequestId, SubscriptionId};
use crate::model::{ConversationId, Emoji, MessageId, UserId};
use crate::wire::path::path;

/// The thing that a store holds. What shows another thing comes after it in the order, so that a
/// change passes through all stores in one ascending pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum StoreKey {
    User(UserId),
    Online(UserId),
    Typing(ConversationId),
    Participants(ConversationId),
    Participant(ConversationId, UserId),
    Reactions(ConversationId, MessageId, Emoji),
    Messages(ConversationId),
    Conversation(ConversationId),
    Conversations(ListFilter),
}

impl StoreKey {
    /// The path that tells of the thing.
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

    /// How long the store stays subscribed when nothing shows it any more, as measured on the
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
}

impl StoreKey {
    /// What the thing is a part of.
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
}

/// Things that may be told of by the same events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    User(UserId),
    /// Everything of one conversation.
    Conversation(ConversationId),
    /// All lists, which tell of every conversation.
    Lists,
}

/// Who looks at a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ViewerId {
    /// Until unsubscribed.
    Subscription(SubscriptionId),
    /// Until the first snapshot, which answers the request.
    Get(RequestId),
}

/// What is shown with a user in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Dependent {
    /// The user's own viewer.
    Viewer(ViewerId),
    /// A store that holds the user once.
    Store(StoreKey),
    /// What a store holds of the user.
    Item(StoreKey, UserId),
}
