//! Commands from handles to the driver.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use talk_proto::{Call, Reply, Secret, Topic, filter::ConversationFilter, search::SearchKind};

use super::inbox_command::InboxCommand;
use super::outbox_command::OutboxCommand;
use crate::error::Error;
use crate::search::slot::SearchSlot;
use crate::subscription::slot::SnapshotSink;
use crate::transport::{BoxFuture, BoxableFnOnce, SharableFn};
use crate::upload::metadata::{MediaKind, UploadMetadata};
use crate::upload::progress::ProgressCounter;
use crate::upload::source::UploadSource;

/// The client's ID of a call, subscription or search of one session. The handle assigns it, because
/// the core assigns its own ID only when the driver handles the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalId(pub(crate) u64);

/// The receiver of the outcome of a call.
pub(crate) struct ReplySender {
    to: oneshot::Sender<Result<Reply, Error>>,
    /// The time limit that the call has instead of the session's default, if any.
    pub(crate) timeout: Option<Duration>,
}

impl ReplySender {
    pub(crate) fn new(
        to: oneshot::Sender<Result<Reply, Error>>,
        timeout: Option<Duration>,
    ) -> Self {
        Self { to, timeout }
    }

    /// Sends the outcome, or returns it if the caller has stopped waiting.
    pub(crate) fn send(self, outcome: Result<Reply, Error>) -> Result<(), Result<Reply, Error>> {
        self.to.send(outcome)
    }
}

/// A factory of timers. A timer completes after the given duration.
pub(crate) type Sleeper = Arc<dyn SharableFn<Duration, BoxFuture<'static, ()>>>;

/// A factory of a background task, which receives the timers of the transport.
type MakeTask = Box<dyn BoxableFnOnce<Sleeper, BoxFuture<'static, ()>>>;

/// A command. The driver handles commands in the order of their submission.
pub(crate) enum Command {
    /// Makes a call.
    Call {
        id: LocalId,
        call: Box<Call>,
        reply: ReplySender,
    },
    /// Loads more items of a subscribed list.
    LoadMore {
        id: LocalId,
        subscription: LocalId,
        count: Option<usize>,
        reply: ReplySender,
    },
    /// Cancels a call that the caller dropped.
    Cancel { id: LocalId },
    /// Subscribes and sends snapshots to `sink`.
    Subscribe {
        id: LocalId,
        topic: Box<Topic>,
        sink: Arc<dyn SnapshotSink>,
    },
    /// Ends a subscription.
    Unsubscribe { id: LocalId },
    /// Starts a search and sends results to `slot`.
    StartSearch {
        id: LocalId,
        kind: SearchKind,
        slot: Arc<SearchSlot>,
    },
    /// Replaces the query of a search.
    SetQuery {
        id: LocalId,
        search: LocalId,
        text: String,
        filter: Box<ConversationFilter>,
        reply: ReplySender,
    },
    /// Loads the next page of a search.
    SearchMore {
        id: LocalId,
        search: LocalId,
        limit: Option<usize>,
        reply: ReplySender,
    },
    /// Uploads a file.
    Upload {
        id: LocalId,
        kind: MediaKind,
        source: UploadSource,
        metadata: Box<UploadMetadata>,
        progress: Arc<ProgressCounter>,
        reply: ReplySender,
    },
    /// Ends a search.
    EndSearch { id: LocalId },
    /// Uses the outbox.
    Outbox(Box<OutboxCommand>),
    /// Uses an inbox.
    Inbox(Box<InboxCommand>),
    /// Runs a task in the background.
    Spawn(MakeTask),
    /// Replaces the token.
    SetToken(Secret),
    /// Reports that the application set a token handler.
    TokenHandlerSet,
    /// Reports that the network returned or changed.
    NetworkChanged,
    /// Ends the session.
    Shutdown,
    /// Reports that the last handle was dropped. A new handle may exist when the driver handles
    /// this command.
    HandlesReleased,
}

impl Command {
    /// Reports `error` to the caller of the command.
    pub(crate) fn reject(self, error: &Error) {
        match self {
            Self::Call { reply, .. }
            | Self::LoadMore { reply, .. }
            | Self::SetQuery { reply, .. }
            | Self::SearchMore { reply, .. }
            | Self::Upload { reply, .. } => {
                // Fails if the caller has stopped waiting.
                let _ = reply.send(Err(error.clone()));
            }
            Self::Subscribe { sink, .. } => sink.end(Some(error.clone())),
            Self::StartSearch { slot, .. } => slot.end(),
            Self::Outbox(command) => command.reject(error),
            Self::Inbox(command) => command.reject(error),
            Self::Cancel { .. }
            | Self::EndSearch { .. }
            | Self::Unsubscribe { .. }
            | Self::SetToken(_)
            | Self::Spawn(_)
            | Self::TokenHandlerSet
            | Self::NetworkChanged
            | Self::Shutdown
            | Self::HandlesReleased => {}
        }
    }

    /// Returns the size of the message of an outbox or inbox, which is 0 without one.
    pub(crate) fn outbox_size(&self) -> usize {
        match self {
            Self::Outbox(command) => command.size(),
            Self::Inbox(command) => command.size(),
            _ => 0,
        }
    }

    /// Returns the ID of the call.
    pub(crate) fn id(&self) -> Option<LocalId> {
        match self {
            Self::Call { id, .. }
            | Self::LoadMore { id, .. }
            | Self::SetQuery { id, .. }
            | Self::SearchMore { id, .. }
            | Self::Upload { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Returns the time-out of the call, which is `default` unless the call has its own. Uploads
    /// have no default.
    pub(crate) fn timeout(&self, default: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Call { reply, .. }
            | Self::LoadMore { reply, .. }
            | Self::SetQuery { reply, .. }
            | Self::SearchMore { reply, .. } => reply.timeout.or(default),
            Self::Upload { reply, .. } => reply.timeout,
            _ => None,
        }
    }

    /// Replaces the time-out of the call.
    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        if let Self::Call { reply, .. }
        | Self::LoadMore { reply, .. }
        | Self::SetQuery { reply, .. }
        | Self::SearchMore { reply, .. }
        | Self::Upload { reply, .. } = self
        {
            reply.timeout = Some(timeout);
        }
    }
}
