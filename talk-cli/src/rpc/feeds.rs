//! Numbered streams whose items become lines: subscriptions and searches.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};

/// Feeds that have not ended, by number. `C` is what lines can do to one of them.
pub(crate) struct Feeds<C: ?Sized> {
    feeds: BTreeMap<u64, Feed<C>>,
    /// Those that have shown nothing yet.
    starting: BTreeSet<u64>,
    next: u64,
    news_sender: mpsc::UnboundedSender<News>,
    news: mpsc::UnboundedReceiver<News>,
}

/// One feed, from the side of the lines that are about it.
pub(crate) struct Feed<C: ?Sized> {
    pub(crate) controls: Arc<C>,
    questions: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

/// One feed, from the side of the task that writes what it shows. Dropping it tells the end.
pub(crate) struct Follower {
    pub(crate) number: u64,
    questions: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    news: mpsc::UnboundedSender<News>,
}

/// What a follower tells.
enum News {
    /// It has shown something.
    Started(u64),
    Ended(u64),
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

    /// Gives the feed a number.
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

    /// The feed with this number, unless it has ended.
    pub(crate) fn get(&self, number: u64) -> Option<&Feed<C>> {
        self.feeds.get(&number)
    }

    /// All that have not ended.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &C)> {
        self.feeds
            .iter()
            .map(|(&number, feed)| (number, &*feed.controls))
    }

    /// Returns `true` if there is, or was, a feed with this number.
    pub(crate) fn has_been(&self, number: u64) -> bool {
        (1..self.next).contains(&number)
    }

    /// Returns `true` if there are some that have shown nothing yet.
    pub(crate) fn any_starting(&self) -> bool {
        !self.starting.is_empty()
    }

    /// Returns `true` if it has shown nothing yet.
    pub(crate) fn is_starting(&self, number: u64) -> bool {
        self.starting.contains(&number)
    }

    /// Done when a feed has shown something for the first time, or has ended.
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

    /// Done when all have ended.
    pub(crate) async fn all_ended(&mut self) {
        while !self.feeds.is_empty() {
            self.moved().await;
        }
    }
}

impl<C: ?Sized> Feed<C> {
    /// Done when everything that the feed can show now is written.
    pub(crate) fn caught_up(&self) -> impl Future<Output = ()> + Send + use<C> {
        let questions = self.questions.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            if questions.send(answer).is_ok() {
                // An error is an answer too: the feed has ended.
                let _ = answered.await;
            }
        }
    }
}

impl Follower {
    /// The next item, which `poll_item` looks for. Meanwhile whoever asks is told that all before
    /// it is written.
    pub(crate) async fn next<T>(
        &mut self,
        mut poll_item: impl FnMut(&mut Context<'_>) -> Poll<Option<T>>,
    ) -> Option<T> {
        loop {
            tokio::select! {
                biased;
                item = poll_fn(&mut poll_item) => return item,
                Some(answer) = self.questions.recv() => {
                    // Who cancelled meanwhile needs no answer.
                    let _ = answer.send(());
                }
            }
        }
    }

    /// It has shown something.
    pub(crate) fn started(&self) {
        self.tell(News::Started(self.number));
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
