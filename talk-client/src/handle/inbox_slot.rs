//! The slot that passes the deliveries of an inbox from the driver to its consumer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use event_listener::Event;
use futures_util::task::AtomicWaker;
use talk_proto::CommandError;
use talk_proto::inbox::Delivery;

use crate::error::Error;
use crate::sync::{Mutex, lock, notify_all, wait_for};

/// The deliveries that the consumer has not taken. The core limits their number.
pub(crate) struct InboxSlot {
    state: Mutex<State>,
    consumer: AtomicWaker,
    changed: Event,
}

#[derive(Default)]
struct State {
    is_open: bool,
    deliveries: VecDeque<Delivery>,
    /// The result of the inbox, once it has ended.
    ended: Option<Result<(), Error>>,
}

impl InboxSlot {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            consumer: AtomicWaker::new(),
            changed: Event::new(),
        })
    }

    /// Reports that the start of the inbox is stored.
    pub(crate) fn set_open(&self) {
        lock(&self.state).is_open = true;
        notify_all(&self.changed);
    }

    /// Adds a delivery. The caller wakes the consumer after the last one.
    pub(crate) fn push(&self, delivery: Delivery) {
        let mut state = lock(&self.state);
        if state.ended.is_none() {
            state.deliveries.push_back(delivery);
        }
    }

    /// Wakes the consumer, which takes all deliveries.
    pub(crate) fn wake(&self) {
        self.consumer.wake();
    }

    /// Ends the inbox. Returns `false` if it has already ended.
    pub(crate) fn end(&self, result: Result<(), Error>) -> bool {
        let mut state = lock(&self.state);
        if state.ended.is_some() {
            return false;
        }
        state.ended = Some(result);
        // Deliveries that were not taken can no longer be acknowledged.
        let dropped = std::mem::take(&mut state.deliveries);
        drop(state);
        drop(dropped);
        self.consumer.wake();
        notify_all(&self.changed);
        true
    }

    /// Returns the result of the inbox, once it has ended.
    pub(crate) fn ended(&self) -> Option<Result<(), Error>> {
        lock(&self.state).ended.clone()
    }

    /// Returns the error of an acknowledgement after the end of the inbox.
    pub(crate) fn end_error(&self) -> Option<Error> {
        self.ended().map(|ended| match ended {
            Ok(()) => CommandError::Unsubscribed.into(),
            Err(error) => error,
        })
    }

    /// Takes the next delivery; `None` after the end.
    pub(crate) fn poll_delivery(&self, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.consumer.register(cx.waker());
        let mut state = lock(&self.state);
        match state.deliveries.pop_front() {
            Some(delivery) => Poll::Ready(Some(delivery)),
            None if state.ended.is_some() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// Waits until the inbox is open. The result of an inbox that has ended without an error is
    /// `None`.
    pub(crate) async fn opened(&self) -> Option<Result<(), Error>> {
        let opened = wait_for(&self.changed, || {
            let state = lock(&self.state);
            match &state.ended {
                Some(Err(error)) => Some(Some(Err(error.clone()))),
                Some(Ok(())) => Some(None),
                None => state.is_open.then_some(Some(Ok(()))),
            }
        });
        opened.await
    }

    /// Waits until the inbox has ended.
    pub(crate) async fn terminated(&self) -> Result<(), Error> {
        wait_for(&self.changed, || self.ended()).await
    }
}
