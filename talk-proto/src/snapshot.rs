//! What subscriptions show.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::changes::Changes;
use crate::filter::ConversationFilter;
use crate::live::list::items::Items;
use crate::model::{
    ConversationId, ConversationSnapshot, Emoji, MessageId, MessageSnapshot, OnlineSnapshot,
    ParticipantSnapshot, ReactionSnapshot, TypingSnapshot, User, UserId,
};

/// What a subscription shows.
///
/// Made by [`Session::subscribe`](crate::Session::subscribe); each variant says which
/// [`Snapshot`] it gets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the members are those of the variant's sentence"
)]
pub enum Topic {
    /// A user. [`Snapshot::User`].
    User { user: UserId },
    /// A conversation that the current user is in. [`Snapshot::Conversation`].
    Conversation { conversation: ConversationId },
    /// The messages of a conversation, newest first; 30 to begin with. [`Snapshot::Messages`].
    Messages { conversation: ConversationId },
    /// The participants of a conversation, the one who joined last in front; 10 to begin with.
    /// [`Snapshot::Participants`].
    Participants { conversation: ConversationId },
    /// One participant of a conversation. [`Snapshot::Participant`].
    Participant {
        conversation: ConversationId,
        user: UserId,
    },
    /// Who is typing in a conversation, the current user aside. [`Snapshot::Typing`].
    Typing { conversation: ConversationId },
    /// Who reacted to a message with an emoji, the first one in front; 10 to begin with. A new
    /// reaction shows when all are loaded. [`Snapshot::Reactions`].
    Reactions {
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    },
    /// Whether a user is online. [`Snapshot::Online`].
    Online { user: UserId },
    /// The current user's conversations that match a filter, the most recently active in front;
    /// 20 to begin with. [`Snapshot::Conversations`].
    Conversations { filter: Option<ConversationFilter> },
}

/// What a subscription shows at one moment: immutable, and cheap to clone and keep.
///
/// What did not change is the same allocation as in the snapshot before. `None` = it does not
/// exist, or the current user may not see it. Serialises as the documented API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Snapshot {
    /// A user.
    User(Option<Arc<User>>),
    /// A conversation.
    Conversation(Option<Arc<ConversationSnapshot>>),
    /// Messages, newest first.
    Messages(Option<Window<MessageSnapshot>>),
    /// Participants, the one who joined last in front.
    Participants(Option<Window<ParticipantSnapshot>>),
    /// A participant.
    Participant(Option<Arc<ParticipantSnapshot>>),
    /// Who is typing.
    Typing(Option<TypingSnapshot>),
    /// Reactions with one emoji, the first one in front.
    Reactions(Option<Window<ReactionSnapshot>>),
    /// Whether a user is online.
    Online(Option<Arc<OnlineSnapshot>>),
    /// Conversations, the most recently active in front.
    Conversations(Window<ConversationSnapshot>),
}

/// The part of a list that is loaded. Serialises as the list of its items.
#[derive(Debug)]
pub struct Window<T> {
    items: Items<T>,
    loaded_all: bool,
}

impl<T> Window<T> {
    pub(crate) fn new(items: Items<T>, loaded_all: bool) -> Self {
        Self { items, loaded_all }
    }

    /// The loaded items in order.
    ///
    /// ```
    /// # fn example(messages: &talk_proto::Window<talk_proto::MessageSnapshot>) {
    /// for message in messages.iter() {
    ///     println!("{}", message.plaintext());
    /// }
    /// # }
    /// ```
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<T>> + ExactSizeIterator {
        self.items.iter()
    }

    /// The item at `index`, counted from the front.
    ///
    /// ```
    /// # fn example(messages: &talk_proto::Window<talk_proto::MessageSnapshot>) {
    /// assert_eq!(messages.get(0), messages.first());
    /// # }
    /// ```
    pub fn get(&self, index: usize) -> Option<&Arc<T>> {
        self.items.get(index)
    }

    /// The item in front: the newest, but for reactions the oldest.
    ///
    /// ```
    /// # fn example(messages: &talk_proto::Window<talk_proto::MessageSnapshot>) {
    /// let newest = messages.first().map(|message| message.plaintext());
    /// # }
    /// ```
    pub fn first(&self) -> Option<&Arc<T>> {
        self.items.first()
    }

    /// How many items are loaded.
    ///
    /// ```
    /// # fn example(messages: &talk_proto::Window<talk_proto::MessageSnapshot>) {
    /// println!("{} of them", messages.len());
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether no item is loaded.
    ///
    /// ```
    /// # fn example(messages: &talk_proto::Window<talk_proto::MessageSnapshot>) {
    /// assert_eq!(messages.is_empty(), messages.first().is_none());
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.items.len() == 0
    }

    /// Whether there is nothing more to load.
    ///
    /// ```
    /// # fn example(messages: &talk_proto::Window<talk_proto::MessageSnapshot>) {
    /// if !messages.loaded_all() {
    ///     println!("there are more");
    /// }
    /// # }
    /// ```
    pub fn loaded_all(&self) -> bool {
        self.loaded_all
    }
}

impl<T> Clone for Window<T> {
    fn clone(&self) -> Self {
        Self {
            items: self.items.clone(),
            loaded_all: self.loaded_all,
        }
    }
}

impl<T: PartialEq> PartialEq for Window<T> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Arc<T>, &Arc<T>)| Arc::ptr_eq(a, b) || a == b;
        self.loaded_all == other.loaded_all
            && self.len() == other.len()
            && (self.items.ptr_eq(&other.items) || self.iter().zip(other.iter()).all(same))
    }
}

impl<T: Serialize> Serialize for Window<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A new snapshot of a subscription, and how it comes from the one before.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Update {
    /// What the subscription shows now.
    pub snapshot: Snapshot,
    /// How it comes from the snapshot before.
    pub changes: Changes,
}
