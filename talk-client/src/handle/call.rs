//! A call, from the handle's side.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_channel::oneshot;
use talk_proto::{Call, Reply};

use super::command::{Command, LocalId, ReplySender};
use super::shared::{Handle, Shared};
use crate::error::Error;
use crate::transport::{BoxFuture, BoxableFnOnce, MaybeSend};

/// A call that is being made. It is made when it is first polled, and dropping it cancels it: what
/// was not sent by then never is.
///
/// It borrows nothing, so that it can be spawned or joined with others.
///
/// ```no_run
/// # async fn example(conversation: talk_client::ConversationRef) -> Result<(), talk_client::Error> {
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
    /// It was not polled yet; the time that it may take is not settled.
    New(Option<Make<T>>),
    Made(Made<T>),
}

impl<T> CallFuture<T> {
    fn new(make: impl FnOnce(Option<Duration>) -> Made<T> + MaybeSend + 'static) -> Self {
        Self {
            timeout: None,
            state: State::New(Some(Box::new(make))),
        }
    }

    /// Lets the call fail with [`TransportError::Deadline`](crate::TransportError::Deadline) unless
    /// it is answered within this time, instead of
    /// [`TalkOptions::call_timeout`](crate::TalkOptions::call_timeout). The wait for a connection
    /// counts, that for a place among [`Limits::pending_calls`](crate::Limits::pending_calls) does
    /// not. Once the call was polled it changes nothing.
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
    /// Makes a call, of whose outcome `extract` takes the part that it is answered with.
    pub(crate) fn call<T>(
        &self,
        call: Call,
        extract: impl FnOnce(Reply) -> Result<T, Reply> + MaybeSend + 'static,
    ) -> CallFuture<T> {
        let call = Box::new(call);
        let command = |id, reply| Command::Call { id, call, reply };
        self.submit(command, extract)
    }

    /// Asks for something, of whose outcome `extract` takes the part that is wanted.
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

    /// Makes a call that is answered with nothing.
    pub(crate) fn call_done(&self, call: Call) -> CallFuture<()> {
        self.call(call, done)
    }

    /// Loads more items of a list; done when they are there.
    pub(crate) fn load_more(&self, subscription: LocalId, count: Option<usize>) -> CallFuture<()> {
        let command = move |id, reply| Command::LoadMore {
            id,
            subscription,
            count,
            reply,
        };
        self.submit(command, done)
    }

    async fn request(
        &self,
        command: impl FnOnce(LocalId, ReplySender) -> Command,
        timeout: Option<Duration>,
    ) -> Result<Reply, Error> {
        // Declared before the guard, so that a cancelled call leaves the core before the next one
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
        // The driver was dropped with the answer.
        outcome.unwrap_or_else(|_| Err(self.end_error()))
    }
}

fn done(reply: Reply) -> Result<(), Reply> {
    match reply {
        Reply::Done => Ok(()),
        reply => Err(reply),
    }
}

/// Cancels the call unless its outcome came.
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
