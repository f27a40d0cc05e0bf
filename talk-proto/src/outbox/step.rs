//! The activities of entries.

use crate::command::RequestId;

/// The current activity of an entry.
#[derive(PartialEq)]
pub(super) enum Step {
    /// The entry waits for its turn, or for the end of a delay.
    Idle,
    /// The record of an attempt is being stored.
    Recording,
    /// The message, or the follow-up, is in the request queue.
    InFlight(Option<RequestId>),
    /// The message is searched in the conversation.
    Searching(Search),
}

/// A search from the newest message back to the floor of the entry.
#[derive(Default, PartialEq)]
pub(super) struct Search {
    pub(super) pages: u32,
    /// Set if a page is requested.
    pub(super) is_waiting: bool,
    pub(super) cursor: Option<String>,
}
