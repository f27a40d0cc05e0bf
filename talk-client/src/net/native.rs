//! The transport of native targets.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{Request, Response, Uri};

use super::endpoint::Endpoint;
use super::http::send_request;
use super::proxy::{self, ProxyOptions};
use super::runtime::Runtime;
use super::tcp;
use super::tls::{self, MaybeTls, TlsOptions};
use super::websocket::{self, NativeWebSocket};
use crate::transport::{
    BoxFuture, ClockReading, ConnectError, HttpError, RequestBody, ResponseBody, Transport,
    UrlError,
};

/// The [`Transport`] of native targets: TCP, TLS, WebSocket and HTTP/1.1 over any [`Runtime`].
///
/// ```no_run
/// use talk_client::net::{Native, TlsOptions};
/// use talk_client::transport::{HttpError, RequestBody, Transport};
/// use talk_client::{Runtime, TalkOptions, get_talk_session_over};
///
/// # fn example<R: Runtime>(runtime: R) -> Result<(), talk_client::EmptyId> {
/// let transport = Native::new(runtime).tls(TlsOptions::default());
/// let session = get_talk_session_over(&transport, TalkOptions::new("my_app", "alice")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Native<R> {
    runtime: R,
    tls: TlsOptions,
    proxy: ProxyOptions,
    /// The origin of the monotonic clock.
    start: Instant,
}

impl<R: Runtime> Native<R> {
    /// Creates a transport that trusts the platform's root certificates and reads the proxy
    /// settings from the environment.
    pub fn new(runtime: R) -> Self {
        Self {
            runtime,
            tls: TlsOptions::default(),
            proxy: ProxyOptions::default(),
            start: Instant::now(),
        }
    }

    /// Sets the certificates to trust in TLS connections.
    pub fn tls(mut self, tls: TlsOptions) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the proxy (default: from the environment).
    pub fn proxy(mut self, proxy: ProxyOptions) -> Self {
        self.proxy = proxy;
        self
    }

    /// Connects to an endpoint, with TLS if its URL asks for it.
    async fn connect(&self, endpoint: &Endpoint) -> Result<MaybeTls<R::TcpStream>, ConnectError> {
        let stream = match self.proxy.of(endpoint) {
            Some(proxy) => proxy::connect(&self.runtime, &proxy, endpoint).await?,
            None => tcp::connect(&self.runtime, endpoint).await?,
        };
        if !endpoint.secure {
            return Ok(MaybeTls::plain(stream));
        }
        tls::handshake(&self.runtime, &self.tls, endpoint, stream).await
    }
}

impl<R: Runtime> Transport for Native<R> {
    type WebSocket = NativeWebSocket<MaybeTls<R::TcpStream>>;

    fn websocket(
        &self,
        url: &str,
        max_message: usize,
    ) -> BoxFuture<'static, Result<Self::WebSocket, ConnectError>> {
        let this = self.clone();
        let url = url.parse::<Uri>().map_err(UrlError::Syntax);
        Box::pin(async move {
            let url = url?;
            let stream = this.connect(&Endpoint::of_websocket(&url)?).await?;
            websocket::handshake(url, stream, max_message).await
        })
    }

    fn http(
        &self,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, HttpError>> {
        let this = self.clone();
        Box::pin(async move {
            let endpoint = Endpoint::of_http(request.uri()).map_err(ConnectError::from)?;
            let stream = this.connect(&endpoint).await?;
            send_request(stream, request).await
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.runtime.sleep(duration))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        self.runtime.spawn_blocking(work);
    }

    fn now(&self) -> ClockReading {
        ClockReading {
            monotonic: self.start.elapsed(),
            // A clock set before 1970 reads as the epoch.
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    fn seed(&self) -> u64 {
        // The standard library's map keys replace an unavailable random source.
        getrandom::u64().unwrap_or_else(|_| RandomState::new().hash_one("talk"))
    }
}
