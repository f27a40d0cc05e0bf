//! Participants.

use http::Method;

use crate::call::Call;
use crate::params::{ParticipantParams, ParticipantPatch};

/// The calls that concern a participant of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct ParticipantEndpoint {
    pub(super) path: String,
}

impl ParticipantEndpoint {
    /// Adds the user to the conversation, or replaces the settings of the participant. Absent
    /// members have their defaults.
    pub fn put(&self, params: ParticipantParams) -> Call<()> {
        Call::writing(Method::PUT, self.path.clone(), &params)
    }

    /// Changes the settings of the participant. Absent members are not changed.
    pub fn patch(&self, patch: ParticipantPatch) -> Call<()> {
        Call::writing(Method::PATCH, self.path.clone(), &patch)
    }

    /// Removes the user from the conversation. A user that is no participant is no error.
    pub fn delete(&self) -> Call<()> {
        Call::deleting(self.path.clone())
    }
}
