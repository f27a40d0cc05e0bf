//! Subscriptions, each with a number.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::value::RawValue;
use talk_tokio::{
    CallFuture, CommandError, Subscription, SubscriptionState, TypingSnapshot, Update, Window,
};
use tokio::sync::{mpsc, oneshot};

use super::calls::Job;
use super::failure::Failure;
use super::output::{Output, json};

/// Subscriptions that have not ended, by number.
pub(crate) struct Subscriptions {
    output: Output,
    feeds: BTreeMap<u64, Feed>,
    /// Those that have shown nothing yet.
    starting: BTreeSet<u64>,
    next: u64,
    news_sender: mpsc::UnboundedSender<News>,
    news: mpsc::UnboundedReceiver<News>,
}

/// A subscription, from the side of the lines that are about it.
struct Feed {
    subscription: Arc<dyn Controls>,
    caught_up: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

/// What lines can do to a subscription, whatever it shows.
trait Controls: Send + Sync {
    fn load_more(&self, count: Option<usize>) -> Result<CallFuture<()>, Failure>;
    fn unsubscribe(&self);
}

/// What a subscription can show.
pub(crate) trait Shown: Clone + PartialEq + Serialize + Send + Sync + 'static {
    /// Of a list: whether there is nothing more to load.
    fn loaded_all(&self) -> Option<bool>;
    /// Loads more of a list.
    fn load_more(
        subscription: &Subscription<Self>,
        count: Option<usize>,
    ) -> Result<CallFuture<()>, Failure>;
}

impl<T: PartialEq + Serialize + Send + Sync + 'static> Shown for Option<Arc<T>> {
    fn loaded_all(&self) -> Option<bool> {
        None
    }

    fn load_more(_: &Subscription<Self>, _: Option<usize>) -> Result<CallFuture<()>, Failure> {
        Err(CommandError::NotAList.into())
    }
}

impl Shown for Option<TypingSnapshot> {
    fn loaded_all(&self) -> Option<bool> {
        None
    }

    fn load_more(_: &Subscription<Self>, _: Option<usize>) -> Result<CallFuture<()>, Failure> {
        Err(CommandError::NotAList.into())
    }
}

impl<T: PartialEq + Serialize + Send + Sync + 'static> Shown for Option<Window<T>> {
    fn loaded_all(&self) -> Option<bool> {
        // Where there is no list, there is nothing to load.
        Some(self.as_ref().is_none_or(Window::loaded_all))
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Shown> Shared<S> {
    async fn next(&self) -> Option<Update<S>> {
        poll_fn(|cx| self.lock().poll_next_unpin(cx)).await
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

/// What the task of a subscription tells.
enum News {
    /// It has shown its first snapshot.
    Shown(u64),
    /// It has told its end.
    Ended(u64),
}

impl Subscriptions {
    pub(crate) fn new(output: Output) -> Self {
        let (news_sender, news) = mpsc::unbounded_channel();
        Self {
            output,
            feeds: BTreeMap::new(),
            starting: BTreeSet::new(),
            next: 1,
            news_sender,
            news,
        }
    }

    /// Answers the call with a number, and then writes what the subscription shows.
    pub(crate) fn start<S: Shown>(&mut self, id: Box<RawValue>, subscription: Subscription<S>) {
        let number = self.next;
        self.next += 1;
        let subscription = Arc::new(Shared(Mutex::new(subscription)));
        let (caught_up, questions) = mpsc::unbounded_channel();
        let feed = Feed {
            subscription: Arc::clone(&subscription) as Arc<dyn Controls>,
            caught_up,
        };
        self.feeds.insert(number, feed);
        self.starting.insert(number);
        let follower = Follower {
            number,
            output: self.output.clone(),
            news: self.news_sender.clone(),
        };
        tokio::spawn(async move {
            #[derive(Serialize)]
            struct Subscribed {
                subscription: u64,
            }
            let subscribed = json(&Subscribed {
                subscription: number,
            });
            follower.output.answer(&id, &subscribed).await;
            follower.follow(&subscription, questions).await;
        });
    }

    /// Loads more. It is answered after the line that shows what was loaded.
    pub(crate) fn load_more(&self, number: u64, count: Option<usize>) -> Result<Job, Failure> {
        let feed = self.feeds.get(&number).ok_or(CommandError::Unknown)?;
        let load = feed.subscription.load_more(count)?;
        let caught_up = feed.caught_up.clone();
        Ok(Box::pin(async move {
            load.await?;
            let (answer, answered) = oneshot::channel();
            if caught_up.send(answer).is_ok() {
                // An error is an answer too: the subscription has ended.
                let _ = answered.await;
            }
            json(&())
        }))
    }

    /// Ends the subscription; nothing happens to one that has ended.
    pub(crate) fn unsubscribe(&self, number: u64) -> Result<(), Failure> {
        match self.feeds.get(&number) {
            Some(feed) => feed.subscription.unsubscribe(),
            None if (1..self.next).contains(&number) => {}
            None => return Err(CommandError::Unknown.into()),
        }
        Ok(())
    }

    /// Ends all subscriptions.
    pub(crate) fn unsubscribe_all(&self) {
        for feed in self.feeds.values() {
            feed.subscription.unsubscribe();
        }
    }

    /// Whether there are some that have shown nothing yet.
    pub(crate) fn any_starting(&self) -> bool {
        !self.starting.is_empty()
    }

    /// Done when a subscription has shown its first snapshot or told its end.
    pub(crate) async fn moved(&mut self) {
        match self.news.recv().await {
            Some(News::Shown(number)) => {
                self.starting.remove(&number);
            }
            Some(News::Ended(number)) => {
                self.starting.remove(&number);
                self.feeds.remove(&number);
            }
            None => {}
        }
    }

    /// Done when all have told their end.
    pub(crate) async fn all_ended(&mut self) {
        while !self.feeds.is_empty() {
            self.moved().await;
        }
    }
}

/// Writes what one subscription shows.
struct Follower {
    number: u64,
    output: Output,
    news: mpsc::UnboundedSender<News>,
}

impl Follower {
    /// Writes each snapshot and the end. Whoever asks is told when what can be shown now is
    /// written.
    async fn follow<S: Shown>(
        self,
        subscription: &Shared<S>,
        mut questions: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    ) {
        let mut last = None;
        loop {
            let update = tokio::select! {
                biased;
                update = subscription.next() => update,
                Some(answer) = questions.recv() => {
                    // Who cancelled meanwhile needs no answer.
                    let _ = answer.send(());
                    continue;
                }
            };
            let Some(update) = update else { break };
            let Ok(snapshot) = json(&update.snapshot) else {
                continue;
            };
            // Snapshots that differ can look the same in JSON.
            let line = (snapshot.get().to_owned(), update.snapshot.loaded_all());
            if last.as_ref() == Some(&line) {
                continue;
            }
            self.output.snapshot(self.number, &snapshot, line.1).await;
            if last.replace(line).is_none() {
                self.tell(News::Shown(self.number));
            }
        }
        let error = subscription.error();
        self.output.ended(self.number, error.as_ref()).await;
    }

    fn tell(&self, news: News) {
        // Without a receiver, all is over.
        let _ = self.news.send(news);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.tell(News::Ended(self.number));
    }
}
