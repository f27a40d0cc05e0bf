//! The options of an inbox.

use std::fmt;

use talk_proto::filter::ConversationFilter;
use talk_proto::inbox::{InboxOptions, InboxStart};
use talk_proto::model::ConversationId;

use super::stream::Inbox;
use crate::error::Error;
use crate::handle::Handle;

/// The options of an inbox, created by [`Session::inbox`](crate::Session::inbox) or
/// [`ConversationRef::inbox`](crate::ConversationRef::inbox).
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// use talk_client::inbox::InboxStart;
/// use talk_client::{SimpleFilter, StringFilter};
///
/// let inbox = session
///     .inbox("support-bot")
///     .filter(SimpleFilter::new().custom("queue", StringFilter::is("support")))
///     .start(InboxStart::Beginning)
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an inbox is opened by `open`"]
pub struct InboxBuilder {
    handle: Handle,
    name: String,
    options: InboxOptions,
}

impl InboxBuilder {
    pub(crate) fn new(handle: &Handle, name: String) -> Self {
        Self {
            handle: handle.clone(),
            name,
            options: InboxOptions::default(),
        }
    }

    /// Limits the inbox to one conversation.
    pub(crate) fn conversation(mut self, conversation: ConversationId) -> Self {
        self.options.conversation = Some(conversation);
        self
    }

    /// Limits the inbox to conversations that match a filter when a message is delivered. A
    /// conversation that matches again later continues at its position.
    ///
    /// The filter may name access, custom data, the subject, and the times of creation and of
    /// joining. Other properties are refused, because the user's own answers change them.
    pub fn filter(mut self, filter: impl Into<ConversationFilter>) -> Self {
        self.options.filter = Some(filter.into());
        self
    }

    /// Sets the position at which the inbox starts if the store does not know its name (default
    /// [`InboxStart::Now`]). A known name continues at its stored positions. A conversation that
    /// the user joins later starts at the time of joining; see
    /// [`history_on_join`](Self::history_on_join).
    pub fn start(mut self, start: InboxStart) -> Self {
        self.options.start = start;
        self
    }

    /// Also delivers the user's own messages (default `false`).
    pub fn own(mut self, own: bool) -> Self {
        self.options.own = own;
        self
    }

    /// Also delivers system messages (default `false`).
    pub fn system(mut self, system: bool) -> Self {
        self.options.system = system;
        self
    }

    /// Sets the maximum number of unacknowledged deliveries (default 256). At this number, the
    /// inbox fetches no further message until one is acknowledged.
    pub fn max_unacked(mut self, count: usize) -> Self {
        self.options.max_unacked = count;
        self
    }

    /// Sets the maximum number of unacknowledged deliveries of one conversation. The default is a
    /// quarter of [`max_unacked`](Self::max_unacked), so that a slow conversation does not stop the
    /// others, or all of them in an inbox of one conversation.
    pub fn max_per_conversation(mut self, count: usize) -> Self {
        self.options.max_per_conversation = Some(count);
        self
    }

    /// Sets the maximum number of conversations whose messages are subscribed (default 100). They
    /// are the latest ones with traffic. The messages of all others are fetched by page.
    pub fn max_subscribed(mut self, count: usize) -> Self {
        self.options.max_subscribed = count;
        self
    }

    /// Also delivers the messages of a conversation from before the user joined it (default
    /// `false`).
    pub fn history_on_join(mut self, history: bool) -> Self {
        self.options.history_on_join = history;
        self
    }

    /// Opens the inbox, and resolves when its start position is stored. Waits for the connection
    /// without a time limit. Turns the [outbox](crate::outbox) of the session on.
    ///
    /// # Errors
    /// [`Error::Usage`] if the name is empty or open already, or if the filter names a property
    /// that it may not name. The server may refuse the list of conversations. The end of the
    /// session.
    pub async fn open(self) -> Result<Inbox, Error> {
        let Self {
            handle,
            name,
            options,
        } = self;
        Inbox::open(handle, name, options).await
    }
}

impl fmt::Debug for InboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxBuilder")
            .field("session", &self.handle)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
