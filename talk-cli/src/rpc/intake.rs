//! The limit of calls in flight.

use std::future::pending;
use std::time::Duration;

use talk_tokio::CommandError;
use tokio::time::{Instant, sleep_until};

use crate::failure::Failure;

/// The maximum number of calls in flight. Further lines wait, because each call may hold an answer
/// that the output has not accepted, and because the session refuses more than 10,000 calls.
const MAX_CALLS: usize = 8_000;

/// The maximum number of calls in flight that includes those of [`is_control`].
const MAX_CONTROL_CALLS: usize = MAX_CALLS + 1_000;

/// The maximum number of unwritten answers. It exceeds the number of calls in flight, so that
/// refusals cannot stop the reading for longer than the reader of the output does.
const MAX_UNWRITTEN: usize = 2 * MAX_CALLS;

/// The time without an answer after which lines no longer wait. Usual reconnects are shorter.
const STALL: Duration = Duration::from_secs(5);

/// Decides which lines are read and which calls are refused.
///
/// Lines wait for the calls in flight, so that a program can write any number of calls at once.
/// Some calls only end by a later line, such as `outbox.sent` by `outbox.resume`, or by the end of
/// input. Therefore lines are read again when no call completes, and most of their calls are
/// refused.
pub(crate) struct Intake {
    state: State,
}

enum State {
    /// There is room for calls.
    Open,
    /// Lines wait for the answers to calls.
    Waiting {
        /// The number of calls in flight. It only falls in this state.
        in_flight: usize,
        until: Instant,
    },
    /// No call completes.
    Stalled {
        /// The number of calls in flight at the beginning of this state.
        in_flight: usize,
    },
}

impl Intake {
    pub(crate) fn new() -> Self {
        Self { state: State::Open }
    }

    /// Records the number of calls in flight.
    pub(super) fn update(&mut self, in_flight: usize) {
        if in_flight < MAX_CALLS {
            self.state = State::Open;
            return;
        }
        match self.state {
            // An answer has arrived, or none has been awaited so far.
            State::Open => self.wait(in_flight),
            State::Waiting {
                in_flight: before, ..
            }
            | State::Stalled { in_flight: before }
                if in_flight < before =>
            {
                self.wait(in_flight);
            }
            State::Waiting { .. } | State::Stalled { .. } => {}
        }
    }

    fn wait(&mut self, in_flight: usize) {
        self.state = State::Waiting {
            in_flight,
            until: Instant::now() + STALL,
        };
    }

    /// Returns `true` if lines may be read.
    pub(super) fn is_open(&self, unwritten: usize) -> bool {
        unwritten < MAX_UNWRITTEN && !matches!(self.state, State::Waiting { .. })
    }

    /// Completes when lines have waited for too long.
    pub(super) async fn stalled(&mut self) {
        match self.state {
            State::Waiting { in_flight, until } => {
                sleep_until(until).await;
                self.state = State::Stalled { in_flight };
            }
            State::Open | State::Stalled { .. } => pending().await,
        }
    }

    /// Returns `true` if a call may be started.
    pub(super) fn accepts(&self, call: &str, in_flight: usize) -> bool {
        match self.state {
            // Lines that were read together are executed together, also beyond the limit.
            State::Open | State::Waiting { .. } => true,
            State::Stalled { .. } if is_control(call) => in_flight < MAX_CONTROL_CALLS,
            State::Stalled { .. } => in_flight < MAX_CALLS,
        }
    }

    /// Returns the error of a call that is not accepted.
    pub(super) fn too_many_calls() -> Failure {
        CommandError::TooManyCalls { limit: MAX_CALLS }.into()
    }
}

/// Returns `true` for calls that can end other calls, and that need no answer of the server.
fn is_control(call: &str) -> bool {
    const CONTROL: [&str; 12] = [
        "cancel",
        "inbox.ack",
        "inbox.close",
        "outbox.cancel",
        "outbox.discard",
        "outbox.edit",
        "outbox.resume",
        "outbox.retry",
        "outbox.retryAll",
        "session.networkChanged",
        "session.setToken",
        "subscription.unsubscribe",
    ];
    CONTROL.contains(&call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intake_full_waits_for_an_answer() {
        let mut intake = Intake::new();
        intake.update(MAX_CALLS + 1);
        assert!(!intake.is_open(MAX_CALLS + 1));
        intake.update(MAX_CALLS);
        assert!(!intake.is_open(MAX_CALLS));
        intake.update(MAX_CALLS - 1);
        assert!(intake.is_open(MAX_CALLS - 1));
        assert!(!intake.is_open(MAX_UNWRITTEN));
    }

    #[test]
    fn intake_stalled_accepts_control_calls_only() {
        let in_flight = MAX_CALLS;
        let mut intake = Intake {
            state: State::Stalled { in_flight },
        };
        assert!(intake.is_open(MAX_CALLS));
        assert!(!intake.accepts("user.get", MAX_CALLS));
        assert!(intake.accepts("outbox.resume", MAX_CALLS));
        assert!(!intake.accepts("outbox.resume", MAX_CONTROL_CALLS));

        // The end of a control call is no sign of progress.
        intake.update(MAX_CALLS + 1);
        intake.update(MAX_CALLS);
        assert!(intake.is_open(MAX_CALLS));
        intake.update(MAX_CALLS - 1);
        assert!(intake.accepts("user.get", MAX_CALLS - 1));
    }
}
