//! The slot that passes search results from the driver to the stream.

use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use talk_proto::search::{SearchResults, SearchStatus};

use crate::sync::{Mutex, lock};

/// The latest results. Its size does not depend on the speed of the consumer.
#[derive(Default)]
pub(crate) struct SearchSlot {
    inner: Mutex<Inner>,
    consumer: AtomicWaker,
}

#[derive(Default)]
struct Inner {
    /// The results that the consumer has not taken yet.
    latest: Option<(SearchResults, SearchStatus)>,
    ended: bool,
}

impl SearchSlot {
    pub(crate) fn update(&self, results: SearchResults, status: SearchStatus) {
        lock(&self.inner).latest = Some((results, status));
        self.consumer.wake();
    }

    /// Ends the stream.
    pub(crate) fn end(&self) {
        lock(&self.inner).ended = true;
        self.consumer.wake();
    }

    pub(crate) fn poll_update(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(SearchResults, SearchStatus)>> {
        self.consumer.register(cx.waker());
        let mut inner = lock(&self.inner);
        match inner.latest.take() {
            Some(latest) => Poll::Ready(Some(latest)),
            None if inner.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}
