//! Numbered searches.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use futures_util::{FutureExt, StreamExt, TryFutureExt};
use serde::Serialize;
use serde_json::value::RawValue;
use talk_tokio::{ConversationFilter, Error, Search, SearchUpdate};
use tokio::sync::oneshot;

use super::calls::{Job, same};
use super::feeds::{Feed, Feeds, Follower, lock};
use super::output::{Output, json};
use crate::failure::Failure;

/// The searches that have not ended, by number.
pub(crate) struct Searches {
    output: Output,
    pub(super) feeds: Feeds<dyn Controls>,
}

/// A page that is being loaded. Its results are written as lines and are not part of the answer.
type Page = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The control of a search of any kind.
pub(super) trait Controls: Send + Sync {
    fn set_query(&self, text: String, filter: ConversationFilter) -> Page;
    fn load_more(&self, limit: Option<usize>) -> Page;
    /// Returns `true` if the call with this ID started the search.
    fn is_of(&self, id: &RawValue) -> bool;
    /// Ends the search, and writes the failure if there is one.
    fn stop(&self, failure: Option<Failure>);
}

struct Shared<T> {
    id: Box<RawValue>,
    search: Mutex<Search<T>>,
    stop: Mutex<Option<oneshot::Sender<Option<Failure>>>>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Search<T>> {
        lock(&self.search)
    }
}

impl<T: Send + Sync + 'static> Controls for Shared<T> {
    fn set_query(&self, text: String, filter: ConversationFilter) -> Page {
        Box::pin(self.lock().set_query(text, filter).map_ok(drop))
    }

    fn load_more(&self, limit: Option<usize>) -> Page {
        Box::pin(self.lock().load_more(limit).map_ok(drop))
    }

    fn is_of(&self, id: &RawValue) -> bool {
        same(&self.id, id)
    }

    fn stop(&self, failure: Option<Failure>) {
        if let Some(stop) = lock(&self.stop).take() {
            // The search may have ended in the meantime.
            let _ = stop.send(failure);
        }
    }
}

impl Searches {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            feeds: Feeds::new(),
        }
    }

    /// Starts a search at once, answers the call with its number, and then writes the results.
    pub(crate) fn start<T: Serialize + Send + Sync + 'static>(
        &mut self,
        id: Box<RawValue>,
        search: Search<T>,
        text: String,
        filter: ConversationFilter,
    ) {
        #[derive(Serialize)]
        struct Searching {
            search: u64,
        }
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::new(Shared {
            id,
            search: Mutex::new(search),
            stop: Mutex::new(Some(stop)),
        });
        let mut first = shared.set_query(text, filter);
        // The first poll sends the query in the order of the lines. The follower polls it from then
        // on.
        let answered = first.poll_unpin(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(answer) = answered {
            first = Box::pin(std::future::ready(answer));
        }
        let controls: Arc<dyn Controls> = shared.clone();
        let follower = self.feeds.add(controls);
        let output = self.output.clone();
        tokio::spawn(async move {
            let searching = json(&Searching {
                search: follower.number,
            });
            output.answer(&shared.id, &searching).await;
            let number = follower.number;
            tokio::select! {
                biased;
                Ok(failure) = stopped => {
                    if let Some(failure) = failure {
                        output.search_failed(number, &failure).await;
                    }
                }
                () = follow(&shared, first, follower, &output) => {}
            }
        });
    }

    /// Changes the query. The answer follows the lines with the results.
    pub(crate) fn set_query(
        &self,
        number: u64,
        text: String,
        filter: ConversationFilter,
    ) -> Result<Job, Failure> {
        let feed = self.feed(number)?;
        let page = feed.controls.set_query(text, filter);
        Ok(self.job(number, feed, page))
    }

    /// Loads more results. The answer follows the lines with the results.
    pub(crate) fn load_more(&self, number: u64, limit: Option<usize>) -> Result<Job, Failure> {
        let feed = self.feed(number)?;
        let page = feed.controls.load_more(limit);
        Ok(self.job(number, feed, page))
    }

    fn feed(&self, number: u64) -> Result<&Feed<dyn Controls>, Failure> {
        Ok(self.feeds.open(number)?)
    }

    fn job(&self, number: u64, feed: &Feed<dyn Controls>, page: Page) -> Job {
        let caught_up = feed.caught_up();
        let output = self.output.clone();
        Box::pin(async move {
            let outcome = page.await;
            caught_up.await;
            match outcome.map_err(Failure::from) {
                Ok(()) => json(&()),
                Err(failure) => {
                    if !failure.is_usage() {
                        output.search_failed(number, &failure).await;
                    }
                    Err(failure)
                }
            }
        })
    }

    /// Ends the searches that the call with this ID started. Returns `true` if there is one.
    pub(crate) fn cancel(&self, id: &RawValue, failure: &Failure) -> bool {
        let mut any = false;
        for (number, search) in self.feeds.iter() {
            if search.is_of(id) {
                self.stop(number, search, failure);
                any = true;
            }
        }
        any
    }

    /// Ends all searches.
    pub(crate) fn cancel_all(&self, failure: &Failure) {
        for (number, search) in self.feeds.iter() {
            self.stop(number, search, failure);
        }
    }

    fn stop(&self, number: u64, search: &dyn Controls, failure: &Failure) {
        let is_starting = self.feeds.is_starting(number);
        search.stop(is_starting.then(|| failure.clone()));
    }
}

/// A step of a search: results, or the completion of the first page.
enum Step<T> {
    Found(SearchUpdate<T>),
    FirstPage(Result<(), Error>),
}

/// Writes the results, and the error of a failed first page, until the session ends.
async fn follow<T: Serialize + Send + Sync + 'static>(
    search: &Shared<T>,
    first: Page,
    mut follower: Follower,
    output: &Output,
) {
    let number = follower.number;
    let mut first = Some(first);
    let mut last = None;
    loop {
        // Results are written before the completion of the page.
        let poll_step = |cx: &mut Context<'_>| {
            let update = search.lock().poll_next_unpin(cx);
            if let Poll::Ready(Some(update)) = update {
                return Poll::Ready(Some(Step::Found(update)));
            }
            match &mut first {
                Some(page) => page
                    .poll_unpin(cx)
                    .map(|answer| Some(Step::FirstPage(answer))),
                None => update.map(|_| None),
            }
        };
        match follower.next(poll_step).await {
            None => return,
            Some(Step::FirstPage(answer)) => {
                first = None;
                if let Err(error) = answer {
                    output.search_failed(number, &error.into()).await;
                }
                follower.started();
            }
            Some(Step::Found(update)) => {
                let turn = output.turn().await;
                let Ok(results) = json(&update.results) else {
                    continue;
                };
                let line = (results.get().to_owned(), update.status);
                if last.as_ref() != Some(&line) {
                    output.found(turn, number, &results, update.status).await;
                    last = Some(line);
                }
            }
        }
    }
}
