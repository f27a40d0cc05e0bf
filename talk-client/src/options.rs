//! The options of a session.

use std::fmt;
use std::time::Duration;

use talk_proto::{
    Addresses, Limits, Pacing, Secret, SessionOptions,
    model::{AppId, EmptyId, UserId},
};

#[cfg(feature = "native")]
use crate::net::{ProxyOptions, TlsOptions};
use crate::token_fetch::{TokenFetch, TokenFetcher};

/// The default of the upload time-out. It is longer than the pauses of a recovering network.
const DEFAULT_UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);

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
        })
    }

    /// Sets the host of the service with an optional port; see [`Addresses::of_host`].
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
    /// no answer within 30 s each.
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
            .finish_non_exhaustive()
    }
}
