//! Recognition of own messages whose answer is pending.

use super::normal_form::NormalForm;
use crate::model::{MessageSnapshot, UserId};
use crate::timestamp::Timestamp;

/// An entry that was tried and whose outcome is unknown.
#[derive(Clone, PartialEq)]
pub(crate) struct Candidate {
    /// A server time from before the first attempt.
    pub(crate) floor: Timestamp,
    pub(crate) form: NormalForm,
}

impl Candidate {
    /// Returns `true` if an arriving message of `me` may be the message of the entry. The server
    /// may change content, so the kinds of blocks are sufficient.
    pub(crate) fn may_be(&self, message: &MessageSnapshot, me: &UserId) -> bool {
        self.is_possible(message, me) && self.form.has_kinds_of(&form_of(message))
    }

    /// Returns `true` if a message of `me` has the content of the entry.
    pub(crate) fn is_equal(&self, message: &MessageSnapshot, me: &UserId) -> bool {
        self.is_possible(message, me) && self.form == form_of(message)
    }

    fn is_possible(&self, message: &MessageSnapshot, me: &UserId) -> bool {
        message.sender_id.as_ref() == Some(me) && message.created_at >= self.floor
    }
}

fn form_of(message: &MessageSnapshot) -> NormalForm {
    NormalForm::new(&message.content, &message.custom)
}
