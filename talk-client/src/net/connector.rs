//! One way to open both kinds of connection.

use http::{Request, Response, Uri};

use super::endpoint::Endpoint;
use super::error::{ConnectError, HttpError, UrlError};
use super::http::{ResponseBody, send_request};
use super::http_body::RequestBody;
use super::tcp;
use super::tls::{self, MaybeTls, TlsOptions};
use super::websocket::{self, WebSocket};
use crate::runtime::Runtime;

/// A WebSocket over the runtime's TCP streams.
pub type Socket<R> = WebSocket<MaybeTls<<R as Runtime>::TcpStream>>;

/// Opens connections on a runtime. Cloning it is cheap.
///
/// None of its futures has a time-out; drop one to give up, which closes its connection.
#[derive(Clone, Debug)]
pub struct Connector<R> {
    runtime: R,
    tls: TlsOptions,
}

impl<R: Runtime> Connector<R> {
    /// A connector that trusts what `tls` says.
    #[must_use]
    pub fn new(runtime: R, tls: TlsOptions) -> Self {
        Self { runtime, tls }
    }

    /// Opens a WebSocket at a `ws://` or `wss://` URL.
    ///
    /// A text message from the server may hold `max_message` bytes.
    ///
    /// # Errors
    ///
    /// When the URL cannot be used, the server cannot be reached, or it does not answer 101 to the
    /// upgrade. Redirects are not followed.
    pub async fn websocket(
        &self,
        url: &str,
        max_message: usize,
    ) -> Result<Socket<R>, ConnectError> {
        let url: Uri = url.parse().map_err(UrlError::Syntax)?;
        let stream = self.stream(&Endpoint::of_websocket(&url)?).await?;
        websocket::handshake(url, stream, max_message).await
    }

    /// Sends a request to its `http://` or `https://` URL on a connection of its own and waits for
    /// the answer's head; the body follows as a stream.
    ///
    /// `Host`, `Connection` and the length of the body are set here. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// When the URL cannot be used, the server cannot be reached, the body's source fails, or the
    /// connection ends before a valid head has come.
    pub async fn request(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, HttpError> {
        let endpoint = Endpoint::of_http(request.uri()).map_err(ConnectError::from)?;
        let stream = self.stream(&endpoint).await?;
        send_request(stream, request).await
    }

    async fn stream(&self, endpoint: &Endpoint) -> Result<MaybeTls<R::TcpStream>, ConnectError> {
        let stream = tcp::connect(&self.runtime, endpoint).await?;
        if !endpoint.secure {
            return Ok(MaybeTls::Plain(stream));
        }
        let secured = tls::handshake(&self.runtime, &self.tls, endpoint, stream).await?;
        Ok(MaybeTls::Tls(Box::new(secured)))
    }
}
