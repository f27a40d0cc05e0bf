//! The loop that handles the messages of an inbox.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use talk_proto::model::EntryId;
use talk_proto::outbox::Entry;
use talk_proto::{Topic, Window};

use super::delivery::Delivery;
use super::lanes::Lanes;
use super::log;
use super::run_options::{Failure, HandlerError, HeldHook, Policy, RunOptions};
use super::stream::Inbox;
use crate::error::Error;
use crate::handle::Sleeper;
use crate::subscription::Subscription;
use crate::transport::BoxFuture;

impl Inbox {
    /// Calls `handler` for each message: one after the other in each conversation, and for several
    /// conversations at the same time. `options` is the maximum number of these conversations, or
    /// [`RunOptions`].
    ///
    /// `Ok` acknowledges the message. After an error, or after the time limit of 300 s, the message
    /// is retried after a delay of 1 s, which doubles with each failure up to 60 s. Later messages
    /// of its conversation wait. After five tries, the message is acknowledged and skipped.
    /// [`RunOptions::on_failure`] is called for each failure, which is also an event of `tracing`
    /// with that feature.
    ///
    /// The handlers run in the task that polls the future. Move blocking calls and long
    /// computations to another thread.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::inbox::Delivery;
    ///
    /// let inbox = session.inbox("echo-bot").open().await?;
    /// inbox
    ///     .run(8, |delivery: Delivery| async move {
    ///         let echo = delivery.message.plaintext();
    ///         delivery.reply(echo).await.map(drop)
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error that ended the inbox. The running handlers are dropped.
    pub async fn run<F, Fut, E>(
        mut self,
        options: impl Into<RunOptions>,
        handler: F,
    ) -> Result<(), Error>
    where
        F: Fn(Delivery) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let RunOptions {
            limit,
            policy,
            on_held,
            mut shutdown,
        } = options.into();
        let sleeper = self.handle.sleeper().await?;
        let mut held = on_held.map(|hook| HeldEntries {
            entries: Subscription::new(&self.handle, Topic::Outbox),
            reported: BTreeSet::new(),
            hook,
        });
        let mut is_stopping = false;
        let mut lanes = Lanes::default();
        let mut attempts = FuturesUnordered::new();
        let mut waits = FuturesUnordered::new();
        loop {
            while !is_stopping
                && attempts.len() < limit
                && let Some(delivery) = lanes.start_next()
            {
                attempts.push(attempt(&handler, &policy, &sleeper, delivery));
            }
            if is_stopping && attempts.is_empty() {
                return Ok(());
            }
            let event = poll_fn(|cx| {
                if let Some(held) = &mut held {
                    held.poll(cx);
                }
                if !is_stopping && poll_signal(&mut shutdown, cx).is_ready() {
                    return Poll::Ready(Event::Shutdown);
                }
                if let Poll::Ready(Some((delivery, result))) = attempts.poll_next_unpin(cx) {
                    return Poll::Ready(Event::Attempted(delivery, result));
                }
                if let Poll::Ready(Some(delivery)) = waits.poll_next_unpin(cx) {
                    return Poll::Ready(Event::Waited(delivery));
                }
                self.poll_next_unpin(cx).map(Event::Delivered)
            });
            match event.await {
                Event::Shutdown => is_stopping = true,
                Event::Delivered(Some(delivery)) => lanes.push(delivery),
                Event::Delivered(None) => return self.terminated().await,
                Event::Attempted(delivery, result) => match result? {
                    None => lanes.finish(&delivery),
                    Some(delay) => waits.push(wait(&sleeper, delay, delivery)),
                },
                Event::Waited(delivery) => lanes.retry(delivery),
            }
        }
    }
}

enum Event {
    Shutdown,
    /// The stream has yielded an item.
    Delivered(Option<Delivery>),
    /// An attempt has completed. `None` if the message is completed, or else the delay before the
    /// next attempt.
    Attempted(Delivery, Result<Option<Duration>, Error>),
    /// The delay before the next attempt is over.
    Waited(Delivery),
}

/// Handles a message, and acknowledges it unless it must be retried.
async fn attempt<F, Fut, E>(
    handler: &F,
    policy: &Policy,
    sleeper: &Sleeper,
    delivery: Delivery,
) -> (Delivery, Result<Option<Duration>, Error>)
where
    F: Fn(Delivery) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let handled = handler(delivery.clone());
    if let Err(error) = with_timeout(handled, policy.timeout, sleeper).await {
        let mut next = delivery.clone();
        let retry_in = match delivery.is_acknowledged() {
            true => None,
            false => policy.retry_in(&mut next, &error),
        };
        log::attempt_failed(&delivery, retry_in);
        if let Some(hook) = &policy.on_failure {
            hook.call(&Failure {
                delivery: delivery.clone(),
                error,
                retry_in,
            });
        }
        if retry_in.is_some() {
            return (next, Ok(retry_in));
        }
    }
    let acknowledged = delivery.ack().await;
    (delivery, acknowledged.map(|()| None))
}

async fn with_timeout<E: Into<Box<dyn StdError + Send + Sync>>>(
    handled: impl Future<Output = Result<(), E>>,
    timeout: Option<Duration>,
    sleeper: &Sleeper,
) -> Result<(), HandlerError> {
    let result = match timeout {
        None => handled.await,
        Some(timeout) => match select(pin!(handled), sleeper.call(timeout)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => return Err(HandlerError::TimedOut(timeout)),
        },
    };
    result.map_err(|error| HandlerError::Failed(error.into()))
}

async fn wait(sleeper: &Sleeper, delay: Duration, delivery: Delivery) -> Delivery {
    sleeper.call(delay).await;
    delivery
}

fn poll_signal(signal: &mut Option<BoxFuture<'static, ()>>, cx: &mut Context<'_>) -> Poll<()> {
    match signal {
        Some(signal) => signal.as_mut().poll(cx),
        None => Poll::Pending,
    }
}

/// The held entries of the outbox.
struct HeldEntries {
    entries: Subscription<Window<Entry>>,
    reported: BTreeSet<EntryId>,
    hook: HeldHook,
}

impl HeldEntries {
    /// Reports the entries that have become held since the last update.
    fn poll(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(update)) = self.entries.poll_next_unpin(cx) {
            let held = update.snapshot.iter().filter(|it| it.held().is_some());
            let held: Vec<_> = held.collect();
            for entry in &held {
                if !self.reported.contains(&entry.id) {
                    self.hook.call(entry);
                }
            }
            self.reported = held.iter().map(|entry| entry.id.clone()).collect();
        }
    }
}
