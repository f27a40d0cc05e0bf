//! The lease of a session, which a task of its own renews.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::database::Database;

/// The longest delay between two attempts to renew a lease.
const RETRY: Duration = Duration::from_millis(500);

/// A lease in the database.
#[derive(Clone)]
pub(crate) struct LeaseRow {
    pub(crate) database: Arc<Database>,
    pub(crate) session: String,
    pub(crate) holder: String,
    pub(crate) ttl: Duration,
}

impl LeaseRow {
    /// Returns the time at which a lease that was renewed at `time` is given up. It expires later,
    /// because the database received the renewal later.
    fn valid_until(&self, time: Instant) -> Instant {
        time + self.ttl * 2 / 3
    }

    /// Releases the lease. If it fails, the lease expires.
    pub(crate) async fn release(&self) {
        let _ = self.database.unlock(&self.session, &self.holder).await;
    }
}

/// A lease that is held. Dropping it ends the renewals.
pub(crate) struct HeldLease {
    pub(crate) row: LeaseRow,
    /// The time at which the lease is given up.
    valid_until: watch::Receiver<Instant>,
    task: AbortHandle,
}

impl HeldLease {
    /// Starts the renewals of a lease. `granted` is the time of the request that took the lease.
    /// The receiver resolves when the lease is lost.
    pub(crate) fn new(row: LeaseRow, granted: Instant) -> (Self, oneshot::Receiver<()>) {
        let (valid, valid_until) = watch::channel(row.valid_until(granted));
        let (losing, lost) = oneshot::channel();
        let task = tokio::spawn(keep(row.clone(), granted, valid, losing));
        let held = Self {
            row,
            valid_until,
            task: task.abort_handle(),
        };
        (held, lost)
    }

    pub(crate) fn is_valid(&self) -> bool {
        Instant::now() < *self.valid_until.borrow()
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Renews a lease until it is lost, and reports the loss.
async fn keep(
    row: LeaseRow,
    granted: Instant,
    valid: watch::Sender<Instant>,
    losing: oneshot::Sender<()>,
) {
    let mut renewed = granted;
    while let Ok(Some(time)) = timeout_at(row.valid_until(renewed), renew(&row, renewed)).await {
        renewed = time;
        valid.send_replace(row.valid_until(time));
    }
    valid.send_replace(renewed);
    // Fails if the lease was released.
    let _ = losing.send(());
    // The last attempt may still have renewed it.
    row.release().await;
}

/// Renews a lease when a third of its duration has passed, with several attempts if necessary.
/// Returns the time of the last one, or `None` if another session has the lease.
async fn renew(row: &LeaseRow, renewed: Instant) -> Option<Instant> {
    sleep_until(renewed + row.ttl / 3).await;
    loop {
        let time = Instant::now();
        let renewal = row.database.renew(&row.session, &row.holder, row.ttl);
        match renewal.await {
            Ok(true) => return Some(time),
            Ok(false) => return None,
            Err(_) => sleep(RETRY.min(row.ttl / 10)).await,
        }
    }
}
