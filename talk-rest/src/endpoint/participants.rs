//! Participants.

use http::Method;

use crate::call::{Call, Payload, ignored, to_json};
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
        let payload = Payload::Json(to_json(&params));
        Call::new(Method::PUT, self.path.clone(), payload, ignored)
    }

    /// Changes the settings of the participant. Absent members stay.
    pub fn patch(&self, patch: ParticipantPatch) -> Call<()> {
        let payload = Payload::Json(to_json(&patch));
        Call::new(Method::PATCH, self.path.clone(), payload, ignored)
    }

    /// Removes the user from the conversation. A user that is no participant is no error.
    pub fn delete(&self) -> Call<()> {
        Call::new(Method::DELETE, self.path.clone(), Payload::None, ignored)
    }
}
