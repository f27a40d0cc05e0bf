//! The participants of a conversation, the one who joined last in front.

use std::sync::Arc;

use crate::live::list::ordered_list::{End, ListItem};
use crate::live::stores::user_list::{Change, Entry};
use crate::model::{Participant, ParticipantSnapshot, User, UserId};
use crate::snapshot::{Snapshot, Window};
use crate::wire::ServerEvent;

impl Entry for Participant {
    type Snapshot = ParticipantSnapshot;

    const FIRST_WINDOW: usize = 10;
    const FIRST_LOAD: usize = 10;
    const PAGE: usize = 50;
    const MORE: usize = 10;
    const NEW_AT: End = End::Front;

    fn user(&self) -> &UserId {
        &self.id
    }

    fn time(&self) -> i64 {
        self.joined_at.as_millis().saturating_neg()
    }

    fn snapshot(&self, user: Arc<User>) -> ParticipantSnapshot {
        ParticipantSnapshot {
            user,
            access: self.access.clone(),
            notify: self.notify.clone(),
            joined_at: self.joined_at,
        }
    }

    fn read(event: &ServerEvent) -> Option<Change<Self>> {
        Some(match event {
            ServerEvent::ParticipantCreated { state, .. } => Change::Add(state.clone()),
            ServerEvent::ParticipantEdited { user_id, diff, .. } => {
                let diff = diff.clone();
                Change::Edit(user_id.clone(), Box::new(|entry| entry.apply(diff)))
            }
            ServerEvent::ParticipantDeleted { user_id, .. } => Change::Remove(user_id.clone()),
            _ => return None,
        })
    }

    fn wrap(window: Option<Window<ParticipantSnapshot>>) -> Snapshot {
        Snapshot::Participants(window)
    }
}

impl ListItem for ParticipantSnapshot {
    type Key = UserId;

    fn key(&self) -> &UserId {
        &self.user.id
    }
}
