//! The records and the lease of one session.

use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use futures_channel::oneshot;
use talk_client::store::{Change, Record, StoreError};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::database::Database;
use crate::failure::Failure;
use crate::lease::{HeldLease, LeaseRow};

/// The time for which a write without a lease is repeated.
const UNLEASED: Duration = Duration::from_secs(10);
/// The delay between two attempts.
const RETRY: Duration = Duration::from_millis(500);

pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A request to a session.
pub(crate) enum Request {
    Load(Reply<Vec<Record>>),
    Apply(Vec<Change>, Reply<()>),
    Clear(Reply<()>),
    Lock(Reply<Granted>),
    /// Releases the lease with this holder.
    Unlock(String, blocking::Sender<()>),
}

/// A lease that was granted.
pub(crate) struct Granted {
    pub(crate) holder: String,
    /// Resolves when the lease is lost.
    pub(crate) lost: oneshot::Receiver<()>,
}

/// A session, which performs its requests one after the other.
pub(crate) struct Session {
    key: String,
    database: Arc<Database>,
    /// The connection for leases, so that a slow write does not delay a renewal.
    leases: Arc<Database>,
    ttl: Duration,
    lease: Option<HeldLease>,
    /// The number of the last write.
    written: i64,
    /// Set if a lease was lost. Writes are refused until the next one.
    is_lost: bool,
}

impl Session {
    pub(crate) fn new(
        key: String,
        database: Arc<Database>,
        leases: Arc<Database>,
        ttl: Duration,
    ) -> Self {
        Self {
            key,
            database,
            leases,
            ttl,
            lease: None,
            written: 0,
            is_lost: false,
        }
    }

    /// Runs until the sender of requests is dropped.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        while let Some(request) = requests.recv().await {
            self.perform(request).await;
        }
    }

    /// Performs a request. The caller may have stopped waiting for the result.
    async fn perform(&mut self, request: Request) {
        match request {
            Request::Load(reply) => {
                let records = self.database.load(&self.key).await;
                let _ = reply.send(records.map_err(Failure::into_error));
            }
            Request::Apply(changes, reply) => {
                let _ = reply.send(self.apply(&changes).await);
            }
            Request::Clear(reply) => {
                let _ = reply.send(self.clear().await);
            }
            Request::Lock(reply) => {
                let granted = self.lock().await;
                if let Err(Ok(Granted { holder, .. })) = reply.send(granted) {
                    self.unlock(&holder).await;
                }
            }
            Request::Unlock(holder, done) => {
                self.unlock(&holder).await;
                let _ = done.send(());
            }
        }
    }

    /// Applies changes, on new connections if necessary, as long as the lease is valid.
    async fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let unleased_until = Instant::now() + UNLEASED;
        self.written += 1;
        loop {
            self.drop_lost_lease();
            if self.is_lost {
                return Err(lost());
            }
            let lease = self.lease.as_ref();
            let (holder, number) = self.writer();
            let applied = self.database.apply(&self.key, holder, number, changes);
            match applied.await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    self.lease = None;
                    self.is_lost = true;
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Transient(reason))
                    if lease.is_none() && Instant::now() > unleased_until =>
                {
                    return Err(StoreError::Io(reason));
                }
                Err(Failure::Transient(_)) => sleep(RETRY).await,
            }
        }
    }

    /// Deletes all records, unless another session has the lease.
    async fn clear(&mut self) -> Result<(), StoreError> {
        self.drop_lost_lease();
        self.written += 1;
        let (holder, number) = self.writer();
        let cleared = self.database.clear(&self.key, holder, number).await;
        let is_allowed = cleared.map_err(Failure::into_error)?;
        is_allowed.then_some(()).ok_or(StoreError::InUse)
    }

    /// Returns the holder and the number of the current write.
    fn writer(&self) -> (&str, i64) {
        match &self.lease {
            Some(lease) => (&lease.row.holder, self.written),
            // Several processes without a lease may write, so their writes have no order.
            None => ("", 0),
        }
    }

    async fn lock(&mut self) -> Result<Granted, StoreError> {
        self.drop_lost_lease();
        if self.lease.is_some() {
            return Err(StoreError::InUse);
        }
        let started = Instant::now();
        let locked = self.leases.lock(&self.key, self.ttl).await;
        let holder = locked.map_err(Failure::into_error)?;
        let holder = holder.ok_or(StoreError::InUse)?;
        let row = LeaseRow {
            database: Arc::clone(&self.leases),
            session: self.key.clone(),
            holder: holder.clone(),
            ttl: self.ttl,
        };
        let (lease, lost) = HeldLease::new(row, started);
        self.is_lost = false;
        self.lease = Some(lease);
        Ok(Granted { holder, lost })
    }

    fn drop_lost_lease(&mut self) {
        if self.lease.as_ref().is_some_and(|lease| !lease.is_valid()) {
            self.lease = None;
            self.is_lost = true;
        }
    }

    /// Releases the lease with this holder, unless it was lost before.
    async fn unlock(&mut self, holder: &str) {
        let is_held = |lease: &mut HeldLease| lease.row.holder == holder;
        if let Some(lease) = self.lease.take_if(is_held) {
            lease.row.release().await;
        }
    }
}

fn lost() -> StoreError {
    StoreError::Io("the lease is lost: another process may use the store".to_owned())
}
