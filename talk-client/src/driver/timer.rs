//! The driver's timer.

use std::task::{Context, Poll};

use talk_proto::Timestamp;

use crate::transport::{BoxFuture, Transport};

/// A timer whose deadline moves with almost every frame.
#[derive(Default)]
pub(super) struct Timer {
    /// The running sleep and its end.
    sleep: Option<(Timestamp, BoxFuture<'static, ()>)>,
}

impl Timer {
    /// Wakes the task at `deadline` or earlier. A sleep that ends earlier is kept, because most
    /// deadlines move on before they expire; the woken task checks the clock.
    ///
    /// Is ready when the sleep has ended. It has to be polled again then.
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

    /// Stops the timer.
    pub(super) fn stop(&mut self) {
        self.sleep = None;
    }
}
