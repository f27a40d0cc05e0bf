//! The participants of a conversation, the latest to join first, and single participants.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::changes::RemovalReason;
use crate::error::{RequestError, ServerError};
use crate::live::list::ordered_list::{ListItem, TieBreak};
use crate::live::stores::entity::{Entity, Lookup};
use crate::live::stores::paged_list::PageSizes;
use crate::live::stores::user_list::{Entry, EntryChange};
use crate::model::{Participant, ParticipantSnapshot, User, UserId};
use crate::snapshot::{Snapshot, Window};
use crate::wire::ServerEvent;

impl Entry for Participant {
    type Snapshot = ParticipantSnapshot;

    const SIZES: PageSizes = PageSizes {
        first_window: 10,
        first_load: 10,
        page: 50,
        more: 10,
    };
    const GONE: RemovalReason = RemovalReason::Left;
    const TIE_BREAK: TieBreak = TieBreak::First;

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

    fn change(event: &ServerEvent) -> Option<EntryChange<Self>> {
        Some(match event {
            ServerEvent::ParticipantCreated { state, .. } => EntryChange::Add(state.clone()),
            ServerEvent::ParticipantEdited { user_id, diff, .. } => {
                let diff = diff.clone();
                EntryChange::Edit(user_id.clone(), Box::new(|entry| entry.apply(diff)))
            }
            ServerEvent::ParticipantDeleted { user_id, .. } => EntryChange::Remove(user_id.clone()),
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

/// A single participant of a conversation.
pub(crate) struct ParticipantOf {
    pub(crate) user: UserId,
}

impl Entity for ParticipantOf {
    type Value = Participant;

    fn apply(&self, value: &mut Option<Participant>, event: &ServerEvent) -> bool {
        match (event, value) {
            (ServerEvent::ParticipantCreated { state, .. }, value) => *value = Some(state.clone()),
            (ServerEvent::ParticipantEdited { diff, .. }, Some(participant)) => {
                participant.apply(diff.clone());
            }
            (ServerEvent::ParticipantDeleted { .. } | ServerEvent::SideDeleted { .. }, value) => {
                *value = None;
            }
            (ServerEvent::SideCreated { .. }, value) => return value.is_none(),
            _ => {}
        }
        false
    }

    fn users(&self, _: Option<&Participant>) -> BTreeSet<UserId> {
        BTreeSet::from([self.user.clone()])
    }

    fn snapshot(&self, value: Option<&Participant>, users: Lookup<'_>) -> Option<Snapshot> {
        let Some(participant) = value else {
            return Some(Snapshot::Participant(None));
        };
        let user = users.get(&self.user)?;
        let snapshot = user.map(|user| Arc::new(participant.snapshot(user)));
        Some(Snapshot::Participant(snapshot))
    }

    /// Returns `true` if the current user is not in the conversation, or if there is no such
    /// conversation. Other participants cannot be read then.
    fn fails_get(&self, refusal: &RequestError, me: &UserId) -> bool {
        let is_absent = matches!(
            refusal,
            RequestError::Server(ServerError { error_code, .. })
                if error_code == "PARTICIPANT_NOT_FOUND"
        );
        !is_absent && self.user != *me
    }

    fn refusal_after(&self, event: &ServerEvent, me: &UserId) -> Option<RequestError> {
        let has_left = matches!(event, ServerEvent::SideDeleted { .. }) && self.user != *me;
        let refusal = || ServerError::new(403, "NOT_A_PARTICIPANT", Vec::new());
        has_left.then(|| RequestError::Server(refusal()))
    }
}
