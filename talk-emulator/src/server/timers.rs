use std::collections::BTreeSet;
use std::time::Duration;

use talk_proto::Timestamp;

use super::fault::Fault;
use super::output::ConnectionId;
use super::webhooks::WebhookAttemptId;

/// A scheduled action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A user stops typing.
    TypingEnds {
        app: String,
        conversation: String,
        user: String,
    },
    /// A connection's token expires.
    SessionExpires(ConnectionId),
    /// A slow connection recovers.
    SlowEnds(ConnectionId),
    /// An injected fault becomes due.
    FaultDue(Fault),
    /// A webhook is not answered in time.
    WebhookTimesOut(WebhookAttemptId),
    /// A webhook is retried.
    WebhookRetries(String),
    /// A webhook that was held back for a later one is delivered without it.
    WebhookHoldEnds(String),
    /// The messages that a user has not read become due for a notification.
    NotificationDue {
        app: String,
        conversation: String,
        user: String,
    },
}

impl Timer {
    pub(super) fn notification(app: &str, conversation: &str, user: &str) -> Self {
        Self::NotificationDue {
            app: app.to_owned(),
            conversation: conversation.to_owned(),
            user: user.to_owned(),
        }
    }
}

/// The scheduled actions, soonest first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    pub(super) fn set(&mut self, at: Timestamp, timer: Timer) {
        self.queue.insert((at, timer));
    }

    /// Cancels a timer that was set for exactly this time.
    pub(super) fn cancel(&mut self, at: Timestamp, timer: Timer) {
        self.queue.remove(&(at, timer));
    }

    /// Iterates over the faults that are not due yet.
    pub(super) fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.queue.iter().filter_map(|(_, timer)| match timer {
            Timer::FaultDue(fault) => Some(fault),
            _ => None,
        })
    }

    /// Cancels all faults that are not due yet.
    pub(super) fn cancel_faults(&mut self) {
        self.queue
            .retain(|(_, timer)| !matches!(timer, Timer::FaultDue(_)));
    }

    /// Delays the time limits of webhooks.
    pub(super) fn postpone_webhook_limits(&mut self, by: Duration) {
        let is_limit = |(_, timer): &(_, Timer)| matches!(timer, Timer::WebhookTimesOut(_));
        let limits: Vec<_> = self.queue.extract_if(.., is_limit).collect();
        let postponed = limits.into_iter().map(|(at, timer)| (at + by, timer));
        self.queue.extend(postponed);
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes the next due timer with its time.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, Timer)> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop_first()
    }
}
