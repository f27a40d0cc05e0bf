//! Numbered streams whose items become lines: subscriptions, searches and inboxes.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use talk_tokio::CommandError;
use tokio::sync::{mpsc, oneshot};

/// The feeds that have not ended, by number. `C` controls a feed.
pub(crate) struct Feeds<C: ?Sized> {
    feeds: BTreeMap<u64, Feed<C>>,
    /// The feeds without a first item.
    starting: BTreeSet<u64>,
    next: u64,
    news_sender: mpsc::UnboundedSender<News>,
    news: mpsc::UnboundedReceiver<News>,
}

/// A feed, as seen by the lines of input that concern it.
pub(crate) struct Feed<C: ?Sized> {
    pub(crate) controls: Arc<C>,
    questions: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

/// A feed, as seen by the task that writes its items. Dropping it reports the end.
pub(crate) struct Follower {
    pub(crate) number: u64,
    questions: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    news: mpsc::UnboundedSender<News>,
}

/// A notification from a follower.
enum News {
    /// The first item was written.
    Started(u64),
    Ended(u64),
}

/// Locks a mutex, also after a panic of another thread.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<C: ?Sized> Feeds<C> {
    pub(crate) fn new() -> Self {
        let (news_sender, news) = mpsc::unbounded_channel();
        Self {
            feeds: BTreeMap::new(),
            starting: BTreeSet::new(),
            next: 1,
            news_sender,
            news,
        }
    }

    /// Adds a feed and assigns a number to it.
    pub(crate) fn add(&mut self, controls: Arc<C>) -> Follower {
        let number = self.next;
        self.next += 1;
        let (question, questions) = mpsc::unbounded_channel();
        let feed = Feed {
            controls,
            questions: question,
        };
        self.feeds.insert(number, feed);
        self.starting.insert(number);
        Follower {
            number,
            questions,
            news: self.news_sender.clone(),
        }
    }

    fn get(&self, number: u64) -> Option<&Feed<C>> {
        self.feeds.get(&number)
    }

    /// Returns the feed with this number.
    ///
    /// # Errors
    /// There is no such feed, or it has ended.
    pub(crate) fn open(&self, number: u64) -> Result<&Feed<C>, CommandError> {
        self.get(number).ok_or(CommandError::Unknown)
    }

    /// Returns the feed with this number, or `None` if it has ended.
    ///
    /// # Errors
    /// There is no such feed.
    pub(crate) fn find(&self, number: u64) -> Result<Option<&Feed<C>>, CommandError> {
        match self.get(number) {
            None if !(1..self.next).contains(&number) => Err(CommandError::Unknown),
            feed => Ok(feed),
        }
    }

    /// Returns the feeds that have not ended.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &C)> {
        self.feeds
            .iter()
            .map(|(&number, feed)| (number, &*feed.controls))
    }

    /// Returns `true` if a feed has no first item yet.
    pub(crate) fn any_starting(&self) -> bool {
        !self.starting.is_empty()
    }

    /// Returns `true` if the feed with this number has no first item yet.
    pub(crate) fn is_starting(&self, number: u64) -> bool {
        self.starting.contains(&number)
    }

    /// Completes when a feed has written its first item or has ended.
    pub(crate) async fn moved(&mut self) {
        match self.news.recv().await {
            Some(News::Started(number)) => {
                self.starting.remove(&number);
            }
            Some(News::Ended(number)) => {
                self.starting.remove(&number);
                self.feeds.remove(&number);
            }
            None => {}
        }
    }

    /// Completes when all feeds have ended.
    pub(crate) async fn all_ended(&mut self) {
        while !self.feeds.is_empty() {
            self.moved().await;
        }
    }
}

impl<C: ?Sized> Feed<C> {
    /// Completes when all present items of the feed are written.
    pub(crate) fn caught_up(&self) -> impl Future<Output = ()> + Send + use<C> {
        let questions = self.questions.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            if questions.send(answer).is_ok() {
                // An error means that the feed has ended and everything is written.
                let _ = answered.await;
            }
        }
    }
}

impl Follower {
    /// Returns the next item of `poll_item`. While there is none, confirms that all previous items
    /// are written.
    pub(crate) async fn next<T>(
        &mut self,
        mut poll_item: impl FnMut(&mut Context<'_>) -> Poll<Option<T>>,
    ) -> Option<T> {
        loop {
            tokio::select! {
                biased;
                item = poll_fn(&mut poll_item) => return item,
                Some(answer) = self.questions.recv() => {
                    // The receiver may be gone.
                    let _ = answer.send(());
                }
            }
        }
    }

    /// Reports the first item.
    pub(crate) fn started(&self) {
        self.notify(News::Started(self.number));
    }

    fn notify(&self, news: News) {
        // Without a receiver, the command has ended.
        let _ = self.news.send(news);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.notify(News::Ended(self.number));
    }
}
