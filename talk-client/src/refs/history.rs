//! The whole history of a conversation as a stream.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream, StreamExt};
use talk_proto::{
    Topic, Window,
    model::{ConversationId, MessageSnapshot},
};

use crate::error::Error;
use crate::handle::Handle;
use crate::subscription::Subscription;
use crate::transport::{BoxStream, MaybeSend};

/// The largest page of messages that the service returns.
const PAGE: usize = 100;

type Item = Result<Arc<MessageSnapshot>, Error>;

/// All messages of a conversation as a stream, created by
/// [`ConversationRef::history`](crate::ConversationRef::history).
///
/// The stream yields every message that existed when the first page was fetched, newest first or,
/// after [`oldest_first`](Self::oldest_first), in the order of sending. It omits messages sent
/// later, and messages deleted before it reaches them. The first poll starts the stream, and
/// dropping it stops it.
///
/// The stream continues after connection losses. An error is the last item:
/// [`Error::NotAParticipant`] if the conversation is not visible, or no longer visible,
/// [`Error::TooManyItems`] beyond the limit of loaded messages (default 100,000), otherwise the
/// error of a failed request. The loaded messages stay in memory until the stream is dropped.
///
/// ```no_run
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
/// use futures_util::TryStreamExt;
///
/// let mut history = conversation.history().oldest_first();
/// while let Some(message) = history.try_next().await? {
///     println!("{} {}", message.created_at, message.plaintext());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a history is fetched when it is polled"]
pub struct History(State);

enum State {
    New {
        handle: Handle,
        conversation: ConversationId,
        oldest_first: bool,
    },
    Running(BoxStream<'static, Item>),
}

impl History {
    pub(super) fn new(handle: Handle, conversation: ConversationId) -> Self {
        Self(State::New {
            handle,
            conversation,
            oldest_first: false,
        })
    }

    /// Yields the messages in the order of sending. The first one arrives after the whole history
    /// is fetched, because the service pages from the newest message to the oldest. It has no
    /// effect after the first poll.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// use futures_util::TryStreamExt;
    ///
    /// let first = conversation.history().oldest_first().try_next().await?;
    /// println!("it began {:?}", first.map(|message| message.created_at));
    /// # Ok(())
    /// # }
    /// ```
    pub fn oldest_first(mut self) -> Self {
        if let State::New { oldest_first, .. } = &mut self.0 {
            *oldest_first = true;
        }
        self
    }
}

impl Stream for History {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        if let State::New {
            handle,
            conversation,
            oldest_first,
        } = &self.0
        {
            let pages = Pages::new(handle, conversation.clone());
            self.0 = State::Running(if *oldest_first {
                Box::pin(in_order(pages))
            } else {
                Box::pin(newest_first(pages))
            });
        }
        match &mut self.0 {
            State::Running(stream) => stream.as_mut().poll_next(cx),
            State::New { .. } => Poll::Pending,
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}

fn newest_first(pages: Pages) -> impl Stream<Item = Item> + MaybeSend {
    stream::unfold(Some(pages), |pages| async move {
        let mut pages = pages?;
        match pages.next().await {
            Ok(message) => Some((Ok(message?), Some(pages))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

fn in_order(mut pages: Pages) -> impl Stream<Item = Item> + MaybeSend {
    let all = async move {
        let mut messages = Vec::new();
        loop {
            match pages.next().await {
                Ok(Some(message)) => messages.push(Ok(message)),
                Ok(None) => return messages,
                Err(error) => return vec![Err(error)],
            }
        }
    };
    stream::once(all).flat_map(|messages| stream::iter(messages.into_iter().rev()))
}

/// The messages of a window that grows by pages.
struct Pages {
    messages: Subscription<Option<Window<MessageSnapshot>>>,
    /// The loaded messages that were not yielded yet.
    loaded: VecDeque<Arc<MessageSnapshot>>,
    last: Option<Arc<MessageSnapshot>>,
}

impl Pages {
    fn new(handle: &Handle, conversation: ConversationId) -> Self {
        Self {
            messages: Subscription::new(handle, Topic::Messages { conversation }),
            loaded: VecDeque::new(),
            last: None,
        }
    }

    async fn next(&mut self) -> Result<Option<Arc<MessageSnapshot>>, Error> {
        while self.loaded.is_empty() {
            let snapshot = self.messages.connected().await?;
            let window = snapshot.ok_or(Error::NotAParticipant)?;
            self.loaded = older(&window, self.last.as_deref());
            if self.loaded.is_empty() {
                if window.loaded_all() {
                    return Ok(None);
                }
                self.messages.load_page(window.len(), PAGE).await?;
            }
        }
        self.last = self.loaded.pop_front();
        Ok(self.last.clone())
    }
}

/// Returns the messages of the window that follow `last`. The window need not contain `last`, which
/// may have been deleted, or evicted when the window lost its range.
fn older(
    window: &Window<MessageSnapshot>,
    last: Option<&MessageSnapshot>,
) -> VecDeque<Arc<MessageSnapshot>> {
    let Some(last) = last else {
        return window.iter().cloned().collect();
    };
    let mut older = VecDeque::new();
    // From the end, because the window grows there.
    for message in (0..window.len())
        .rev()
        .filter_map(|index| window.get(index))
    {
        if message.id == last.id || message.created_at > last.created_at {
            break;
        }
        older.push_front(Arc::clone(message));
    }
    older
}
