//! The options of `Inbox::run`, and the failures that it reports.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use talk_proto::outbox::Entry;

use super::delivery::Delivery;
use crate::transport::{BoxFuture, MaybeSend, MaybeSync, SharableFn};

/// The default time limit of a handler.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

pub(super) type FailureHook = Box<dyn for<'a> SharableFn<&'a Failure, ()>>;
/// Returns `true` for errors that do not count as attempts.
pub(super) type ErrorFilter = Box<dyn for<'a> SharableFn<&'a HandlerError, bool>>;
pub(super) type HeldHook = Box<dyn for<'a> SharableFn<&'a Entry, ()>>;

/// The options of [`Inbox::run`](super::Inbox::run).
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// use std::time::Duration;
/// use talk_client::inbox::{Delivery, RunOptions};
///
/// let options = RunOptions::new(8)
///     .timeout(Duration::from_secs(20))
///     .on_failure(|failure| eprintln!("{failure}"))
///     .on_held(|entry| eprintln!("the answer {} was not sent", entry.id));
/// let inbox = session.inbox("support-bot").open().await?;
/// inbox.run(options, |delivery: Delivery| async move { delivery.ack().await }).await
/// # }
/// ```
#[must_use]
pub struct RunOptions {
    pub(super) limit: usize,
    pub(super) policy: Policy,
    pub(super) on_held: Option<HeldHook>,
    pub(super) shutdown: Option<BoxFuture<'static, ()>>,
}

/// The policy for attempts: retries, the time limit, and the report of failures.
pub(super) struct Policy {
    tries: u32,
    first_backoff: Duration,
    max_backoff: Duration,
    pub(super) timeout: Option<Duration>,
    pub(super) on_failure: Option<FailureHook>,
    always_retry_if: Option<ErrorFilter>,
}

impl Policy {
    /// Counts a failed attempt, and returns the delay before the next one, or `None` after the last
    /// one.
    pub(super) fn retry_in(
        &self,
        delivery: &mut Delivery,
        error: &HandlerError,
    ) -> Option<Duration> {
        let filter = self.always_retry_if.as_ref();
        let is_counted = !filter.is_some_and(|filter| filter.call(error));
        if is_counted {
            if delivery.attempt >= self.tries {
                return None;
            }
            delivery.attempt += 1;
        }
        let factor = 2_u32.saturating_pow(delivery.failures);
        delivery.failures = delivery.failures.saturating_add(1);
        Some(
            self.first_backoff
                .saturating_mul(factor)
                .min(self.max_backoff),
        )
    }
}

impl RunOptions {
    /// Creates options for up to `limit` conversations at a time, at least one.
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            policy: Policy {
                tries: 5,
                first_backoff: Duration::from_secs(1),
                max_backoff: Duration::from_secs(60),
                timeout: Some(DEFAULT_TIMEOUT),
                on_failure: None,
                always_retry_if: None,
            },
            on_held: None,
            shutdown: None,
        }
    }

    /// Sets the number of attempts to handle a message (default 5, at least one).
    pub fn tries(mut self, tries: u32) -> Self {
        self.policy.tries = tries.max(1);
        self
    }

    /// Sets the delay after the first failure (default 1 s), which doubles with each further one up
    /// to `max` (default 60 s).
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.policy.first_backoff = first;
        self.policy.max_backoff = max;
        self
    }

    /// Sets the time limit of an attempt (default 300 s). `None` disables the limit. A handler that
    /// exceeds it is dropped.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.policy.timeout = timeout.into();
        self
    }

    /// Sets a function that is called for each failed attempt.
    pub fn on_failure(mut self, hook: impl Fn(&Failure) + MaybeSend + MaybeSync + 'static) -> Self {
        self.policy.on_failure = Some(Box::new(hook));
        self
    }

    /// Sets a function that returns `true` for errors that are independent of the message, such as
    /// that of an unreachable database. An attempt that fails with such an error does not count:
    /// the message is retried after the same delays, and is never skipped.
    pub fn always_retry_if(
        mut self,
        filter: impl Fn(&HandlerError) -> bool + MaybeSend + MaybeSync + 'static,
    ) -> Self {
        self.policy.always_retry_if = Some(Box::new(filter));
        self
    }

    /// Sets a function that is called once for each entry of the outbox that is
    /// [held](crate::outbox::Stage::Held), such as an answer that the server has refused. It is
    /// called for all entries of the session's outbox, including those of earlier processes.
    pub fn on_held(mut self, hook: impl Fn(&Entry) + MaybeSend + MaybeSync + 'static) -> Self {
        self.on_held = Some(Box::new(hook));
        self
    }

    /// Ends [`Inbox::run`](super::Inbox::run) after `signal` completes: `run` starts no further
    /// handler, and returns when the running handlers have completed.
    pub fn graceful_shutdown(
        mut self,
        signal: impl Future<Output = ()> + MaybeSend + 'static,
    ) -> Self {
        self.shutdown = Some(Box::pin(signal));
        self
    }
}

impl From<usize> for RunOptions {
    fn from(limit: usize) -> Self {
        Self::new(limit)
    }
}

impl fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("limit", &self.limit)
            .field("tries", &self.policy.tries)
            .field("first_backoff", &self.policy.first_backoff)
            .field("max_backoff", &self.policy.max_backoff)
            .field("timeout", &self.policy.timeout)
            .finish_non_exhaustive()
    }
}

/// A failed attempt to handle a message.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The message. [`Delivery::attempt`] is the number of the attempt.
    pub delivery: Delivery,
    /// The reason.
    pub error: HandlerError,
    /// The time until the next attempt; `None` if the message is skipped.
    pub retry_in: Option<Duration>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.delivery.message.id;
        let conversation = &self.delivery.conversation.id;
        write!(
            f,
            "message {message} in conversation {conversation}: {}",
            self.error
        )?;
        match self.retry_in {
            Some(delay) => write!(f, "; trying again in {} s", delay.as_secs_f32()),
            None => write!(f, "; skipped after {} tries", self.delivery.attempt()),
        }
    }
}

/// The failure of a handler.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// The handler returned an error.
    #[error(transparent)]
    Failed(Box<dyn StdError + Send + Sync>),
    /// The handler did not complete in time.
    #[error("the handler has not completed within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
}
