//! What handles ask of the driver.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use talk_proto::{Call, ConversationFilter, Reply, SearchKind, Secret, Topic};

use crate::error::Error;
use crate::search::slot::SearchSlot;
use crate::subscription::slot::SnapshotSink;
use crate::upload::metadata::{MediaKind, UploadMetadata};
use crate::upload::progress::ProgressCounter;
use crate::upload::source::UploadSource;

/// One call of one session: the handle's name for it, known before the core gives its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalId(pub(crate) u64);

/// Where the outcome of a call goes, and when it is to be there.
pub(crate) struct ReplySender {
    to: oneshot::Sender<Result<Reply, Error>>,
    /// How long this call may take, if that was said of it.
    pub(crate) timeout: Option<Duration>,
}

impl ReplySender {
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
        id: LocalId,
        call: Box<Call>,
        reply: ReplySender,
    },
    /// Load more items of the list that `subscription` shows.
    LoadMore {
        id: LocalId,
        subscription: LocalId,
        count: Option<usize>,
        reply: ReplySender,
    },
    /// Nobody waits for the call any more.
    Cancel { id: LocalId },
    /// Subscribe; what comes of it goes to `display`.
    Subscribe {
        id: LocalId,
        topic: Box<Topic>,
        sink: Arc<dyn SnapshotSink>,
    },
    /// Nobody looks at the subscription any more.
    Unsubscribe { id: LocalId },
    /// Begin a search; what it finds goes to `cell`.
    StartSearch {
        id: LocalId,
        kind: SearchKind,
        slot: Arc<SearchSlot>,
    },
    /// Search for something else.
    SetQuery {
        id: LocalId,
        search: LocalId,
        text: String,
        filter: Box<ConversationFilter>,
        reply: ReplySender,
    },
    /// Load the next page of a search.
    SearchMore {
        id: LocalId,
        search: LocalId,
        limit: Option<usize>,
        reply: ReplySender,
    },
    /// Upload a file.
    Upload {
        id: LocalId,
        kind: MediaKind,
        source: UploadSource,
        metadata: Box<UploadMetadata>,
        progress: Arc<ProgressCounter>,
        reply: ReplySender,
    },
    /// Nobody looks at the search any more.
    EndSearch { id: LocalId },
    /// Use this token from now on.
    SetToken(Secret),
    /// A token handler was set.
    TokenHandlerSet,
    /// The network is back, or is another one.
    NetworkChanged,
    /// End the session.
    Shutdown,
    /// The last handle may be gone.
    HandlesReleased,
}

impl Command {
    /// Tells whoever waits for it that it is not going to be done.
    pub(crate) fn reject(self, error: &Error) {
        match self {
            Self::Call { reply, .. }
            | Self::LoadMore { reply, .. }
            | Self::SetQuery { reply, .. }
            | Self::SearchMore { reply, .. }
            | Self::Upload { reply, .. } => {
                // Who has stopped waiting needs no answer.
                let _ = reply.send(Err(error.clone()));
            }
            Self::Subscribe { sink, .. } => sink.end(Some(error.clone())),
            Self::StartSearch { slot, .. } => slot.end(),
            Self::Cancel { .. }
            | Self::EndSearch { .. }
            | Self::Unsubscribe { .. }
            | Self::SetToken(_)
            | Self::TokenHandlerSet
            | Self::NetworkChanged
            | Self::Shutdown
            | Self::HandlesReleased => {}
        }
    }
}
