//! What handles ask of the driver.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use talk_proto::{Call, ConversationFilter, Reply, SearchKind, Secret, Topic};

use crate::error::Error;
use crate::search::cell::SearchCell;
use crate::subscription::cell::Display;
use crate::upload::metadata::{Kind, UploadMetadata};
use crate::upload::progress::Meter;
use crate::upload::source::UploadSource;

/// One call of one session: the handle's name for it, known before the core gives its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// Where the outcome of a call goes, and when it is to be there.
pub(crate) struct Answer {
    to: oneshot::Sender<Result<Reply, Error>>,
    /// How long this call may take, if that was said of it.
    pub(crate) timeout: Option<Duration>,
}

impl Answer {
    pub(crate) fn new(
        to: oneshot::Sender<Result<Reply, Error>>,
        timeout: Option<Duration>,
    ) -> Self {
        Self { to, timeout }
    }

    /// Tells the outcome; gives it back when nobody waits for it any more.
    pub(crate) fn send(self, outcome: Result<Reply, Error>) -> Result<(), Result<Reply, Error>> {
        self.to.send(outcome)
    }
}

/// One thing to do. The driver takes them in the order in which they were given.
pub(crate) enum Command {
    /// Make a call.
    Call {
        ticket: Ticket,
        call: Box<Call>,
        answer: Answer,
    },
    /// Load more items of the list that `subscription` shows.
    LoadMore {
        ticket: Ticket,
        subscription: Ticket,
        count: Option<usize>,
        answer: Answer,
    },
    /// Nobody waits for the call any more.
    Cancel { ticket: Ticket },
    /// Subscribe; what comes of it goes to `display`.
    Subscribe {
        ticket: Ticket,
        topic: Box<Topic>,
        display: Arc<dyn Display>,
    },
    /// Nobody looks at the subscription any more.
    Unsubscribe { ticket: Ticket },
    /// Begin a search; what it finds goes to `cell`.
    StartSearch {
        ticket: Ticket,
        kind: SearchKind,
        cell: Arc<SearchCell>,
    },
    /// Search for something else.
    SetQuery {
        ticket: Ticket,
        search: Ticket,
        text: String,
        filter: Box<ConversationFilter>,
        answer: Answer,
    },
    /// Load the next page of a search.
    SearchMore {
        ticket: Ticket,
        search: Ticket,
        limit: Option<usize>,
        answer: Answer,
    },
    /// Upload a file.
    Upload {
        ticket: Ticket,
        kind: Kind,
        source: UploadSource,
        metadata: Box<UploadMetadata>,
        meter: Arc<Meter>,
        answer: Answer,
    },
    /// Nobody looks at the search any more.
    EndSearch { ticket: Ticket },
    /// Use this token from now on.
    SetToken(Secret),
    /// A token handler was set.
    TokenHandlerSet,
    /// The network is back, or is another one.
    NetworkChanged,
    /// End the session.
    ShutDown,
    /// The last handle may be gone.
    Released,
}

impl Command {
    /// Tells whoever waits for it that it is not going to be done.
    pub(crate) fn reject(self, error: &Error) {
        match self {
            Self::Call { answer, .. }
            | Self::LoadMore { answer, .. }
            | Self::SetQuery { answer, .. }
            | Self::SearchMore { answer, .. }
            | Self::Upload { answer, .. } => {
                // Who has stopped waiting needs no answer.
                let _ = answer.send(Err(error.clone()));
            }
            Self::Subscribe { display, .. } => display.end(Some(error.clone())),
            Self::StartSearch { cell, .. } => cell.end(),
            Self::Cancel { .. }
            | Self::EndSearch { .. }
            | Self::Unsubscribe { .. }
            | Self::SetToken(_)
            | Self::TokenHandlerSet
            | Self::NetworkChanged
            | Self::ShutDown
            | Self::Released => {}
        }
    }
}
