//! What a user says when asking for a session.

use std::fmt::{self, Display};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use talk_proto::{Addresses, AppId, EmptyId, Limits, Pacing, Secret, SessionOptions, UserId};

#[cfg(feature = "native")]
use crate::net::TlsOptions;
use crate::transport::{BoxFuture, MaybeSend, MaybeSync, SharableFn};

/// The application's token callback.
pub(crate) type TokenFetcher = Arc<dyn SharableFn<(), BoxFuture<'static, Result<Secret, String>>>>;

/// Longer than any pause of a network that comes back.
const DEFAULT_UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Which session to get, and how it connects.
///
/// Sessions are shared: where one lives already for the same addresses, app and user, it is given
/// as it is, and the rest of the options is ignored.
///
/// With neither token nor token fetcher the service is asked for an anonymous token. It grants one
/// while authentication is switched off for the app.
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
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) upload_timeout: Duration,
    pub(crate) force_new: bool,
}

impl TalkOptions {
    /// Connects `user_id` to the public service without authentication.
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
    /// [`EmptyId`] when either ID is empty.
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
            call_timeout: None,
            upload_timeout: DEFAULT_UPLOAD_TIMEOUT,
            force_new: false,
        })
    }

    /// Where the service is: a host name with an optional port, see [`Addresses::of_host`].
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

    /// Where the service is, address by address.
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

    /// A JWT to start with. It can be replaced with
    /// [`Session::set_token`](crate::Session::set_token).
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

    /// A function that gets a JWT from the application's server.
    ///
    /// It is called when the first token is needed, and before a token expires; a result that
    /// takes more than 60 s is ignored. It retries on its own what may pass: an error, or a panic,
    /// ends the session. The error's text should hold no secret, for it is shown.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    ///
    /// let fetch = || async { std::fs::read_to_string("token.jwt") };
    /// let options = TalkOptions::new("my_app", "alice")?.token_fetcher(fetch);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn token_fetcher<F, Fut, T, E>(mut self, fetch: F) -> Self
    where
        F: Fn() -> Fut + MaybeSend + MaybeSync + 'static,
        Fut: Future<Output = Result<T, E>> + MaybeSend + 'static,
        T: Into<Secret>,
        E: Display,
    {
        let fetch = Arc::new(fetch);
        self.token_fetcher = Some(Arc::new(move |()| -> BoxFuture<'static, _> {
            let fetch = Arc::clone(&fetch);
            Box::pin(async move {
                match fetch().await {
                    Ok(token) => Ok(token.into()),
                    Err(error) => Err(error.to_string()),
                }
            })
        }));
        self.core.authentication.can_fetch_token = true;
        self
    }

    /// The hexadecimal signature of the scheme before JWTs (deprecated by the service).
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

    /// How fast calls that waited for a connection are sent. The default is what the published
    /// client was seen to do; [`Pacing::OFF`] sends everything at once.
    ///
    /// ```
    /// use talk_client::{Pacing, TalkOptions};
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.pacing(Pacing::OFF);
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.core.pacing = pacing;
        self
    }

    /// Caps on what could grow. A call above [`Limits::pending_calls`] waits for its turn.
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

    /// Whom to trust in TLS connections. The default is the platform's root certificates.
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

    /// How long a call may take before it fails with
    /// [`TransportError::Deadline`](crate::TransportError::Deadline), the wait for a connection
    /// included. By default calls wait as long as the session lives.
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

    /// How long a server may take nothing of an upload that has bytes for it; default 60 s. Once it
    /// has all of it, it has five times as long to answer. A source may be silent as long as it
    /// likes.
    pub fn upload_timeout(mut self, timeout: Duration) -> Self {
        self.upload_timeout = timeout;
        self
    }

    /// Makes a session of one's own, even where one lives: nobody else is given it.
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
        debug.field("tls", &self.tls);
        debug
            .field("call_timeout", &self.call_timeout)
            .field("upload_timeout", &self.upload_timeout)
            .field("force_new", &self.force_new)
            .finish_non_exhaustive()
    }
}
