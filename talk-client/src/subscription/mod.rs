//! Subscriptions: live snapshots as streams.

mod list;
pub(crate) mod slot;
mod state;
mod typed;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::stream::Stream;
use talk_proto::cache::Freshness;
use talk_proto::{CommandError, Topic, Window, changes::Changes, outbox::Settled};

pub use self::list::ListSnapshot;
use self::slot::{SnapshotSink, SnapshotSlot};
pub use self::state::SubscriptionState;
use self::typed::TypedSnapshot;
use crate::error::Error;
use crate::handle::{CallFuture, Command, Handle, LocalId};

/// A live view of an entity or a list, such as a user or the messages of a conversation.
///
/// It is a stream of [`Update`]s. A slow consumer gets the latest snapshot with the changes from
/// the one that it took last, and uses no memory meanwhile. The stream ends with the subscription;
/// [`state`](Self::state) then holds the reason. The snapshot stays current without polling.
///
/// Dropping it unsubscribes. Its data is kept for some seconds, so that subscribing again within
/// them needs no request.
///
/// ```no_run
/// use futures_util::StreamExt;
///
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// let mut messages = session.conversation("welcome")?.subscribe_messages();
/// while let Some(update) = messages.next().await {
///     let Some(window) = update.snapshot else { continue };
///     println!("{} messages", window.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping a subscription unsubscribes"]
pub struct Subscription<S> {
    handle: Handle,
    id: LocalId,
    slot: Arc<SnapshotSlot<S>>,
    /// The last item of the stream.
    last_yielded: Option<S>,
}

/// A new snapshot and the changes from the one taken before.
///
/// ```no_run
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
/// use futures_util::StreamExt;
/// use talk_client::Changes;
///
/// let mut messages = conversation.subscribe_messages();
/// while let Some(update) = messages.next().await {
///     match update.changes {
///         Changes::List(steps) => println!("{} came", steps.inserted.len()),
///         _ => println!("show all of it: {:?}", update.snapshot.map(|window| window.len())),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Update<S> {
    /// The current snapshot.
    pub snapshot: S,
    /// The source of the snapshot: the server, or the [cache](crate::TalkOptions::cache).
    pub freshness: Freshness,
    /// The changes from the snapshot that this consumer took last. The first update is a
    /// [`Changes::Reset`].
    pub changes: Changes,
    /// The [outbox](crate::outbox) entries that became messages of this snapshot since then.
    pub settled: Vec<Settled>,
}

impl<S> Subscription<S> {
    pub(crate) fn new(handle: &Handle, topic: Topic) -> Self
    where
        S: TypedSnapshot,
    {
        let id = handle.new_local_id();
        let slot = Arc::new(SnapshotSlot::new());
        handle.push(Command::Subscribe {
            id,
            topic: Box::new(topic),
            sink: Arc::clone(&slot) as Arc<dyn SnapshotSink>,
        });
        Self {
            handle: handle.clone(),
            id,
            slot,
            last_yielded: None,
        }
    }
}

impl<S: Clone> Subscription<S> {
    /// Returns the state. It is pending at first.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// use talk_client::SubscriptionState;
    ///
    /// let messages = conversation.subscribe_messages();
    /// assert_eq!(messages.state(), SubscriptionState::Pending);
    /// # Ok(())
    /// # }
    /// ```
    pub fn state(&self) -> SubscriptionState<S> {
        self.slot.state()
    }

    /// Returns the latest snapshot while the subscription is active.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let messages = conversation.subscribe_messages();
    /// messages.connected().await?;
    /// if let Some(Some(window)) = messages.latest() {
    ///     println!("{} messages", window.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn latest(&self) -> Option<S> {
        match self.state() {
            SubscriptionState::Active(snapshot) => Some(snapshot),
            SubscriptionState::Pending
            | SubscriptionState::Unsubscribed
            | SubscriptionState::Error(_) => None,
        }
    }

    /// Waits for the first snapshot from the server and returns the latest one.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// match conversation.subscribe().connected().await? {
    ///     Some(conversation) => println!("{} unread", conversation.unread_message_count),
    ///     None => println!("no such conversation"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The reason for the end of the subscription, if it has ended; [`CommandError::Unsubscribed`]
    /// after [`unsubscribe`](Self::unsubscribe).
    pub async fn connected(&self) -> Result<S, Error> {
        let settled = self.slot.wait_until_live(|state| match state {
            SubscriptionState::Pending => None,
            SubscriptionState::Active(snapshot) => Some(Ok(snapshot.clone())),
            SubscriptionState::Unsubscribed => Some(Err(CommandError::Unsubscribed.into())),
            SubscriptionState::Error(error) => Some(Err(error.clone())),
        });
        settled.await
    }

    /// Waits for the end of the subscription.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let messages = conversation.subscribe_messages();
    /// if let Err(error) = messages.terminated().await {
    ///     eprintln!("the subscription has ended: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error that ended the subscription, unless [`unsubscribe`](Self::unsubscribe) did.
    pub async fn terminated(&self) -> Result<(), Error> {
        let ended = self.slot.wait_until(|state| match state {
            SubscriptionState::Pending | SubscriptionState::Active(_) => None,
            SubscriptionState::Unsubscribed => Some(Ok(())),
            SubscriptionState::Error(error) => Some(Err(error.clone())),
        });
        ended.await
    }
}

impl<S> Subscription<S> {
    /// Ends the subscription, unless it has already ended.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let messages = conversation.subscribe_messages();
    /// messages.unsubscribe();
    /// messages.terminated().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn unsubscribe(&self) {
        if self.slot.finish(SubscriptionState::Unsubscribed) {
            self.handle.push(Command::Unsubscribe { id: self.id });
        }
    }
}

impl<S: ListSnapshot> Subscription<S> {
    /// Loads more items and resolves when the snapshot holds them. `count` is the number of
    /// additional items; `None` is the default page size of the list. During a request, a larger
    /// count widens it.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let messages = conversation.subscribe_messages();
    /// messages.connected().await?;
    /// messages.load_more(50).await?;
    /// messages.load_more(None).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CommandError::CountOutOfRange`], and every failure of a request. After the end of the
    /// subscription: [`CommandError::Unsubscribed`] if the caller ended it, otherwise the reason.
    pub fn load_more(&self, count: impl Into<Option<usize>>) -> CallFuture<()> {
        match self.slot.end_error() {
            Some(error) => CallFuture::failed(error),
            None => self.handle.load_more(self.id, count.into()),
        }
    }
}

impl<S: ListSnapshot + Clone> Subscription<S> {
    /// Loads the whole list, `page` items at a time.
    pub(crate) async fn load_all(&self, page: usize) -> Result<S, Error> {
        loop {
            let snapshot = self.connected().await?;
            let window = snapshot.window().filter(|window| !window.loaded_all());
            let Some(loaded) = window.map(Window::len) else {
                return Ok(snapshot);
            };
            self.load_page(loaded, page).await?;
        }
    }

    /// Loads `page` items more than the `loaded` ones.
    pub(crate) async fn load_page(&self, loaded: usize, page: usize) -> Result<(), Error> {
        let limit = self.handle.max_window;
        // A full window would drop as many items as it loads.
        if loaded >= limit {
            return Err(Error::TooManyItems { limit });
        }
        self.load_more(page).await
    }
}

impl<S: Clone + PartialEq> Subscription<S> {
    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update<S>>> {
        loop {
            let Some((snapshot, freshness, changes, settled)) = ready!(self.slot.poll_update(cx))
            else {
                self.last_yielded = None;
                return Poll::Ready(None);
            };
            // The snapshot equals the one taken last, after changes that cancelled each other.
            let is_same = || self.last_yielded.as_ref() == Some(&snapshot);
            if is_no_change(&changes) && settled.is_empty() && is_same() {
                continue;
            }
            self.last_yielded = Some(snapshot.clone());
            return Poll::Ready(Some(Update {
                snapshot,
                freshness,
                changes,
                settled,
            }));
        }
    }
}

/// Returns `true` if the changes name no changed item. A reset names none.
fn is_no_change(changes: &Changes) -> bool {
    match changes {
        Changes::Reset => true,
        Changes::List(steps) => steps.is_empty(),
        _ => false,
    }
}

impl<S> Unpin for Subscription<S> {}

impl<S: Clone + PartialEq> Stream for Subscription<S> {
    type Item = Update<S>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update<S>>> {
        self.get_mut().poll_update(cx)
    }
}

impl<S> Drop for Subscription<S> {
    fn drop(&mut self) {
        self.unsubscribe();
    }
}

impl<S> fmt::Debug for Subscription<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("session", &self.handle)
            .field("state", &self.slot.state_name())
            .finish_non_exhaustive()
    }
}
