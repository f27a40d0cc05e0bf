//! The lock of a store.

use std::fmt;
use std::task::{Context, Poll, ready};

use crate::transport::{BoxFuture, MaybeSend};

/// The lock of the records of one session. Dropping it releases the lock.
#[must_use = "dropping a lease releases the lock"]
pub struct Lease {
    /// Resolves when the lock is lost. `None` if the lock cannot be lost, or is already lost.
    lost: Option<BoxFuture<'static, ()>>,
    _guard: Box<dyn Guard>,
}

/// A value that releases the lock on drop.
trait Guard: MaybeSend {}

impl<G: MaybeSend> Guard for G {}

impl Lease {
    /// Creates a lease that lasts until `guard` is dropped.
    pub fn new(guard: impl MaybeSend + 'static) -> Self {
        Self {
            lost: None,
            _guard: Box::new(guard),
        }
    }

    /// Creates a lease that can end before `guard` is dropped, such as a lock that must be renewed.
    /// `lost` resolves when the lock is lost. The session then stops using the store. The store
    /// must refuse later writes under the lost lock.
    ///
    /// ```
    /// use talk_client::store::Lease;
    ///
    /// # async fn renew() -> std::io::Result<()> { Ok(()) }
    /// # async fn sleep() {}
    /// let lease = Lease::with_loss((), async {
    ///     while renew().await.is_ok() {
    ///         sleep().await;
    ///     }
    /// });
    /// ```
    pub fn with_loss(
        guard: impl MaybeSend + 'static,
        lost: impl Future<Output = ()> + MaybeSend + 'static,
    ) -> Self {
        Self {
            lost: Some(Box::pin(lost)),
            _guard: Box::new(guard),
        }
    }

    /// Completes once, when the lock is lost.
    pub(crate) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lost) = &mut self.lost else {
            return Poll::Pending;
        };
        ready!(lost.as_mut().poll(cx));
        self.lost = None;
        Poll::Ready(())
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
