//! Detection of connections that accept no data.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::transport::BoxFuture;

/// More unsent bytes than this indicate a dead connection.
const MAX_UNSENT: usize = 4 << 20;

/// A connection with more than [`MAX_UNSENT`] bytes is lost if it accepts no data for this long, as
/// long as the core waits for a silent server: 10 s until its ping, and 5 s for the answer. The
/// buffer of the kernel accepts data in large parts, so a slow connection accepts none for seconds.
/// A shorter timeout would break it, and break the next one when the data is repeated.
const STALL_TIMEOUT: Duration = Duration::from_secs(15);

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

    /// Is ready when the connection counts as lost. `sleep` waits for a duration.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sleep: impl FnOnce(Duration) -> BoxFuture<'static, ()>,
        unsent: usize,
    ) -> Poll<()> {
        if unsent <= MAX_UNSENT {
            self.stall = None;
            return Poll::Pending;
        }
        let written = self.queued.saturating_sub(unsent);
        if self.stall.as_ref().is_none_or(|(then, _)| *then != written) {
            self.stall = Some((written, sleep(STALL_TIMEOUT)));
        }
        if let Some((_, wait)) = &mut self.stall {
            ready!(wait.as_mut().poll(cx));
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::task::noop_waker;

    use super::*;

    /// A backlog whose time is advanced by the test.
    #[derive(Default)]
    struct Bench {
        backlog: Backlog,
        millis: Arc<AtomicU64>,
        unsent: usize,
    }

    impl Bench {
        fn send(&mut self, bytes: usize) {
            self.backlog.add(bytes);
            self.unsent += bytes;
        }

        fn is_lost(&mut self) -> bool {
            let sleep = |wait: Duration| -> BoxFuture<'static, ()> {
                let millis = Arc::clone(&self.millis);
                let until = millis.load(Ordering::Relaxed) + wait.as_millis() as u64;
                Box::pin(poll_fn(move |_| {
                    match millis.load(Ordering::Relaxed) >= until {
                        true => Poll::Ready(()),
                        false => Poll::Pending,
                    }
                }))
            };
            let waker = noop_waker();
            let mut cx = Context::from_waker(&waker);
            self.backlog.poll(&mut cx, sleep, self.unsent).is_ready()
        }

        /// Returns `true` if the connection is lost within a number of seconds.
        fn is_lost_within(&mut self, seconds: u64) -> bool {
            (0..seconds * 10).any(|_| {
                self.millis.fetch_add(100, Ordering::Relaxed);
                self.is_lost()
            })
        }
    }

    #[test]
    fn connection_that_accepts_data_rarely_is_kept() {
        let mut bench = Bench::default();
        bench.send(9 << 20);
        for _ in 0..90 {
            assert!(!bench.is_lost_within(10));
            bench.unsent -= 100 << 10;
        }
    }

    #[test]
    fn connection_that_accepts_nothing_is_lost() {
        let mut bench = Bench::default();
        bench.send(MAX_UNSENT);
        assert!(!bench.is_lost_within(60));
        // More data is no progress.
        assert!((0..20).any(|_| {
            bench.send(1 << 10);
            bench.is_lost_within(1)
        }));
    }
}
