//! The records and the lease of one session.

use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use futures_channel::oneshot;
use talk_client::store::{Change, Record, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::database::Database;
use crate::failure::Failure;

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

/// A lease that is held.
struct Held {
    holder: String,
    /// The time at which the lease is given up.
    valid: watch::Sender<Instant>,
    renew_at: Instant,
}

impl Held {
    fn is_valid(&self) -> bool {
        Instant::now() < *self.valid.borrow()
    }
}

/// A session, which performs its requests one after the other.
pub(crate) struct Session {
    key: String,
    database: Arc<Database>,
    ttl: Duration,
    lease: Option<Held>,
    /// Set if a lease was lost. Writes are refused until the next one.
    is_lost: bool,
}

impl Session {
    pub(crate) fn new(key: String, database: Arc<Database>, ttl: Duration) -> Self {
        Self {
            key,
            database,
            ttl,
            lease: None,
            is_lost: false,
        }
    }

    /// Runs until the sender of requests is dropped.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        loop {
            let renew_at = self.lease.as_ref().map(|lease| lease.renew_at);
            let renewal = async {
                match renew_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // Many writes must not delay a renewal.
                biased;
                () = renewal => self.renew().await,
                request = requests.recv() => match request {
                    Some(request) => self.perform(request).await,
                    None => break,
                },
            }
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
                let cleared = self.database.clear(&self.key).await;
                let _ = reply.send(cleared.map_err(Failure::into_error));
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
        if self.lease.as_ref().is_some_and(|lease| !lease.is_valid()) {
            self.lose();
        }
        let until = match &self.lease {
            Some(lease) => *lease.valid.borrow(),
            None if self.is_lost => return Err(lost()),
            None => Instant::now() + UNLEASED,
        };
        let holder = self.lease.as_ref().map_or("", |lease| &lease.holder);
        loop {
            match self.database.apply(&self.key, holder, changes).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    self.lose();
                    return Err(lost());
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Transient(reason)) if Instant::now() + RETRY >= until => {
                    return Err(StoreError::Io(reason));
                }
                Err(Failure::Transient(_)) => sleep(RETRY).await,
            }
        }
    }

    async fn lock(&mut self) -> Result<Granted, StoreError> {
        if self.lease.is_some() {
            return Err(StoreError::InUse);
        }
        let started = Instant::now();
        let locked = self.database.lock(&self.key, self.ttl).await;
        let holder = locked.map_err(Failure::into_error)?;
        let holder = holder.ok_or(StoreError::InUse)?;
        let (valid, watched) = watch::channel(self.valid_after(started));
        let (losing, lost) = oneshot::channel();
        tokio::spawn(expire(watched, losing));
        self.is_lost = false;
        self.lease = Some(Held {
            holder: holder.clone(),
            valid,
            renew_at: started + self.ttl / 3,
        });
        Ok(Granted { holder, lost })
    }

    /// Returns the time at which a lease that was renewed at `time` is given up. It expires later,
    /// because the database received the renewal later.
    fn valid_after(&self, time: Instant) -> Instant {
        time + self.ttl * 2 / 3
    }

    async fn renew(&mut self) {
        let Some(lease) = &self.lease else { return };
        let started = Instant::now();
        if !lease.is_valid() {
            return self.lose();
        }
        let renewed = self.database.renew(&self.key, &lease.holder, self.ttl);
        let renewed = renewed.await;
        let valid_until = self.valid_after(started);
        let Some(lease) = &mut self.lease else { return };
        match renewed {
            Ok(true) if lease.is_valid() => {
                lease.valid.send_replace(valid_until);
                lease.renew_at = started + self.ttl / 3;
            }
            Ok(true) => {
                // The answer was too late: the loss is reported already.
                let holder = lease.holder.clone();
                self.lose();
                self.unlock(&holder).await;
            }
            Ok(false) => self.lose(),
            Err(_) => lease.renew_at = Instant::now() + RETRY.min(self.ttl / 10),
        }
    }

    /// Gives up the lease, which reports its loss.
    fn lose(&mut self) {
        self.lease = None;
        self.is_lost = true;
    }

    async fn unlock(&mut self, holder: &str) {
        if self.lease.as_ref().is_some_and(|it| it.holder == holder) {
            self.lease = None;
        }
        // If it fails, the lease expires.
        let _ = self.database.unlock(&self.key, holder).await;
    }
}

fn lost() -> StoreError {
    StoreError::Io("the lease is lost: another process may use the store".to_owned())
}

/// Reports the loss of a lease that was given up, or that was not renewed in time.
async fn expire(mut valid: watch::Receiver<Instant>, losing: oneshot::Sender<()>) {
    loop {
        let until = *valid.borrow_and_update();
        tokio::select! {
            () = sleep_until(until) => break,
            changed = valid.changed() => {
                if changed.is_err() {
                    break;
                }
            }
        }
    }
    // Fails if the lease was released.
    let _ = losing.send(());
}
