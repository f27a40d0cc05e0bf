//! Who reacted to a message with one emoji, the first one in front.

use std::sync::Arc;

use crate::live::list::ordered_list::{End, ListItem};
use crate::live::stores::user_list::{Change, Entry};
use crate::model::{Reaction, ReactionSnapshot, User, UserId};
use crate::snapshot::{Snapshot, Window};
use crate::wire::ServerEvent;

impl Entry for Reaction {
    type Snapshot = ReactionSnapshot;

    const FIRST_WINDOW: usize = 10;
    /// What the published client asks for to show ten.
    const FIRST_LOAD: usize = 30;
    const PAGE: usize = 100;
    const MORE: usize = 30;
    const NEW_AT: End = End::Back;

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

    fn read(event: &ServerEvent) -> Option<Change<Self>> {
        Some(match event {
            ServerEvent::ReactionAdded {
                user_id,
                created_at,
                ..
            } => Change::Add(Self::new(user_id.clone(), *created_at)),
            ServerEvent::ReactionRemoved { user_id, .. } => Change::Remove(user_id.clone()),
            ServerEvent::MessageDeleted { .. } | ServerEvent::ConversationCleared { .. } => {
                Change::Vanish
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
