//! The subscriptions of `talk rpc`, by number.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::value::RawValue;
use talk_tokio::outbox::Entry;
use talk_tokio::{
    CallFuture, Changes, CommandError, Subscription, SubscriptionState, TypingSnapshot, Update,
    Window,
};

use super::calls::Job;
use super::feeds::{Feeds, Follower, lock};
use super::output::{Output, SnapshotLine, json};
use crate::failure::Failure;

/// The subscriptions that have not ended, by number.
pub(crate) struct Subscriptions {
    output: Output,
    pub(super) feeds: Feeds<dyn Controls>,
}

/// The controls of a subscription to any kind of snapshot.
pub(super) trait Controls: Send + Sync {
    fn load_more(&self, count: Option<usize>) -> Result<CallFuture<()>, Failure>;
    fn unsubscribe(&self);
}

/// The snapshot of a subscription.
pub(crate) trait Shown: Clone + PartialEq + Serialize + Send + Sync + 'static {
    /// Returns `Some(true)` if a list is fully loaded, or `None` if the snapshot is not a list.
    fn loaded_all(&self) -> Option<bool> {
        None
    }

    /// Returns the outbox entries of a conversation.
    fn pending(&self) -> &[Arc<Entry>] {
        &[]
    }

    /// Loads more items of a list.
    fn load_more(_: &Subscription<Self>, _: Option<usize>) -> Result<CallFuture<()>, Failure> {
        Err(CommandError::NotAList.into())
    }
}

impl<T: PartialEq + Serialize + Send + Sync + 'static> Shown for Option<Arc<T>> {}

impl Shown for Option<TypingSnapshot> {}

impl<T: PartialEq + Serialize + Send + Sync + 'static> Shown for Window<T> {
    fn loaded_all(&self) -> Option<bool> {
        Some(self.loaded_all())
    }

    fn load_more(
        subscription: &Subscription<Self>,
        count: Option<usize>,
    ) -> Result<CallFuture<()>, Failure> {
        Ok(subscription.load_more(count))
    }
}

impl<T: PartialEq + Serialize + Send + Sync + 'static> Shown for Option<Window<T>> {
    fn loaded_all(&self) -> Option<bool> {
        // A list without a snapshot has nothing more to load.
        Some(self.as_ref().is_none_or(Window::loaded_all))
    }

    fn pending(&self) -> &[Arc<Entry>] {
        self.as_ref().map_or(&[], Window::pending)
    }

    fn load_more(
        subscription: &Subscription<Self>,
        count: Option<usize>,
    ) -> Result<CallFuture<()>, Failure> {
        Ok(subscription.load_more(count))
    }
}

struct Shared<S>(Mutex<Subscription<S>>);

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Subscription<S>> {
        lock(&self.0)
    }
}

impl<S: Shown> Shared<S> {
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Update<S>>> {
        self.lock().poll_next_unpin(cx)
    }

    fn error(&self) -> Option<Failure> {
        match self.lock().state() {
            SubscriptionState::Error(error) => Some(error.into()),
            SubscriptionState::Pending
            | SubscriptionState::Active(_)
            | SubscriptionState::Unsubscribed => None,
        }
    }
}

impl<S: Shown> Controls for Shared<S> {
    fn load_more(&self, count: Option<usize>) -> Result<CallFuture<()>, Failure> {
        S::load_more(&self.lock(), count)
    }

    fn unsubscribe(&self) {
        self.lock().unsubscribe();
    }
}

impl Subscriptions {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            feeds: Feeds::new(),
        }
    }

    /// Answers the call with the number of the subscription, and then writes its snapshots.
    pub(crate) fn start<S: Shown>(&mut self, id: Box<RawValue>, subscription: Subscription<S>) {
        #[derive(Serialize)]
        struct Subscribed {
            subscription: u64,
        }
        let subscription = Arc::new(Shared(Mutex::new(subscription)));
        let controls: Arc<dyn Controls> = subscription.clone();
        let follower = self.feeds.add(controls);
        let output = self.output.clone();
        tokio::spawn(async move {
            let subscribed = json(&Subscribed {
                subscription: follower.number,
            });
            output.answer(&id, &subscribed).await;
            follow(&subscription, follower, &output).await;
        });
    }

    /// Loads more items. The answer follows the line with these items.
    pub(crate) fn load_more(&self, number: u64, count: Option<usize>) -> Result<Job, Failure> {
        let feed = self.feeds.open(number)?;
        let load = feed.controls.load_more(count)?;
        let caught_up = feed.caught_up();
        Ok(Box::pin(async move {
            load.await?;
            caught_up.await;
            json(&())
        }))
    }

    /// Ends the subscription. Does nothing if it has ended already.
    pub(crate) fn unsubscribe(&self, number: u64) -> Result<(), Failure> {
        if let Some(feed) = self.feeds.find(number)? {
            feed.controls.unsubscribe();
        }
        Ok(())
    }

    /// Ends all subscriptions.
    pub(crate) fn unsubscribe_all(&self) {
        for (_, subscription) in self.feeds.iter() {
            subscription.unsubscribe();
        }
    }
}

/// Writes each snapshot of a subscription, and its end.
async fn follow<S: Shown>(subscription: &Shared<S>, mut follower: Follower, output: &Output) {
    let number = follower.number;
    let mut last = None;
    let mut is_started = false;
    while let Some(update) = follower.next(|cx| subscription.poll_next(cx)).await {
        let turn = output.turn().await;
        let Ok(snapshot) = json(&update.snapshot) else {
            continue;
        };
        let pending = match update.snapshot.pending() {
            [] => None,
            entries => json(&entries).ok(),
        };
        let line = SnapshotLine {
            subscription: number,
            loaded_all: update.snapshot.loaded_all(),
            gap: (last.is_some() && update.changes == Changes::Gap).then_some(true),
            pending,
            settled: update.settled,
            freshness: Some(update.freshness).filter(|it| it.is_cached()),
            snapshot,
        };
        // Different snapshots can have equal JSON.
        let content = line.content();
        if last.as_ref() == Some(&content) && line.settled.is_empty() {
            continue;
        }
        output.snapshot(turn, &line).await;
        last = Some(content);
        if !is_started && line.freshness.is_none() {
            is_started = true;
            follower.started();
        }
    }
    output.ended(number, subscription.error().as_ref()).await;
}
