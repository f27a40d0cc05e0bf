//! From the core's snapshots to those of a typed subscription. A topic costs one line here.

use std::sync::Arc;

use talk_proto::{
    ConversationSnapshot, MessageSnapshot, OnlineSnapshot, ParticipantSnapshot, ReactionSnapshot,
    Snapshot, TypingSnapshot, User, Window,
};

use super::list::ListSnapshot;

/// The snapshots of one kind of topic.
pub(crate) trait Shown: Clone + PartialEq + Send + Sync + 'static {
    /// The snapshot, when it is of this kind.
    fn of(snapshot: Snapshot) -> Option<Self>;

    /// How many items it shows, if it is a list.
    fn len(&self) -> usize;
}

macro_rules! shown {
    ($variant:ident, $type:ty, $len:expr) => {
        impl Shown for $type {
            fn of(snapshot: Snapshot) -> Option<Self> {
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

fn list<S: ListSnapshot>(list: &S) -> usize {
    list.window().map_or(0, Window::len)
}

fn single<T>(_: &T) -> usize {
    1
}

shown!(User, Option<Arc<User>>, single);
shown!(Conversation, Option<Arc<ConversationSnapshot>>, single);
shown!(Messages, Option<Window<MessageSnapshot>>, list);
shown!(Participants, Option<Window<ParticipantSnapshot>>, list);
shown!(Participant, Option<Arc<ParticipantSnapshot>>, single);
shown!(Typing, Option<TypingSnapshot>, single);
shown!(Reactions, Option<Window<ReactionSnapshot>>, list);
shown!(Online, Option<Arc<OnlineSnapshot>>, single);
shown!(Conversations, Window<ConversationSnapshot>, list);
