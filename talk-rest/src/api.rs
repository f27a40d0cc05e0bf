//! The address of an app and its credentials.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Uri};
use talk_proto::{
    Addresses, Secret, Timestamp,
    model::{AppId, EmptyId},
    token::mint_app_token,
};

use crate::call::Call;
use crate::error::InvalidCall;
use crate::path::{has_dot_segment, path};
use crate::version::ApiVersion;

/// The lifetime of an app token. Each request has a token of its own.
const TOKEN_LIFETIME: Duration = Duration::from_secs(30);

const VERSION_HEADER: &str = "talkjs-rest-version";

/// The credentials of a back end. `Debug` hides the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A token for each request, which is signed with the secret key and expires after 30 seconds.
    /// The key itself is not sent.
    AppToken(Secret),
    /// The secret key itself (legacy).
    SecretKey(Secret),
    /// A given token, such as a user's token for uploads.
    Token(Secret),
}

/// The secret key of the app, which signs a token for each request.
impl<S: Into<Secret>> From<S> for Credentials {
    fn from(secret_key: S) -> Self {
        Self::AppToken(secret_key.into())
    }
}

/// The REST API of an app: address, credentials and version. It makes HTTP requests from calls.
///
/// ```
/// use talk_rest::{Api, Timestamp, UserParams, user};
///
/// let api = Api::new("my_app", "sk_test_1")?;
/// let call = user("alice")?.put(UserParams::named("Alice"));
/// let now = Timestamp::from_millis(1_767_225_600_000); // the wall clock
/// let request = api.request(&call, now)?;
/// assert_eq!(request.method(), "PUT");
/// assert_eq!(request.uri(), "https://api.talkjs.com/v1/my_app/users/alice");
/// assert_eq!(request.body(), r#"{"name":"Alice"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Api {
    base: String,
    app: AppId,
    credentials: Credentials,
    version: ApiVersion,
}

impl Api {
    /// Creates the API of an app at the public service. A string as credentials is the app's secret
    /// key.
    ///
    /// # Errors
    /// [`EmptyId`] if the app's ID is empty.
    pub fn new<A>(app: A, credentials: impl Into<Credentials>) -> Result<Self, EmptyId>
    where
        A: TryInto<AppId, Error: Into<EmptyId>>,
    {
        Ok(Self {
            base: Addresses::default().rest,
            app: app.try_into().map_err(Into::into)?,
            credentials: credentials.into(),
            version: ApiVersion::default(),
        })
    }

    /// Sets the host with an optional port, such as that of an emulator; see
    /// [`Addresses::of_host`].
    ///
    /// ```
    /// # use talk_rest::{Api, Timestamp};
    /// let api = Api::new("my_app", "sk_test_1")?.host("127.0.0.1:4000");
    /// let request = api.request(&talk_rest::app(), Timestamp::default())?;
    /// assert_eq!(request.uri(), "http://127.0.0.1:4000/public_api/v1/my_app");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn host(self, host: &str) -> Self {
        self.addresses(&Addresses::of_host(host))
    }

    /// Sets the addresses of the service.
    pub fn addresses(mut self, addresses: &Addresses) -> Self {
        self.base.clone_from(&addresses.rest);
        self
    }

    /// Sets the base URL, to which the app's ID is appended, such as `http://127.0.0.1:4000/v1`.
    pub fn base(mut self, url: impl Into<String>) -> Self {
        self.base = url.into();
        self
    }

    /// Sets the version of calls without a version of their own.
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Returns the app's ID.
    pub fn app_id(&self) -> &AppId {
        &self.app
    }

    /// Returns the HTTP request for a call. `now` is the wall clock, which must be right within
    /// seconds, because tokens expire after 30 seconds.
    ///
    /// # Errors
    /// [`InvalidCall::Url`] and [`InvalidCall::Credentials`].
    pub fn request<T>(
        &self,
        call: &Call<T>,
        now: Timestamp,
    ) -> Result<Request<Bytes>, InvalidCall> {
        let parts = &call.parts;
        let base = self.base.trim_end_matches('/');
        let app = path(&[self.app.as_str()]);
        if has_dot_segment(&app) || has_dot_segment(&parts.path) {
            return Err(InvalidCall::Url);
        }
        let uri: Uri = format!("{base}{app}{}", parts.target())
            .parse()
            .map_err(|_| InvalidCall::Url)?;
        if uri.host().is_none() || uri.scheme().is_none() {
            return Err(InvalidCall::Url);
        }
        let version = parts.version.unwrap_or(self.version).as_str();
        let mut request = Request::builder()
            .method(parts.method.clone())
            .uri(uri)
            .header(AUTHORIZATION, self.authorization(now)?)
            .header(VERSION_HEADER, version);
        let mut body = Bytes::new();
        if let Some((content_type, bytes)) = parts.body() {
            request = request.header(CONTENT_TYPE, content_type);
            body = bytes;
        }
        request.body(body).map_err(|_| InvalidCall::Url)
    }

    fn authorization(&self, now: Timestamp) -> Result<HeaderValue, InvalidCall> {
        let (Credentials::AppToken(secret)
        | Credentials::SecretKey(secret)
        | Credentials::Token(secret)) = &self.credentials;
        if secret.expose().is_empty() {
            return Err(InvalidCall::Credentials);
        }
        let token = match self.credentials {
            Credentials::AppToken(_) => mint_app_token(secret, &self.app, now + TOKEN_LIFETIME),
            Credentials::SecretKey(_) | Credentials::Token(_) => secret.clone(),
        };
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| InvalidCall::Credentials)?;
        value.set_sensitive(true);
        Ok(value)
    }
}
