//! The store.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};
use std::time::Duration;

use futures_channel::oneshot;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use talk_client::store::{Change, Lease, Record, Store, StoreError, StoreKey};
use talk_client::transport::BoxFuture;
use tokio::sync::mpsc;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::options::Options;
use crate::session::{Granted, Reply, Request};
use crate::worker::{self, Work};

/// The default duration of a lease.
const LEASE_TTL: Duration = Duration::from_secs(15);
/// The time for which the drop of a lease waits until it is released.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// A store on PostgreSQL, for any number of users, processes and machines. Its clones share two
/// connections and one thread, which begin with the first use and end with the last clone.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    options: Options,
    worker: Mutex<Option<mpsc::UnboundedSender<Work>>>,
}

impl PostgresStore {
    /// Creates a store from an address such as `postgres://user@host:5432/database`, with the
    /// parameters of [`tokio_postgres::Config`]. Connects at the first use.
    ///
    /// With `sslmode=require` the certificate of the server is verified against the roots of the
    /// operating system, or the file in `SSL_CERT_FILE`. With `prefer`, the default, a server that
    /// has no such certificate is used without TLS.
    ///
    /// ```
    /// use talk_postgres::PostgresStore;
    ///
    /// let store = PostgresStore::new("postgres://bot:secret@localhost/bots")?;
    /// assert_eq!(format!("{store:?}"), r#"PostgresStore("localhost/bots")"#);
    /// assert!(PostgresStore::new("postgres://localhost?port=none").is_err());
    /// # Ok::<(), talk_client::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Io`] if the address cannot be read.
    pub fn new(address: &str) -> Result<Self, StoreError> {
        let config = Config::from_str(address).map_err(|error| {
            let cause = std::error::Error::source(&error);
            let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
            StoreError::Io(format!("the address of the database is invalid: {cause}"))
        })?;
        Ok(Self::from(config))
    }

    /// Sets the duration of a lease, at least one second. Default 15 s. A process that crashes is
    /// replaced after at most that time. All processes must use the same duration.
    #[must_use]
    pub fn lease_ttl(self, ttl: Duration) -> Self {
        self.with(|options| options.ttl = ttl.max(Duration::from_secs(1)))
    }

    /// Sets the password, unless the address has one.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        self.with(|options| {
            if options.config.get_password().is_none() {
                options.config.password(password);
            }
        })
    }

    /// Requires TLS, and verifies the certificate of the server against these root certificates
    /// only, in the PEM format.
    ///
    /// # Errors
    /// [`StoreError::Io`] if they cannot be read, or if there are none.
    pub fn root_certificates(self, pem: &[u8]) -> Result<Self, StoreError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| certificates(&error))?;
            let added = roots.add(certificate);
            added.map_err(|error| certificates(&error))?;
        }
        if roots.is_empty() {
            return Err(certificates(&"there are none"));
        }
        Ok(self.with(|options| {
            options.config.ssl_mode(SslMode::Require);
            options.roots = Some(roots);
        }))
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.0.options.clone();
        change(&mut options);
        Self::from_options(options)
    }

    fn from_options(options: Options) -> Self {
        Self(Arc::new(Inner {
            options,
            worker: Mutex::default(),
        }))
    }

    /// Sends a request to the thread, which is started if it does not run.
    fn send(&self, key: &StoreKey, request: Request) -> Result<(), StoreError> {
        let worker = self.0.worker.lock();
        let mut worker = worker.unwrap_or_else(PoisonError::into_inner);
        let work = (key.to_text(), request);
        let work = match &*worker {
            Some(sender) => match sender.send(work) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::SendError(work)) => work,
            },
            None => work,
        };
        let sender = worker::start(self.0.options.clone())?;
        // The thread has just started.
        let _ = sender.send(work);
        *worker = Some(sender);
        Ok(())
    }

    /// Sends a request, and returns its result.
    fn request<T: Send + 'static>(
        &self,
        key: &StoreKey,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (reply, result) = oneshot::channel();
        let sent = self.send(key, request(reply));
        Box::pin(async move {
            sent?;
            let ended = |_| StoreError::Io("the thread of the store has ended".to_owned());
            result.await.map_err(ended)?
        })
    }
}

impl From<Config> for PostgresStore {
    fn from(config: Config) -> Self {
        Self::from_options(Options {
            config,
            roots: None,
            ttl: LEASE_TTL,
        })
    }
}

fn certificates(reason: &dyn fmt::Display) -> StoreError {
    StoreError::Io(format!("the root certificates cannot be read: {reason}"))
}

impl Store for PostgresStore {
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>> {
        self.request(key, Request::Load)
    }

    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        self.request(key, |reply| Request::Apply(changes, reply))
    }

    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>> {
        let granted = self.request(key, Request::Lock);
        let (store, key) = (self.clone(), key.clone());
        Box::pin(async move {
            let Granted { holder, lost } = granted.await?;
            let guard = Guard { store, key, holder };
            let lost = async {
                // Fails if the thread has ended, which also loses the lease.
                let _ = lost.await;
            };
            Ok(Lease::with_loss(guard, lost))
        })
    }

    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>> {
        self.request(key, Request::Clear)
    }
}

/// Releases a lease on drop.
struct Guard {
    store: PostgresStore,
    key: StoreKey,
    holder: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let (done, released) = blocking::channel();
        let holder = std::mem::take(&mut self.holder);
        if self
            .store
            .send(&self.key, Request::Unlock(holder, done))
            .is_ok()
        {
            // The process may end next, and the next one should not wait until the lease expires.
            let _ = released.recv_timeout(UNLOCK_TIMEOUT);
        }
    }
}

/// Shows the host and the database only, because the address may contain a password.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.0.options.config;
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let database = config.get_dbname().unwrap_or_default();
        f.debug_tuple("PostgresStore")
            .field(&format!("{host}/{database}"))
            .finish()
    }
}
