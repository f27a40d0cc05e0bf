//! Calls as futures.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::join_all;
use talk_proto::{Call, Reply};

use super::command::{Command, LocalId, ReplySender};
use super::outbox_command::{self, OutboxCommand};
use super::shared::{Handle, Shared};
use crate::error::Error;
use crate::transport::{BoxFuture, BoxableFnOnce, MaybeSend};

/// A call in progress. The first poll starts the call. Dropping the future cancels it: a request
/// that is not yet sent is discarded.
///
/// The future borrows nothing, so it can be spawned or joined with others.
///
/// ```no_run
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
/// let (first, second) = futures_util::future::join(
///     conversation.send("first"),
///     conversation.send("second"),
/// )
/// .await;
/// first?;
/// second?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is made when its future is polled"]
pub struct CallFuture<T> {
    timeout: Option<Duration>,
    state: State<T>,
}

type Make<T> = Box<dyn BoxableFnOnce<Option<Duration>, Made<T>>>;
type Made<T> = BoxFuture<'static, Result<T, Error>>;

enum State<T> {
    /// The call before its first poll, while its time-out can change.
    New(Option<Make<T>>),
    Made(Made<T>),
}

impl<T> CallFuture<T> {
    /// Creates a call that fails without being made.
    pub(crate) fn failed(error: Error) -> Self
    where
        T: MaybeSend + 'static,
    {
        Self::new(|_| Box::pin(std::future::ready(Err(error))))
    }

    fn new(make: impl FnOnce(Option<Duration>) -> Made<T> + MaybeSend + 'static) -> Self {
        Self {
            timeout: None,
            state: State::New(Some(Box::new(make))),
        }
    }

    /// Fails the call with [`TransportError::Deadline`](crate::TransportError::Deadline) if it is
    /// not answered within `timeout`; overrides
    /// [`TalkOptions::call_timeout`](crate::TalkOptions::call_timeout). The time includes the wait
    /// for a connection. It excludes the wait while
    /// [`Limits::pending_calls`](crate::Limits::pending_calls) is reached. The method has no effect
    /// after the first poll.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use std::time::Duration;
    ///
    /// session.conversation("welcome")?.send("Hello").timeout(Duration::from_secs(5)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl CallFuture<()> {
    /// Creates a call that has succeeded.
    pub(crate) fn ready() -> Self {
        Self::new(|_| Box::pin(std::future::ready(Ok(()))))
    }

    /// Creates a call that makes several calls at the same time.
    pub(crate) fn all(calls: Vec<Self>) -> Self {
        Self::new(move |timeout| {
            let calls = calls.into_iter().map(move |call| Self { timeout, ..call });
            Box::pin(async move { join_all(calls).await.into_iter().collect() })
        })
    }
}

impl<T> Future for CallFuture<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::New(make) = &mut self.state
            && let Some(make) = make.take()
        {
            self.state = State::Made(make.call(self.timeout));
        }
        match &mut self.state {
            State::Made(made) => made.as_mut().poll(cx),
            State::New(_) => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for CallFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}

impl Handle {
    /// Makes a call and converts its reply with `extract`.
    pub(crate) fn call<T>(
        &self,
        call: Call,
        extract: impl FnOnce(Reply) -> Result<T, Reply> + MaybeSend + 'static,
    ) -> CallFuture<T> {
        let call = Box::new(call);
        let command = |id, reply| Command::Call { id, call, reply };
        self.submit(command, extract)
    }

    /// Submits a command and converts its reply with `extract`.
    pub(crate) fn submit<T>(
        &self,
        command: impl FnOnce(LocalId, ReplySender) -> Command + MaybeSend + 'static,
        extract: impl FnOnce(Reply) -> Result<T, Reply> + MaybeSend + 'static,
    ) -> CallFuture<T> {
        let handle = self.clone();
        CallFuture::new(move |timeout| {
            Box::pin(async move {
                let reply = handle.request(command, timeout).await?;
                extract(reply).map_err(|reply| Error::unexpected(&reply))
            })
        })
    }

    /// Makes a call whose reply is empty.
    pub(crate) fn call_done(&self, call: Call) -> CallFuture<()> {
        self.call(call, done)
    }

    /// Loads more items of a list and resolves when they are visible.
    pub(crate) fn load_more(&self, subscription: LocalId, count: Option<usize>) -> CallFuture<()> {
        let command = move |id, reply| Command::LoadMore {
            id,
            subscription,
            count,
            reply,
        };
        self.submit(command, done)
    }

    /// Submits a command of the outbox and waits for its result.
    pub(crate) async fn outbox(
        &self,
        command: impl FnOnce(outbox_command::Reply) -> OutboxCommand,
    ) -> Result<bool, Error> {
        let (reply, result) = oneshot::channel();
        self.push(Command::Outbox(Box::new(command(reply))));
        // The receiver fails if the driver was dropped together with the sender.
        result.await.unwrap_or_else(|_| Err(self.end_error()))
    }

    async fn request(
        &self,
        command: impl FnOnce(LocalId, ReplySender) -> Command,
        timeout: Option<Duration>,
    ) -> Result<Reply, Error> {
        // Declared before the guard, so that a cancelled call leaves the core before another call
        // gets its permit.
        let _permit = self.permits.acquire().await;
        let id = self.new_local_id();
        let (reply, outcome) = oneshot::channel();
        self.push(command(id, ReplySender::new(reply, timeout)));
        let mut guard = CancelOnDrop {
            shared: self.shared(),
            id,
            armed: true,
        };
        let outcome = outcome.await;
        guard.armed = false;
        // The receiver fails if the driver was dropped together with the sender.
        outcome.unwrap_or_else(|_| Err(self.end_error()))
    }
}

fn done(reply: Reply) -> Result<(), Reply> {
    match reply {
        Reply::Done => Ok(()),
        reply => Err(reply),
    }
}

/// Cancels the call on drop unless its outcome has arrived.
struct CancelOnDrop<'a> {
    shared: &'a Arc<Shared>,
    id: LocalId,
    armed: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.shared.push(Command::Cancel { id: self.id });
        }
    }
}
