//! The inboxes of `talk rpc`, by number.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::value::RawValue;
use talk_tokio::inbox::{Delivery, Inbox, InboxBuilder};
use talk_tokio::outbox::{Enqueue, EntryId};
use talk_tokio::{CommandError, ConversationId, Error, MessageSnapshot};
use tokio::sync::oneshot;

use super::calls::{Job, same};
use super::feeds::{Feeds, Follower, lock};
use super::output::{Output, json};
use crate::failure::Failure;

/// The inboxes that have not ended, by number.
pub(crate) struct Inboxes {
    output: Output,
    pub(super) feeds: Feeds<Controls>,
    /// The number of the next delivery. Numbers are not reused.
    next_delivery: Arc<AtomicU64>,
}

/// The control of an inbox.
pub(super) struct Controls {
    /// The ID of the call that opened the inbox.
    id: Box<RawValue>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Stops an inbox that is being opened.
    stop: Option<oneshot::Sender<Failure>>,
    inbox: Option<Inbox>,
    /// Set after a stop. Later deliveries are dropped, because they cannot be acknowledged.
    is_stopped: bool,
    /// The deliveries without a stored acknowledgement.
    deliveries: BTreeMap<u64, Delivery>,
}

impl Controls {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        match &mut self.lock().inbox {
            Some(inbox) => inbox.poll_next_unpin(cx),
            None => Poll::Ready(None),
        }
    }

    /// Ends the inbox. An inbox that is being opened fails with `failure`. Returns `true` if it was
    /// being opened.
    fn stop(&self, failure: &Failure) -> bool {
        let mut state = self.lock();
        state.is_stopped = true;
        if let Some(inbox) = &state.inbox {
            inbox.close();
        }
        match state.stop.take() {
            // Fails if the inbox has opened in the meantime.
            Some(stop) => stop.send(failure.clone()).is_ok(),
            None => false,
        }
    }

    /// Adds a delivery. Returns `false` if the inbox was stopped.
    fn register(&self, number: u64, delivery: &Delivery) -> bool {
        let mut state = self.lock();
        if !state.is_stopped {
            state.deliveries.insert(number, delivery.clone());
        }
        !state.is_stopped
    }

    fn delivery(&self, number: u64) -> Result<Delivery, Failure> {
        let state = self.lock();
        let delivery = state.deliveries.get(&number);
        Ok(delivery.cloned().ok_or(CommandError::UnknownDelivery)?)
    }
}

impl Inboxes {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            feeds: Feeds::new(),
            next_delivery: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Opens an inbox, answers the call with its number, and then writes its deliveries.
    pub(super) fn start(&mut self, id: Box<RawValue>, inbox: InboxBuilder) {
        #[derive(Serialize)]
        struct Opened {
            inbox: u64,
        }
        let (stop, stopped) = oneshot::channel();
        let controls = Arc::new(Controls {
            id,
            state: Mutex::new(State {
                stop: Some(stop),
                ..State::default()
            }),
        });
        let follower = self.feeds.add(Arc::clone(&controls));
        let output = self.output.clone();
        let next_delivery = Arc::clone(&self.next_delivery);
        let mut opening = Box::pin(inbox.open());
        // Polls once before the task starts, so that inboxes are opened in the order of their input
        // lines. The task registers its own waker.
        let first = opening
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        tokio::spawn(async move {
            let opened = match first {
                Poll::Ready(opened) => opened.map_err(Failure::from),
                Poll::Pending => tokio::select! {
                    biased;
                    Ok(failure) = stopped => Err(failure),
                    opened = opening => opened.map_err(Failure::from),
                },
            };
            let number = follower.number;
            let answer = match opened {
                Ok(inbox) => {
                    let mut state = controls.lock();
                    state.stop = None;
                    state.inbox = Some(inbox);
                    json(&Opened { inbox: number })
                }
                Err(failure) => Err(failure),
            };
            output.answer(&controls.id, &answer).await;
            if answer.is_ok() {
                follower.started();
                follow(&controls, follower, &output, &next_delivery).await;
            }
        });
    }

    /// Acknowledges a delivery. Completes when the acknowledgement is stored.
    pub(super) fn ack(&self, number: u64, delivery: u64) -> Result<Job, Failure> {
        let controls = self.controls(number)?;
        let acknowledged = controls.delivery(delivery)?;
        Ok(Box::pin(async move {
            acknowledged.ack().await?;
            controls.lock().deliveries.remove(&delivery);
            json(&())
        }))
    }

    /// Answers a delivery in its conversation, and acknowledges the delivery.
    pub(super) fn reply(
        &self,
        number: u64,
        delivery: u64,
        conversation: &ConversationId,
        message: Enqueue,
    ) -> Result<impl Future<Output = Result<EntryId, Error>> + Send + use<>, Failure> {
        let controls = self.controls(number)?;
        let answered = controls.delivery(delivery)?;
        if answered.conversation.id != *conversation {
            return Err(Failure::usage("the delivery is of another conversation"));
        }
        Ok(async move {
            let entry = answered.reply(message).await?.stored().await?;
            controls.lock().deliveries.remove(&delivery);
            Ok(entry)
        })
    }

    fn controls(&self, number: u64) -> Result<Arc<Controls>, Failure> {
        Ok(Arc::clone(&self.feeds.open(number)?.controls))
    }

    /// Closes the inbox. Has no effect on an inbox that has ended.
    pub(super) fn close(&self, number: u64) -> Result<(), Failure> {
        if let Some(feed) = self.feeds.find(number)? {
            feed.controls.stop(&CommandError::Unsubscribed.into());
        }
        Ok(())
    }

    /// Stops the inboxes that the call with this ID is opening. Returns `true` if there is one.
    pub(super) fn cancel(&self, id: &RawValue, failure: &Failure) -> bool {
        let mut any = false;
        for (number, inbox) in self.feeds.iter() {
            if self.feeds.is_starting(number) && same(&inbox.id, id) {
                any |= inbox.stop(failure);
            }
        }
        any
    }

    /// Closes all inboxes.
    pub(crate) fn close_all(&self, failure: &Failure) {
        for (_, inbox) in self.feeds.iter() {
            inbox.stop(failure);
        }
    }
}

/// Writes the deliveries of an inbox, and its end.
async fn follow(controls: &Controls, mut follower: Follower, output: &Output, next: &AtomicU64) {
    #[derive(Serialize)]
    struct Line<'a> {
        inbox: u64,
        delivery: u64,
        conversation: &'a ConversationId,
        message: &'a MessageSnapshot,
    }
    #[derive(Serialize)]
    struct Ended {
        inbox: u64,
        ended: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
    }
    let inbox = follower.number;
    while let Some(delivered) = follower.next(|cx| controls.poll_next(cx)).await {
        let turn = output.turn().await;
        let delivery = next.fetch_add(1, Ordering::Relaxed);
        // Registered before the line is written, because an acknowledgement may follow at once.
        if !controls.register(delivery, &delivered) {
            continue;
        }
        let line = Line {
            inbox,
            delivery,
            conversation: &delivered.conversation.id,
            message: &delivered.message,
        };
        output.line_in(turn, &line).await;
    }
    let ended = controls.lock().inbox.take();
    let error = match ended {
        Some(inbox) => inbox.terminated().await.err().map(Failure::from),
        None => None,
    };
    let ended = match error {
        None => "closed",
        Some(_) => "error",
    };
    output
        .line(&Ended {
            inbox,
            ended,
            error,
        })
        .await;
}
