//! One participant of a conversation.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{RequestError, ServerError};
use crate::live::stores::entity::{Entity, Lookup};
use crate::live::stores::user_list::Entry;
use crate::model::{Participant, UserId};
use crate::snapshot::Snapshot;
use crate::wire::ServerEvent;

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

    /// Who does not participate may not ask about others.
    fn fails_get(&self, refusal: &RequestError, me: &UserId) -> bool {
        let is_forbidden = matches!(
            refusal,
            RequestError::Server(ServerError { status: 403, .. })
        );
        is_forbidden && self.user != *me
    }
}
