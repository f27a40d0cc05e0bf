//! Options of an inbox.

use crate::error::CommandError;
use crate::filter::{ConversationFilter, SimpleFilter};
use crate::model::{ConversationId, EmptyId};
use crate::timestamp::Timestamp;

/// The options of an inbox.
///
/// ```
/// use talk_proto::inbox::{InboxOptions, InboxStart};
///
/// let mut options = InboxOptions::default();
/// options.start = InboxStart::Beginning;
/// assert_eq!(options.max_unacked, 256);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InboxOptions {
    /// The conversation to consume. `None` consumes all conversations that the user is in.
    pub conversation: Option<ConversationId>,
    /// The conversations to consume, judged at each delivery. A conversation that matches again
    /// continues at its position. `is_unread`, `last_activity_at` and `has_messages` are refused,
    /// because the answers of the program would change them.
    pub filter: Option<ConversationFilter>,
    /// The start of an inbox whose name is not known to the store.
    pub start: InboxStart,
    /// Set to deliver the messages of the current user.
    pub own: bool,
    /// Set to deliver system messages.
    pub system: bool,
    /// The largest number of unacknowledged deliveries, at least 1. Default 256.
    pub max_unacked: usize,
    /// The largest number of unacknowledged deliveries of one conversation, at least 1. `None`
    /// allows a quarter of [`max_unacked`](Self::max_unacked), so that a slow conversation does not
    /// stop the others, or all of them in an inbox of one conversation.
    pub max_per_conversation: Option<usize>,
    /// The largest number of conversations with traffic that are subscribed. The messages of the
    /// others are read by page. Default 100.
    pub max_subscribed: usize,
    /// Set to deliver the messages from before the user joined, in conversations that the user
    /// joins after the start. Otherwise such a conversation starts when the user joins.
    pub history_on_join: bool,
}

impl Default for InboxOptions {
    fn default() -> Self {
        Self {
            conversation: None,
            filter: None,
            start: InboxStart::default(),
            own: false,
            system: false,
            max_unacked: 256,
            max_per_conversation: None,
            max_subscribed: 100,
            history_on_join: false,
        }
    }
}

/// The first message of an inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxStart {
    /// Messages that are newer than the newest one when the inbox is opened.
    #[default]
    Now,
    /// All messages.
    Beginning,
    /// Messages sent at this server time or later.
    At(Timestamp),
}

impl InboxOptions {
    /// Checks the name of an inbox, and the filter.
    ///
    /// # Errors
    /// [`CommandError::EmptyId`], [`CommandError::InboxFilter`].
    pub fn check(&self, name: &str) -> Result<(), CommandError> {
        if name.is_empty() {
            return Err(EmptyId { what: "inbox name" }.into());
        }
        let filters = match &self.filter {
            None => &[],
            Some(ConversationFilter::All(filter)) => std::slice::from_ref(filter),
            Some(ConversationFilter::Any(filters)) => filters.as_slice(),
        };
        let refused = |filter: &SimpleFilter| {
            let fields = [
                ("isUnread", filter.is_unread.is_some()),
                ("lastActivityAt", filter.last_activity_at.is_some()),
                ("hasMessages", filter.has_messages.is_some()),
            ];
            fields.into_iter().find(|(_, is_set)| *is_set)
        };
        match filters.iter().find_map(refused) {
            Some((field, _)) => Err(CommandError::InboxFilter { field }),
            None => Ok(()),
        }
    }
}
