//! The driver's one sleep.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use talk_proto::Timestamp;

use crate::runtime::Runtime;

/// Wakes the driver at a time that moves with almost every frame.
#[derive(Default)]
pub(super) struct Timer {
    /// A sleep that is under way, and when it ends.
    sleep: Option<(Timestamp, BoxFuture<'static, ()>)>,
}

impl Timer {
    /// Sees to it that the task is woken at `deadline`, or somewhat before: a sleep that ends early
    /// is kept, for most deadlines move on before they come. Who is woken looks at the clock.
    ///
    /// Ready when the sleep has ended; then it is to be asked again.
    pub(super) fn poll<R: Runtime>(
        &mut self,
        cx: &mut Context<'_>,
        runtime: &R,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Poll<()> {
        let late = self.sleep.as_ref().is_none_or(|(end, _)| *end > deadline);
        if late {
            let sleep = runtime.sleep(deadline.saturating_since(now));
            self.sleep = Some((deadline, Box::pin(sleep)));
        }
        let Some((_, sleep)) = &mut self.sleep else {
            return Poll::Pending;
        };
        let ended = Pin::new(sleep).poll(cx);
        if ended.is_ready() {
            self.sleep = None;
        }
        ended
    }

    /// There is nothing to wait for.
    pub(super) fn stop(&mut self) {
        self.sleep = None;
    }
}
