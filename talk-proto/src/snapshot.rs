//! Subscription topics and their snapshots.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::cache::{CachedAt, Freshness};
use crate::changes::Changes;
use crate::filter::ConversationFilter;
use crate::live::list::items::Items;
pub use crate::live::list::items::WindowIter;
use crate::model::{
    ConversationId, ConversationSnapshot, Emoji, MessageId, MessageSnapshot, OnlineSnapshot,
    ParticipantSnapshot, ReactionSnapshot, TypingSnapshot, User, UserId,
};
use crate::outbox::{Entry, Pending, Settled};

/// The subject of a subscription.
///
/// Passed to [`Session::subscribe`](crate::Session::subscribe); each variant names the
/// [`Snapshot`] that it produces.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's sentence names its members")]
pub enum Topic {
    /// A user. [`Snapshot::User`].
    User { user: UserId },
    /// A conversation that the current user is in. [`Snapshot::Conversation`].
    Conversation { conversation: ConversationId },
    /// The messages of a conversation, newest first; initially 30. [`Snapshot::Messages`].
    Messages { conversation: ConversationId },
    /// The participants of a conversation, the last to join first; initially 10.
    /// [`Snapshot::Participants`].
    Participants { conversation: ConversationId },
    /// A participant of a conversation. [`Snapshot::Participant`].
    Participant {
        conversation: ConversationId,
        user: UserId,
    },
    /// The users typing in a conversation, without the current user. [`Snapshot::Typing`].
    Typing { conversation: ConversationId },
    /// The reactions to a message with one emoji, oldest first; initially 10. A new reaction
    /// becomes visible once all are loaded. [`Snapshot::Reactions`].
    Reactions {
        conversation: ConversationId,
        message: MessageId,
        emoji: Emoji,
    },
    /// The online status of a user. [`Snapshot::Online`].
    Online { user: UserId },
    /// The current user's conversations that match a filter, the most recently active first;
    /// initially 20. [`Snapshot::Conversations`].
    Conversations { filter: Option<ConversationFilter> },
    /// The entries of the outbox, oldest first. Needs no connection. [`Snapshot::Outbox`].
    Outbox,
}

/// The state of a subscription at one moment: immutable and cheap to clone.
///
/// Unchanged parts share their allocation with the previous snapshot. `None` means that the
/// subject does not exist or that the current user may not see it. Serialises in the shape of the
/// documented API.
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
    /// Participants, the last to join first.
    Participants(Option<Window<ParticipantSnapshot>>),
    /// A participant.
    Participant(Option<Arc<ParticipantSnapshot>>),
    /// The typing users.
    Typing(Option<TypingSnapshot>),
    /// Reactions with one emoji, oldest first.
    Reactions(Option<Window<ReactionSnapshot>>),
    /// The online status of a user.
    Online(Option<Arc<OnlineSnapshot>>),
    /// Conversations, the most recently active first.
    Conversations(Window<ConversationSnapshot>),
    /// The entries of the outbox, oldest first.
    Outbox(Window<Entry>),
}

impl Snapshot {
    /// Returns the source of the snapshot. Only windows are cached.
    pub fn freshness(&self) -> Freshness {
        match self {
            Self::Messages(Some(window)) => window.freshness(),
            Self::Conversations(window) => window.freshness(),
            _ => Freshness::Live,
        }
    }
}

/// The loaded part of a list. Serialises as the list of its items.
///
/// ```
/// # fn example(messages: &talk_proto::Window<talk_proto::model::MessageSnapshot>) {
/// for message in messages {
///     println!("{}", message.plaintext());
/// }
/// if !messages.loaded_all() {
///     println!("… and more");
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Window<T> {
    items: Items<T>,
    loaded_all: bool,
    has_outdated: bool,
    pending: Pending,
    cached_at: CachedAt,
}

impl<T> Window<T> {
    pub(crate) fn new(items: Items<T>, loaded_all: bool, has_outdated: bool) -> Self {
        Self {
            items,
            loaded_all,
            has_outdated,
            pending: Pending::default(),
            cached_at: CachedAt::default(),
        }
    }

    /// Creates a window from the cache.
    pub(crate) fn cached(items: Items<T>, cached_at: CachedAt) -> Self {
        Self {
            cached_at,
            ..Self::new(items, false, false)
        }
    }

    pub(crate) fn set_pending(&mut self, pending: Pending) {
        self.pending = pending;
    }

    /// Returns the outbox entries of the conversation that are not among the items yet, oldest
    /// first. Empty in windows other than those of messages.
    pub fn pending(&self) -> &[Arc<Entry>] {
        self.pending.entries()
    }

    /// Returns the source of the window: the server, or the [cache](crate::cache).
    pub fn freshness(&self) -> Freshness {
        self.cached_at.freshness()
    }

    /// Returns an iterator over the loaded items.
    pub fn iter(&self) -> WindowIter<'_, T> {
        self.items.iter()
    }

    /// Returns the item at `index`, counted from the first.
    pub fn get(&self, index: usize) -> Option<&Arc<T>> {
        self.items.get(index)
    }

    /// Returns the first item: the oldest reaction, or the newest item of any other list.
    pub fn first(&self) -> Option<&Arc<T>> {
        self.items.first()
    }

    /// Returns the last loaded item.
    pub fn last(&self) -> Option<&Arc<T>> {
        self.items.get(self.len().checked_sub(1)?)
    }

    /// Returns the number of loaded items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns `true` if no item is loaded.
    pub fn is_empty(&self) -> bool {
        self.items.len() == 0
    }

    /// Returns `true` if the whole list is loaded.
    pub fn loaded_all(&self) -> bool {
        self.loaded_all
    }

    /// Returns `true` if the last items are in their state from before a connection loss. Items
    /// that precede them may be missing. A later update contains all of them.
    ///
    /// After a loss, the first 300 items of a window are fetched first.
    pub fn has_outdated(&self) -> bool {
        self.has_outdated
    }
}

impl<'a, T> IntoIterator for &'a Window<T> {
    type Item = &'a Arc<T>;
    type IntoIter = WindowIter<'a, T>;

    fn into_iter(self) -> WindowIter<'a, T> {
        self.iter()
    }
}

/// # Panics
/// If the index is out of bounds, as for a slice.
impl<T> std::ops::Index<usize> for Window<T> {
    type Output = Arc<T>;

    #[expect(clippy::expect_used, reason = "the contract of indexing")]
    fn index(&self, index: usize) -> &Arc<T> {
        self.get(index)
            .expect("the index is within the loaded items")
    }
}

impl<T> Clone for Window<T> {
    fn clone(&self) -> Self {
        Self {
            items: self.items.clone(),
            loaded_all: self.loaded_all,
            has_outdated: self.has_outdated,
            pending: self.pending.clone(),
            cached_at: self.cached_at,
        }
    }
}

impl<T: PartialEq> PartialEq for Window<T> {
    fn eq(&self, other: &Self) -> bool {
        self.loaded_all == other.loaded_all
            && self.has_outdated == other.has_outdated
            && self.pending == other.pending
            && self.cached_at == other.cached_at
            && self.items == other.items
    }
}

impl<T: Serialize> Serialize for Window<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A new snapshot of a subscription and its changes since the previous one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Update {
    /// The new snapshot.
    pub snapshot: Snapshot,
    /// The changes since the previous snapshot.
    pub changes: Changes,
    /// The outbox entries that became messages of this snapshot. No snapshot shows both the entry
    /// and its message, or neither.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
}

impl Update {
    /// Creates an update on the heap, because it is moved through several queues.
    pub(crate) fn new(snapshot: Snapshot, changes: Changes) -> Box<Self> {
        Box::new(Self {
            snapshot,
            changes,
            settled: Vec::new(),
        })
    }

    /// Returns the source of the snapshot.
    pub fn freshness(&self) -> Freshness {
        self.snapshot.freshness()
    }
}
