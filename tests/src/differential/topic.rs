//! The topics of subscriptions, for our client and for the published one.

use std::fmt;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use talk_tokio::{
    CallFuture, ConversationFilter, ListSnapshot, Session, Subscription, SubscriptionState, Window,
};

/// The topic of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Topic {
    User(String),
    Online(String),
    Conversation(String),
    Messages(String),
    Participants(String),
    Participant(String, String),
    Typing(String),
    Reactions(String, String, String),
    /// The user's conversations, with or without a filter.
    Conversations(Option<Value>),
}

/// The snapshot of a subscription, in the format of the documented API.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) snapshot: Value,
    /// `Some(true)` if a list is fully loaded; `None` if the snapshot is null or not a list.
    pub(super) loaded_all: Option<bool>,
}

impl Shown {
    /// Returns `true` if the snapshot is neither null nor an empty list.
    pub(super) fn is_filled(&self) -> bool {
        match &self.snapshot {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            _ => true,
        }
    }
}

/// A subscription of our client.
pub(super) trait Live: Send + Sync {
    /// Returns the current snapshot.
    ///
    /// # Errors
    ///
    /// If there is no snapshot, or the subscription has ended.
    fn shown(&self) -> Result<Shown>;

    /// Loads more items. Returns `None` if the snapshot is not a list.
    fn load_more(&self, count: usize) -> Option<CallFuture<()>>;
}

impl Topic {
    pub(super) fn subscribe(&self, session: &Session) -> Result<Box<dyn Live>> {
        Ok(match self {
            Self::User(user) => single(session.user(user.as_str())?.subscribe()),
            Self::Online(user) => single(session.user(user.as_str())?.subscribe_online()),
            Self::Conversation(c) => single(session.conversation(c.as_str())?.subscribe()),
            Self::Messages(c) => list(session.conversation(c.as_str())?.subscribe_messages()),
            Self::Participants(c) => {
                list(session.conversation(c.as_str())?.subscribe_participants())
            }
            Self::Participant(c, user) => single(
                session
                    .conversation(c.as_str())?
                    .participant(user.as_str())?
                    .subscribe(),
            ),
            Self::Typing(c) => single(session.conversation(c.as_str())?.subscribe_typing()),
            Self::Reactions(c, message, emoji) => list(
                session
                    .conversation(c.as_str())?
                    .message(message.as_str())?
                    .reactions(emoji.as_str())?
                    .subscribe(),
            ),
            Self::Conversations(filter) => {
                let filter = filter.as_ref().map(ConversationFilter::deserialize);
                list(session.subscribe_conversations(filter.transpose()?))
            }
        })
    }

    /// Returns the call of the documented API that subscribes to the topic, and its arguments.
    pub(super) fn call(&self) -> (&'static str, Value) {
        match self {
            Self::User(user) => ("user.subscribe", json!([user])),
            Self::Online(user) => ("user.subscribeOnline", json!([user])),
            Self::Conversation(c) => ("conversation.subscribe", json!([c])),
            Self::Messages(c) => ("conversation.subscribeMessages", json!([c])),
            Self::Participants(c) => ("conversation.subscribeParticipants", json!([c])),
            Self::Participant(c, user) => ("participant.subscribe", json!([c, user])),
            Self::Typing(c) => ("conversation.subscribeTyping", json!([c])),
            Self::Reactions(c, message, emoji) => {
                ("reactions.subscribe", json!([c, message, emoji]))
            }
            Self::Conversations(filter) => {
                let params = match filter {
                    Some(filter) => json!({ "filter": filter }),
                    None => json!({}),
                };
                ("session.subscribeConversations", json!([params]))
            }
        }
    }

    /// Returns the name of the topic's kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Conversations(Some(_)) => "session.subscribeConversations, filtered",
            _ => self.call().0,
        }
    }

    /// Returns the conversation of the topic, if it has one.
    pub(super) fn conversation(&self) -> Option<&str> {
        match self {
            Self::User(_) | Self::Online(_) | Self::Conversations(_) => None,
            Self::Conversation(c)
            | Self::Messages(c)
            | Self::Participants(c)
            | Self::Participant(c, _)
            | Self::Typing(c)
            | Self::Reactions(c, ..) => Some(c),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, args) = self.call();
        write!(f, "{call} {args}")
    }
}

fn single<S: Clone + Serialize + Send + Sync + 'static>(
    subscription: Subscription<S>,
) -> Box<dyn Live> {
    Box::new(Single(subscription))
}

fn list<S>(subscription: Subscription<S>) -> Box<dyn Live>
where
    S: ListSnapshot + Clone + Serialize + Send + Sync + 'static,
{
    Box::new(List(subscription))
}

struct Single<S>(Subscription<S>);

impl<S: Clone + Serialize + Send + Sync> Live for Single<S> {
    fn shown(&self) -> Result<Shown> {
        Ok(Shown {
            snapshot: serde_json::to_value(latest(&self.0)?)?,
            loaded_all: None,
        })
    }

    fn load_more(&self, _: usize) -> Option<CallFuture<()>> {
        None
    }
}

struct List<S>(Subscription<S>);

impl<S: ListSnapshot + Clone + Serialize + Send + Sync> Live for List<S> {
    fn shown(&self) -> Result<Shown> {
        let list = latest(&self.0)?;
        Ok(Shown {
            snapshot: serde_json::to_value(&list)?,
            loaded_all: list.window().map(Window::loaded_all),
        })
    }

    fn load_more(&self, count: usize) -> Option<CallFuture<()>> {
        Some(self.0.load_more(count))
    }
}

fn latest<S: Clone>(subscription: &Subscription<S>) -> Result<S> {
    match subscription.state() {
        SubscriptionState::Active(snapshot) => Ok(snapshot),
        SubscriptionState::Pending => bail!("it still waits for its first snapshot"),
        SubscriptionState::Unsubscribed => bail!("it has been unsubscribed"),
        SubscriptionState::Error(error) => bail!("it has ended: {error}"),
    }
}
