//! The writes to the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use talk_proto::Input;
use talk_proto::storage::{BatchId, Change, Record, StoreError};

use crate::handle::{Shared, Sleeper};
use crate::store::{Lease, Store, StoreKey, StoreState};
use crate::transport::{BoxFuture, MaybeSend};

/// The time for which an ended session waits for its store.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The delay between two attempts to get the lock.
const LOCK_RETRY: Duration = Duration::from_millis(100);

/// The delay between two attempts of a standby to open its store.
const STANDBY_RETRY: Duration = Duration::from_secs(1);

/// An open store with its records.
pub(super) struct OpenStore {
    pub(super) writes: StoreWrites,
    pub(super) records: Vec<Record>,
}

/// Locks and loads a store. Waits for a lock that another session has, up to `timeout`. Sets
/// `is_in_use` during this wait.
pub(super) async fn open(
    store: Arc<dyn Store>,
    key: StoreKey,
    timeout: Duration,
    sleeper: Sleeper,
    is_in_use: Arc<AtomicBool>,
) -> Result<OpenStore, StoreError> {
    let mut waited = Duration::ZERO;
    let lease = loop {
        match store.lock(&key).await {
            Err(StoreError::InUse) if waited < timeout => {
                is_in_use.store(true, Ordering::Relaxed);
                let delay = LOCK_RETRY.min(timeout - waited);
                waited += delay;
                sleeper.call(delay).await;
            }
            lease => break lease?,
        }
    };
    is_in_use.store(false, Ordering::Relaxed);
    load(store, key, lease).await
}

/// Locks and loads a store as soon as possible. Waits without limit while another session has the
/// lock, and while the store fails with [`StoreError::Io`]. Calls `on_wait` with the reason before
/// each delay.
pub(super) async fn open_when_free(
    store: Arc<dyn Store>,
    key: StoreKey,
    sleeper: Sleeper,
    on_wait: impl Fn(&StoreError) + MaybeSend,
) -> Result<OpenStore, StoreError> {
    loop {
        let opened = match store.lock(&key).await {
            Ok(lease) => load(Arc::clone(&store), key.clone(), lease).await,
            Err(error) => Err(error),
        };
        match opened {
            Err(error @ (StoreError::InUse | StoreError::Io(_))) => {
                on_wait(&error);
                sleeper.call(STANDBY_RETRY).await;
            }
            opened => return opened,
        }
    }
}

async fn load(store: Arc<dyn Store>, key: StoreKey, lease: Lease) -> Result<OpenStore, StoreError> {
    let records = store.load(&key).await?;
    let writes = StoreWrites {
        store,
        key,
        queue: VecDeque::new(),
        running: None,
        last_failure: None,
        close_timeout: None,
        lease,
    };
    Ok(OpenStore { writes, records })
}

/// The batches that the core has emitted, applied one after the other.
pub(super) struct StoreWrites {
    store: Arc<dyn Store>,
    key: StoreKey,
    queue: VecDeque<(BatchId, Vec<Change>)>,
    running: Option<(BatchId, BoxFuture<'static, Result<(), StoreError>>)>,
    /// The failure of the last batch.
    last_failure: Option<StoreError>,
    /// The time limit of the last batches, which starts at the end of the session.
    close_timeout: Option<BoxFuture<'static, ()>>,
    /// The last field, so that the lock is released after all other fields are dropped.
    lease: Lease,
}

impl StoreWrites {
    pub(super) fn push(&mut self, batch: BatchId, changes: Vec<Change>) {
        self.queue.push_back((batch, changes));
    }

    /// Completes once, when the lock is lost.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.lease.poll_lost(cx)
    }

    /// Returns `true` if every batch has been applied or has failed.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none() && self.queue.is_empty()
    }

    /// Applies the batches in order. Completes with the result of a batch, as an input of the core.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, shared: &Shared) -> Poll<Input<'static>> {
        if self.running.is_none()
            && let Some((batch, changes)) = self.queue.pop_front()
        {
            let applied = self.store.apply(&self.key, changes);
            self.running = Some((batch, applied));
        }
        let Some((batch, applied)) = &mut self.running else {
            return Poll::Pending;
        };
        let batch = *batch;
        let result = ready!(applied.as_mut().poll(cx));
        self.running = None;
        let failure = result.err();
        let input = match &failure {
            None => Input::Stored { batch },
            Some(error) => Input::StoreFailed {
                batch,
                reason: reason(error),
            },
        };
        if self.last_failure != failure {
            shared.store.set(match &failure {
                None => StoreState::Active,
                Some(error) => StoreState::Failing(error.clone()),
            });
            self.last_failure = failure;
        }
        Poll::Ready(input)
    }

    /// Waits for the time limit of the last batches of an ended session, then discards the
    /// remaining ones.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>, sleeper: &Sleeper) -> Poll<()> {
        let timeout = self
            .close_timeout
            .get_or_insert_with(|| sleeper.call(CLOSE_TIMEOUT));
        ready!(timeout.as_mut().poll(cx));
        self.close_timeout = None;
        self.running = None;
        self.queue.clear();
        let late = format!(
            "the last write was not complete after {} s",
            CLOSE_TIMEOUT.as_secs()
        );
        self.last_failure = Some(StoreError::Io(late));
        Poll::Ready(())
    }

    /// Returns the final state.
    pub(super) fn final_state(&self) -> StoreState {
        match &self.last_failure {
            Some(error) => StoreState::Failing(error.clone()),
            None if !self.is_idle() => {
                let reason = "the session was dropped before the last write was complete";
                StoreState::Failing(StoreError::Io(reason.to_owned()))
            }
            None => StoreState::Closed,
        }
    }
}

/// Returns the reason without the prefix that the `Display` of [`StoreError`] adds.
fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Io(reason) | StoreError::Unreadable(reason) => reason.clone(),
        error => error.to_string(),
    }
}
