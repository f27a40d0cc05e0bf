//! Detection of connections that accept no data.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::transport::{BoxFuture, Transport};

/// More unsent bytes than this indicate a dead connection.
const MAX_UNSENT: usize = 4 << 20;

/// A connection with more than [`MAX_UNSENT`] bytes is lost if it accepts no data for this long.
/// Without the delay, a large burst would break a healthy connection, and break the next one when
/// it is repeated.
const STALL_TIMEOUT: Duration = Duration::from_secs(1);

/// Distinguishes a dead connection from a slow one.
#[derive(Default)]
pub(super) struct Backlog {
    /// The total number of bytes queued on the socket.
    queued: usize,
    /// The number of bytes written when the wait began, and the wait.
    stall: Option<(usize, BoxFuture<'static, ()>)>,
}

impl Backlog {
    /// Counts bytes that were queued on the socket.
    pub(super) fn add(&mut self, bytes: usize) {
        self.queued = self.queued.saturating_add(bytes);
    }

    /// Is ready when the connection counts as lost.
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
