//! Recognition of own messages whose answer is pending.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::entry::Entry;
use super::normal_form::NormalForm;
use crate::content::ContentBlock;
use crate::model::{Custom, MessageSnapshot, UserId};
use crate::timestamp::Timestamp;

/// The largest error of a period on the clock of the session. The clock may stand still while the
/// machine is suspended, and it is read before the frames of a batch.
const CLOCK_ERROR: Duration = Duration::from_secs(5);

/// An entry that was tried and whose outcome is unknown.
pub(crate) struct Candidate {
    /// A server time from before the first attempt.
    pub(crate) floor: Timestamp,
    /// The time of the first attempt if this process made it. Clocks of other processes may differ.
    tried_at: Option<Timestamp>,
    content: Arc<[ContentBlock]>,
    custom: Custom,
    /// Set by the first comparison. Most entries are answered before any message of the user
    /// arrives.
    form: OnceLock<NormalForm>,
}

/// The form follows from the other members, whether or not it is set.
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        let times = |it: &Self| (it.floor, it.tried_at);
        times(self) == times(other) && self.content == other.content && self.custom == other.custom
    }
}

impl Candidate {
    pub(super) fn new(floor: Timestamp, tried_at: Option<Timestamp>, entry: &Entry) -> Self {
        Self {
            floor,
            tried_at,
            content: Arc::clone(&entry.content),
            custom: entry.custom.clone(),
            form: OnceLock::new(),
        }
    }

    fn form(&self) -> &NormalForm {
        let form = || NormalForm::new(&self.content, &self.custom);
        self.form.get_or_init(form)
    }

    /// Returns a server time from before the first attempt, given a server time that the session
    /// knows `now`. The server has reached that time at most the period since the attempt later.
    pub(crate) fn floor_after(&self, server_time: Timestamp, now: Timestamp) -> Timestamp {
        let since = self.tried_at.map(|tried_at| now.saturating_since(tried_at));
        let floor = since.map(|since| server_time - since - CLOCK_ERROR);
        floor.map_or(self.floor, |floor| floor.max(self.floor))
    }

    /// Returns `true` if an arriving message of `me` may be the message of the entry. The server
    /// may change content, so the kinds of blocks are sufficient.
    pub(crate) fn may_be(&self, message: &MessageSnapshot, me: &UserId) -> bool {
        self.is_possible(message, me) && self.form().has_kinds_of(&form_of(message))
    }

    /// Returns `true` if a message of `me` has the content of the entry.
    pub(crate) fn is_equal(&self, message: &MessageSnapshot, me: &UserId) -> bool {
        self.is_possible(message, me) && *self.form() == form_of(message)
    }

    fn is_possible(&self, message: &MessageSnapshot, me: &UserId) -> bool {
        message.sender_id.as_ref() == Some(me) && message.created_at >= self.floor
    }
}

fn form_of(message: &MessageSnapshot) -> NormalForm {
    NormalForm::new(&message.content, &message.custom)
}
