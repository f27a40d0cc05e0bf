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
    /// joining. The user's own answers would change all other properties.
    pub fn filter(mut self, filter: impl Into<ConversationFilter>) -> Self {
        self.options.filter = Some(filter.into());
        self
    }

    /// Sets the first message of a name that the store does not know (default
    /// [`InboxStart::Now`]). A known name continues at its positions. A conversation that the user
    /// joins later starts at the time of joining; see [`history_on_join`](Self::history_on_join).
    pub fn start(mut self, start: InboxStart) -> Self {
        self.options.start = start;
        self
    }

    /// Delivers the user's own messages too (default: not).
    pub fn own(mut self, own: bool) -> Self {
        self.options.own = own;
        self
    }

    /// Delivers system messages too (default: not).
    pub fn system(mut self, system: bool) -> Self {
        self.options.system = system;
        self
    }

    /// Sets the largest number of deliveries that are not acknowledged (default 256). With so many,
    /// no further message is fetched.
    pub fn max_unacked(mut self, count: usize) -> Self {
        self.options.max_unacked = count;
        self
    }

    /// Delivers the earlier messages of a conversation that the user joins too (default: not).
    pub fn history_on_join(mut self, history: bool) -> Self {
        self.options.history_on_join = history;
        self
    }

    /// Opens the inbox, and resolves when its start is stored. It waits for the connection without
    /// a time limit.
    ///
    /// # Errors
    /// [`Error::Usage`] if the name is empty or open already, or if the filter names a property
    /// that the answers change. The server may refuse the list of conversations. The end of the
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
