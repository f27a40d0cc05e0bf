//! The driver's one sleep.

use std::task::{Context, Poll};

use talk_proto::Timestamp;

use crate::transport::{BoxFuture, Transport};

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
    pub(super) fn poll<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        transport: &T,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Poll<()> {
        let late = self.sleep.as_ref().is_none_or(|(end, _)| *end > deadline);
        if late {
            let sleep = transport.sleep(deadline.saturating_since(now));
            self.sleep = Some((deadline, sleep));
        }
        let Some((_, sleep)) = &mut self.sleep else {
            return Poll::Pending;
        };
        let ended = sleep.as_mut().poll(cx);
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
