//! The options of a session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use talk_proto::{
    Addresses, Input, Limits, Pacing, Secret, Session, SessionOptions, Timestamp,
    model::{AppId, EmptyId, UserId},
    outbox::{Entry, OutboxOptions},
    storage::StoreError,
};

#[cfg(feature = "native")]
use crate::net::{ProxyOptions, TlsOptions};
use crate::store::{Store, StoreKey};
use crate::token_fetch::{TokenFetch, TokenFetcher};

/// The default of the upload time-out. It is longer than the pauses of a recovering network.
const DEFAULT_UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// The default time for which a session waits for the lock of its store: long enough for an earlier
/// session of the process that is closing.
const DEFAULT_STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// The options of a session.
///
/// Sessions are shared: if one already exists for the same addresses, app and user, it is returned
/// and the remaining options are ignored.
///
/// **Credentials do not separate sessions.** An existing session is returned for every token,
/// callback and signature in the options, and they are not checked against it. A process that
/// serves several people must authenticate the caller before it passes on a session, or create
/// private ones with [`TalkOptions::force_new`](Self::force_new).
///
/// Without a token and a token fetcher the session requests an anonymous token. The service grants
/// one if authentication is disabled for the app.
///
/// ```
/// use talk_client::TalkOptions;
///
/// let options = TalkOptions::new("my_app", "alice")?
///     .host("127.0.0.1:4000")
///     .token_fetcher(|| async { read_token().map_err(|_| "the token file is missing") });
///
/// fn read_token() -> std::io::Result<String> {
///     std::fs::read_to_string("token.jwt")
/// }
/// # Ok::<(), talk_client::EmptyId>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TalkOptions {
    pub(crate) core: SessionOptions,
    pub(crate) token_fetcher: Option<TokenFetcher>,
    #[cfg(feature = "native")]
    pub(crate) tls: TlsOptions,
    #[cfg(feature = "native")]
    pub(crate) proxy: ProxyOptions,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) upload_timeout: Duration,
    pub(crate) plain: bool,
    pub(crate) force_new: bool,
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) store_timeout: Duration,
    pub(crate) standby: bool,
    pub(crate) pause_restored: bool,
}

impl TalkOptions {
    /// Creates options that connect `user_id` to the public service without authentication.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?;
    /// assert!(TalkOptions::new("my_app", "").is_err());
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    ///
    /// # Errors
    /// [`EmptyId`] if an ID is empty.
    pub fn new<A, U>(app_id: A, user_id: U) -> Result<Self, EmptyId>
    where
        A: TryInto<AppId, Error: Into<EmptyId>>,
        U: TryInto<UserId, Error: Into<EmptyId>>,
    {
        let app_id = app_id.try_into().map_err(Into::into)?;
        let user_id = user_id.try_into().map_err(Into::into)?;
        Ok(Self {
            core: SessionOptions::new(app_id, user_id),
            token_fetcher: None,
            #[cfg(feature = "native")]
            tls: TlsOptions::default(),
            #[cfg(feature = "native")]
            proxy: ProxyOptions::default(),
            call_timeout: None,
            upload_timeout: DEFAULT_UPLOAD_TIMEOUT,
            plain: false,
            force_new: false,
            store: None,
            store_timeout: DEFAULT_STORE_TIMEOUT,
            standby: false,
            pause_restored: false,
        })
    }

    /// Sets the host of the service, with an optional port and without a scheme; see
    /// [`Addresses::of_host`].
    ///
    /// ```
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.host("127.0.0.1:4000");
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn host(self, host: &str) -> Self {
        self.addresses(Addresses::of_host(host))
    }

    /// Sets the addresses of the service.
    ///
    /// ```
    /// use talk_client::{Addresses, TalkOptions};
    ///
    /// let addresses = Addresses::of_host("127.0.0.1:4000");
    /// let options = TalkOptions::new("my_app", "alice")?.addresses(addresses);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn addresses(mut self, addresses: Addresses) -> Self {
        self.core.addresses = addresses;
        self
    }

    /// Connects without TLS, for a server without TLS in a trusted network. Tokens and messages are
    /// sent unencrypted. `localhost` and loopback addresses need no such option.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.host("chat.internal:4000").plain();
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Sets the first JWT. [`Session::set_token`](crate::Session::set_token) replaces it.
    ///
    /// ```
    /// # fn example(jwt: String) -> Result<(), talk_client::EmptyId> {
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.token(jwt);
    /// # Ok(())
    /// # }
    /// ```
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.core.authentication.token = Some(token.into());
        self
    }

    /// Sets a function that fetches a JWT from the application's server.
    ///
    /// It is called when the first token is needed and before a token expires. A result after more
    /// than 60 s is ignored. **An error or a panic ends the session**; wrap the function in
    /// [`retrying`](crate::retrying()) if it can fail for a moment. The text of the error is shown
    /// and must hold no secret.
    ///
    /// ```
    /// use talk_client::{TalkOptions, retrying};
    ///
    /// let fetch = || async { std::fs::read_to_string("token.jwt") };
    /// let options = TalkOptions::new("my_app", "alice")?.token_fetcher(retrying(fetch));
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn token_fetcher(mut self, fetch: impl TokenFetch) -> Self {
        self.token_fetcher = Some(fetch.into_fetcher());
        self.core.authentication.can_fetch_token = true;
        self
    }

    /// Sets the hexadecimal signature of the authentication scheme that preceded JWTs (deprecated
    /// by the service).
    ///
    /// ```
    /// # fn example(signature: String) -> Result<(), talk_client::EmptyId> {
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.signature(signature);
    /// # Ok(())
    /// # }
    /// ```
    pub fn signature(mut self, signature: impl Into<Secret>) -> Self {
        self.core.authentication.signature = Some(signature.into());
        self
    }

    /// Sets the rate of calls that waited for a connection. The default matches the published
    /// client; [`Pacing::Off`] sends everything at once.
    ///
    /// ```
    /// use talk_client::{Pacing, TalkOptions};
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.pacing(Pacing::Off);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.core.pacing = pacing;
        self
    }

    /// Sets the limits of everything that can grow. A call above [`Limits::pending_calls`] waits
    /// until a pending call is resolved.
    ///
    /// ```
    /// use talk_client::{Limits, TalkOptions};
    ///
    /// let mut limits = Limits::default();
    /// limits.pending_calls = 100;
    /// let options = TalkOptions::new("my_app", "alice")?.limits(limits);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.core.limits = limits;
        self
    }

    /// Sets the certificates to trust in TLS connections (default: the platform's root
    /// certificates).
    ///
    /// ```
    /// use talk_client::net::TlsOptions;
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.tls(TlsOptions::default());
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    #[cfg(feature = "native")]
    pub fn tls(mut self, tls: TlsOptions) -> Self {
        self.tls = tls;
        self
    }

    /// Sets or forbids the proxy (default: the environment variables `HTTPS_PROXY`, `HTTP_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY`).
    ///
    /// ```
    /// use talk_client::TalkOptions;
    /// use talk_client::net::ProxyOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.proxy(ProxyOptions::disabled());
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    #[cfg(feature = "native")]
    pub fn proxy(mut self, proxy: ProxyOptions) -> Self {
        self.proxy = proxy;
        self
    }

    /// Fails a call with [`TransportError::Deadline`](crate::TransportError::Deadline) after this
    /// time, which includes the wait for a connection. By default a call waits for a connection
    /// until the session ends, and fails with
    /// [`TransportError::Unanswered`](crate::TransportError::Unanswered) if three connections bring
    /// no answer within 30 s each. Uploads have a limit of their own; see
    /// [`UploadFuture::timeout`](crate::UploadFuture::timeout).
    ///
    /// ```
    /// use std::time::Duration;
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.call_timeout(Duration::from_secs(20));
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// Fails an upload if the server accepts no data for this long while data is available (default
    /// 60 s). After the last byte the server has five times as long to respond. The source has no
    /// time limit.
    pub fn upload_timeout(mut self, timeout: Duration) -> Self {
        self.upload_timeout = timeout;
        self
    }

    /// Creates a private session instead of sharing an existing one.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.force_new();
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn force_new(mut self) -> Self {
        self.force_new = true;
        self
    }

    /// Keeps the outbox in a store, so that unsent messages survive the process. Turns the outbox
    /// on. Without a store, the outbox lives in memory.
    ///
    /// The session locks the records of its addresses, app and user. If that fails, the session
    /// ends with [`SessionError::Store`](crate::SessionError::Store).
    ///
    /// A shared session without a store is not returned for these options: the result is a session
    /// that has ended with [`StoreError::SharedWithoutStore`](crate::store::StoreError).
    ///
    /// ```
    /// use talk_client::TalkOptions;
    /// use talk_client::store::MemoryStore;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.store(MemoryStore::default());
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self.core.outbox.get_or_insert_default();
        self
    }

    /// Sets the time for which the session waits while another one has the lock of the store
    /// (default 5 s). Calls wait meanwhile, each up to its own time limit.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Waits for the lock of the store without limit, for a bot that runs on several machines.
    /// Meanwhile calls and subscriptions work as usual, and the outbox waits: `enqueue` completes
    /// when this session has the lock. It also waits for a store that cannot be opened or read now.
    /// If the session loses the lock, handles of entries fail with
    /// [`StoreError::Lost`], and it waits again.
    /// [`Session::store_states`](crate::Session::store_states) reports the reason of the wait.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    /// use talk_client::store::MemoryStore;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?;
    /// let options = options.store(MemoryStore::default()).standby(true);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn standby(mut self, standby: bool) -> Self {
        self.standby = standby;
        self
    }

    /// Keeps the newest items of the visible lists of messages and conversations in the
    /// [store](Self::store) (default `false`). The next session shows them at once, also without a
    /// connection. Such updates have a [`Freshness`](crate::Freshness) of `Cached`, until the
    /// window from the server replaces the items. [`Store::clear`] deletes the items and all other
    /// records of the user, for example at logout.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    /// use talk_client::store::MemoryStore;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?;
    /// let options = options.store(MemoryStore::default()).cache(true);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn cache(mut self, cache: bool) -> Self {
        self.core.cache = cache;
        self
    }

    /// Turns the outbox on and sets its options. An open [inbox](crate::Session::inbox) turns it on
    /// with the default options.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    /// use talk_client::outbox::OutboxOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.outbox(OutboxOptions::default());
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn outbox(mut self, options: OutboxOptions) -> Self {
        self.core.outbox = Some(options);
        self
    }

    /// Starts the session with the conversations of stored entries
    /// [paused](crate::ConversationRef::pause_outbox), so that it sends no entry of an earlier
    /// session before [`ConversationRef::resume_outbox`](crate::ConversationRef::resume_outbox).
    pub fn pause_restored(mut self) -> Self {
        self.pause_restored = true;
        self
    }

    /// Returns the identity of the session's records in a store.
    pub fn store_key(&self) -> StoreKey {
        let mut key = StoreKey::of(&self.core);
        if self.plain {
            key.addresses = key.addresses.without_tls();
        }
        key
    }

    /// Reads the entries of the outbox in the store, oldest first, without a session and without
    /// the lock. Returns none if the options have no store. Unreadable records are left out.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use talk_client::TalkOptions;
    /// use talk_client::store::MemoryStore;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.store(MemoryStore::default());
    /// for entry in options.stored_entries().await? {
    ///     println!("{}", entry.plaintext());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] and [`StoreError::Io`].
    pub async fn stored_entries(&self) -> Result<Vec<Arc<Entry>>, StoreError> {
        let Some(store) = &self.store else {
            return Ok(Vec::new());
        };
        let records = store.load(&self.store_key()).await?;
        // The core reads the records. At the start of time no entry is too old, and without a
        // driver nothing is sent.
        let start = Timestamp::default();
        let mut core = Session::restore(self.core.clone(), 0, start, &records);
        core.handle_input(start, Input::Tick);
        while core.poll_output().is_some() {}
        Ok(core.outbox_entries().cloned().collect())
    }
}

impl fmt::Debug for TalkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TalkOptions");
        debug.field("core", &self.core);
        #[cfg(feature = "native")]
        debug.field("tls", &self.tls).field("proxy", &self.proxy);
        debug
            .field("call_timeout", &self.call_timeout)
            .field("upload_timeout", &self.upload_timeout)
            .field("plain", &self.plain)
            .field("force_new", &self.force_new)
            .field("has_store", &self.store.is_some())
            .field("store_timeout", &self.store_timeout)
            .field("standby", &self.standby)
            .field("pause_restored", &self.pause_restored)
            .finish_non_exhaustive()
    }
}
