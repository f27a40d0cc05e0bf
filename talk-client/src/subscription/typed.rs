//! Conversion from the core's snapshots to those of a typed subscription. Each topic needs one
//! line.

use std::sync::Arc;

use talk_proto::{
    Snapshot, Window,
    model::{
        ConversationSnapshot, MessageSnapshot, OnlineSnapshot, ParticipantSnapshot,
        ReactionSnapshot, TypingSnapshot, User,
    },
    outbox::Entry,
};

use super::list::ListSnapshot;

/// The snapshots of one kind of topic.
pub(crate) trait TypedSnapshot: Clone + PartialEq + Send + Sync + 'static {
    /// Converts the snapshot; `None` if it is of another kind.
    fn from_core(snapshot: Snapshot) -> Option<Self>;

    /// Returns the number of visible items of a list, and 1 for a single entity.
    fn len(&self) -> usize;
}

macro_rules! typed_snapshot {
    ($variant:ident, $type:ty, $len:expr) => {
        impl TypedSnapshot for $type {
            fn from_core(snapshot: Snapshot) -> Option<Self> {
                match snapshot {
                    Snapshot::$variant(snapshot) => Some(snapshot),
                    _ => None,
                }
            }

            fn len(&self) -> usize {
                $len(self)
            }
        }
    };
}

fn list_len<S: ListSnapshot>(list: &S) -> usize {
    list.window().map_or(0, Window::len)
}

fn one<T>(_: &T) -> usize {
    1
}

typed_snapshot!(User, Option<Arc<User>>, one);
typed_snapshot!(Conversation, Option<Arc<ConversationSnapshot>>, one);
typed_snapshot!(Messages, Option<Window<MessageSnapshot>>, list_len);
typed_snapshot!(Participants, Option<Window<ParticipantSnapshot>>, list_len);
typed_snapshot!(Participant, Option<Arc<ParticipantSnapshot>>, one);
typed_snapshot!(Typing, Option<TypingSnapshot>, one);
typed_snapshot!(Reactions, Option<Window<ReactionSnapshot>>, list_len);
typed_snapshot!(Online, Option<Arc<OnlineSnapshot>>, one);
typed_snapshot!(Conversations, Window<ConversationSnapshot>, list_len);
typed_snapshot!(Outbox, Window<Entry>, list_len);
