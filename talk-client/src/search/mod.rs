//! Searches with incremental results.

pub(crate) mod slot;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::stream::Stream;
use talk_proto::{
    Reply,
    filter::ConversationFilter,
    model::ConversationSnapshot,
    search::{Hits, MessageHit, SearchKind, SearchResults, SearchStatus},
};

use self::slot::SearchSlot;
use crate::handle::{CallFuture, Command, Handle, LocalId};

/// A search in messages or conversations, made with
/// [`Session::search_messages`](crate::Session::search_messages) or
/// [`Session::search_conversations`](crate::Session::search_conversations).
///
/// Its calls return whole pages. It is also a stream of the results found so far, which yields
/// results as they arrive. A slow consumer gets the latest state. The stream ends with the session.
///
/// Dropping it ends the search and cancels its request.
///
/// ```no_run
/// use futures_util::StreamExt;
///
/// # async fn example(session: talk_client::Session) {
/// let mut search = session.search_messages();
/// let query = search.set_query("holidays", None);
/// let show = async {
///     while let Some(update) = search.next().await {
///         println!("{} found, {:?}", update.results.len(), update.status);
///     }
/// };
/// futures_util::future::join(query, show).await;
/// # }
/// ```
#[must_use = "dropping a search ends it"]
pub struct Search<T> {
    handle: Handle,
    id: LocalId,
    slot: Arc<SearchSlot>,
    extract: fn(SearchResults) -> Hits<T>,
}

/// The results of a search so far.
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// use futures_util::StreamExt;
/// use talk_client::SearchStatus;
///
/// let mut search = session.search_conversations();
/// search.set_query("holidays", None).await?;
/// if let Some(update) = search.next().await {
///     assert_ne!(update.status, SearchStatus::Searching);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchUpdate<T> {
    /// The results, newest first.
    pub results: Hits<T>,
    /// The status: searching, or more available, or complete.
    pub status: SearchStatus,
}

/// The results of a search after a complete page.
///
/// ```no_run
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// let search = session.search_messages();
/// let page = search.set_query("holidays", None).await?;
/// println!("{} found{}", page.results.len(), if page.loaded_all { "" } else { ", and more" });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchPage<T> {
    /// All results of this page and the previous ones, newest first.
    pub results: Hits<T>,
    /// Set if there are no more results.
    pub loaded_all: bool,
}

impl Search<MessageHit> {
    pub(crate) fn messages(handle: &Handle) -> Self {
        Self::start(handle, SearchKind::Messages, |results| match results {
            SearchResults::Messages(found) => found,
            _ => Hits::default(),
        })
    }
}

impl Search<ConversationSnapshot> {
    pub(crate) fn conversations(handle: &Handle) -> Self {
        Self::start(handle, SearchKind::Conversations, |results| match results {
            SearchResults::Conversations(found) => found,
            _ => Hits::default(),
        })
    }
}

impl<T: Send + Sync + 'static> Search<T> {
    fn start(handle: &Handle, kind: SearchKind, extract: fn(SearchResults) -> Hits<T>) -> Self {
        let id = handle.new_local_id();
        let slot = Arc::new(SearchSlot::default());
        handle.push(Command::StartSearch {
            id,
            kind,
            slot: Arc::clone(&slot),
        });
        Self {
            handle: handle.clone(),
            id,
            slot,
            extract,
        }
    }

    /// Searches for `text` in the conversations that match `filter`, or in all without one, and
    /// returns the first page: three results. Every word of the text must be a prefix of a word of
    /// the result.
    ///
    /// A previous request is cancelled, and its call returns the results found by then.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// use talk_client::{SimpleFilter, StringFilter};
    ///
    /// let search = session.search_messages();
    /// let at_work = SimpleFilter::new().custom("category", StringFilter::is("work"));
    /// for found in search.set_query("holi", at_work).await?.results {
    ///     println!("{:?}: {}", found.conversation.subject, found.message.plaintext());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of any request. [`load_more`](Self::load_more) retries.
    pub fn set_query(
        &self,
        text: impl Into<String>,
        filter: impl Into<Option<ConversationFilter>>,
    ) -> CallFuture<SearchPage<T>> {
        let filter = filter.into().unwrap_or_default();
        let (search, text, filter) = (self.id, text.into(), Box::new(filter));
        let command = move |id, reply| Command::SetQuery {
            id,
            search,
            text,
            filter,
            reply,
        };
        self.handle.submit(command, self.page())
    }

    /// Loads the next page of `limit` results (default 10). During a request, before the first
    /// query, and when everything is loaded, it returns the current results at once.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
    /// let search = session.search_messages();
    /// let mut page = search.set_query("holidays", None).await?;
    /// while !page.loaded_all {
    ///     page = search.load_more(50).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CommandError::CountOutOfRange`](crate::CommandError::CountOutOfRange) unless `limit` is 1
    /// to 50, and the errors of any request.
    pub fn load_more(&self, limit: impl Into<Option<usize>>) -> CallFuture<SearchPage<T>> {
        let (search, limit) = (self.id, limit.into());
        let command = move |id, reply| Command::SearchMore {
            id,
            search,
            limit,
            reply,
        };
        self.handle.submit(command, self.page())
    }

    fn page(&self) -> impl FnOnce(Reply) -> Result<SearchPage<T>, Reply> + Send + use<T> {
        let extract = self.extract;
        move |reply| match reply {
            Reply::Searched {
                results,
                loaded_all,
            } => Ok(SearchPage {
                results: extract(results),
                loaded_all,
            }),
            reply => Err(reply),
        }
    }
}

impl<T> Stream for Search<T> {
    type Item = SearchUpdate<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let latest = ready!(self.slot.poll_update(cx));
        Poll::Ready(latest.map(|(results, status)| SearchUpdate {
            results: (self.extract)(results),
            status,
        }))
    }
}

impl<T> Drop for Search<T> {
    fn drop(&mut self) {
        self.handle.push(Command::EndSearch { id: self.id });
    }
}

impl<T> fmt::Debug for Search<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("session", &self.handle)
            .finish_non_exhaustive()
    }
}
