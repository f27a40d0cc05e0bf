//! What a socket was given and has not taken.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::transport::{BoxFuture, Transport};

/// More unsent bytes than this are a sign of a dead connection.
const MAX_UNSENT: usize = 4 << 20;

/// How long a connection with so many unsent bytes may take nothing. Without it, a burst above
/// [`MAX_UNSENT`] would break a healthy connection, and again when it is repeated on the next.
const STALL_TIMEOUT: Duration = Duration::from_secs(1);

/// Tells a connection that is dead from one that is slow.
#[derive(Default)]
pub(super) struct Backlog {
    /// All bytes that the socket was ever given.
    queued: usize,
    /// How many it had taken when the wait began, and the wait.
    stall: Option<(usize, BoxFuture<'static, ()>)>,
}

impl Backlog {
    /// The socket was given so many bytes.
    pub(super) fn add(&mut self, bytes: usize) {
        self.queued = self.queued.saturating_add(bytes);
    }

    /// Ready when the connection counts as lost.
    pub(super) fn poll<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        transport: &T,
        unsent: usize,
    ) -> Poll<()> {
        if unsent <= MAX_UNSENT {
            self.stall = None;
            return Poll::Pending;
        }
        let written = self.queued.saturating_sub(unsent);
        if self.stall.as_ref().is_none_or(|(then, _)| *then != written) {
            self.stall = Some((written, transport.sleep(STALL_TIMEOUT)));
        }
        if let Some((_, wait)) = &mut self.stall {
            ready!(wait.as_mut().poll(cx));
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
