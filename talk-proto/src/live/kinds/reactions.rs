//! The reactions to a message with one emoji, the oldest first.

use std::sync::Arc;

use crate::changes::RemovalReason;
use crate::live::list::ordered_list::{ListItem, TieBreak};
use crate::live::stores::paged_list::PageSizes;
use crate::live::stores::user_list::{Entry, EntryChange};
use crate::model::{Reaction, ReactionSnapshot, User, UserId};
use crate::snapshot::{Snapshot, Window};
use crate::wire::ServerEvent;

impl Entry for Reaction {
    type Snapshot = ReactionSnapshot;

    const SIZES: PageSizes = PageSizes {
        first_window: 10,
        // The published client requests 30 to show 10.
        first_load: 30,
        page: 100,
        more: 30,
    };
    const GONE: RemovalReason = RemovalReason::Deleted;
    const TIE_BREAK: TieBreak = TieBreak::Last;

    fn user(&self) -> &UserId {
        &self.user_id
    }

    fn time(&self) -> i64 {
        self.created_at.as_millis()
    }

    fn snapshot(&self, user: Arc<User>) -> ReactionSnapshot {
        ReactionSnapshot {
            user,
            created_at: self.created_at,
        }
    }

    fn change(event: &ServerEvent) -> Option<EntryChange<Self>> {
        Some(match event {
            ServerEvent::ReactionAdded {
                user_id,
                created_at,
                ..
            } => EntryChange::Add(Self {
                user_id: user_id.clone(),
                created_at: *created_at,
            }),
            ServerEvent::ReactionRemoved { user_id, .. } => EntryChange::Remove(user_id.clone()),
            ServerEvent::MessageDeleted { .. } | ServerEvent::ConversationCleared { .. } => {
                EntryChange::RemoveList
            }
            _ => return None,
        })
    }

    fn wrap(window: Option<Window<ReactionSnapshot>>) -> Snapshot {
        Snapshot::Reactions(window)
    }
}

impl ListItem for ReactionSnapshot {
    type Key = UserId;

    fn key(&self) -> &UserId {
        &self.user.id
    }
}
