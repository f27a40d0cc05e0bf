//! Sending of webhooks over HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;
use http::header::{CONNECTION, HOST, HeaderValue};
use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::server::{WebhookAnswer, WebhookAttemptId, WebhookRequest, is_loopback, printable};

/// The number of bytes of an answer that are read.
const MAX_RESPONSE: usize = 4096;

/// The time limit of the body of an answer, after its head.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// The time limit of the whole answer. It is less than that of the server, so that a slow body does
/// not discard the status.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(4900);

const USER_AGENT: &str = concat!("talk-emulator/", env!("CARGO_PKG_VERSION"));

/// The reason why an address cannot receive webhooks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookAddressError {
    /// The address is not an absolute URL.
    #[error("the address of webhooks is not a URL; use one such as http://127.0.0.1:3000/hooks")]
    Invalid,
    /// The address has a scheme other than `http`.
    #[error("webhooks are sent over plain HTTP; use an address that begins with http://")]
    NotHttp,
    /// The address is not on this machine.
    #[error(
        "webhooks are sent to this machine only, not to {0}; allow other hosts with --webhook-any"
    )]
    NotLocal(String),
}

/// The hosts to which webhooks are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WebhookHosts {
    /// Loopback addresses only.
    #[default]
    Loopback,
    /// All hosts.
    Any,
}

/// The sender of webhooks. Dropping it cancels the attempts in flight.
#[derive(Debug)]
pub(super) struct WebhookSender {
    hosts: WebhookHosts,
    tasks: JoinSet<()>,
    running: BTreeMap<WebhookAttemptId, AbortHandle>,
}

impl WebhookHosts {
    /// Checks an address.
    pub(crate) fn check(self, url: &str) -> Result<(), WebhookAddressError> {
        let (authority, _) = split(url)?;
        if self == Self::Any || is_loopback(authority.host()) {
            return Ok(());
        }
        Err(WebhookAddressError::NotLocal(printable(authority.host())))
    }

    fn allows(self, address: &SocketAddr) -> bool {
        self == Self::Any || address.ip().is_loopback()
    }
}

impl WebhookSender {
    pub(super) fn new(hosts: WebhookHosts) -> Self {
        Self {
            hosts,
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
        }
    }

    pub(super) fn hosts(&self) -> WebhookHosts {
        self.hosts
    }

    /// Sends a webhook in its own task, and passes the result to `report`.
    pub(super) fn send<F: Future<Output = ()> + Send>(
        &mut self,
        attempt: WebhookAttemptId,
        request: WebhookRequest,
        report: impl FnOnce(Result<WebhookAnswer, String>) -> F + Send + 'static,
    ) {
        while self.tasks.try_join_next().is_some() {}
        let hosts = self.hosts;
        let task = self.tasks.spawn(async move {
            let result = deliver(&request, hosts).await;
            report(result.map_err(|reason| printable(&reason))).await;
        });
        self.running.insert(attempt, task);
    }

    pub(super) fn finish(&mut self, attempt: WebhookAttemptId) {
        self.running.remove(&attempt);
    }

    pub(super) fn cancel(&mut self, attempt: WebhookAttemptId) {
        if let Some(task) = self.running.remove(&attempt) {
            task.abort();
        }
    }
}

fn split(url: &str) -> Result<(Authority, Uri), WebhookAddressError> {
    let uri: Uri = url.parse().map_err(|_| WebhookAddressError::Invalid)?;
    match (uri.scheme(), uri.authority()) {
        (Some(scheme), Some(_)) if *scheme != Scheme::HTTP => Err(WebhookAddressError::NotHttp),
        (Some(_), Some(authority)) if is_host_and_port(authority) => {
            let authority = authority.clone();
            let path = uri.path_and_query().map_or("/", |path| path.as_str());
            let path = path.parse().map_err(|_| WebhookAddressError::Invalid)?;
            Ok((authority, path))
        }
        _ => Err(WebhookAddressError::Invalid),
    }
}

/// Returns `true` if there is no user name, and the port is absent or valid.
fn is_host_and_port(authority: &Authority) -> bool {
    match authority.as_str().strip_prefix(authority.host()) {
        Some("" | ":") => true,
        Some(_) => authority.port_u16().is_some(),
        None => false,
    }
}

async fn deliver(request: &WebhookRequest, hosts: WebhookHosts) -> Result<WebhookAnswer, String> {
    let body_deadline = Instant::now() + ANSWER_TIMEOUT;
    let (authority, path) = split(&request.url).map_err(|error| error.to_string())?;
    let mut message = request.to_http().map_err(|error| error.to_string())?;
    *message.uri_mut() = path;
    let headers = message.headers_mut();
    let host = HeaderValue::from_str(authority.as_str()).map_err(|error| error.to_string())?;
    headers.insert(HOST, host);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));

    let stream = connect(&authority, hosts).await?;
    exchange(stream, message.map(Body::from), body_deadline)
        .await
        .map_err(|error| format!("no answer: {error}"))
}

async fn connect(authority: &Authority, hosts: WebhookHosts) -> Result<TcpStream, String> {
    let name = authority.host().trim_matches(['[', ']']);
    let port = authority.port_u16().unwrap_or(80);
    let refused = |error| format!("cannot connect: {error}");
    let addresses: Vec<_> = lookup_host((name, port)).await.map_err(refused)?.collect();
    // The name may no longer resolve to the machine for which the address was checked.
    let allowed: Vec<_> = addresses
        .into_iter()
        .filter(|it| hosts.allows(it))
        .collect();
    if allowed.is_empty() {
        let host = authority.host().to_owned();
        return Err(WebhookAddressError::NotLocal(host).to_string());
    }
    TcpStream::connect(&*allowed).await.map_err(refused)
}

/// Sends the request, and returns the answer. After its head has arrived, nothing discards its
/// status.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Body>,
    body_deadline: Instant,
) -> hyper::Result<WebhookAnswer> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = read(Body::new(response.into_body()), body_deadline).await;
        Ok(WebhookAnswer { status, body })
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        // Polled first, because the answer may be complete when the connection ends.
        biased;
        answer = &mut answer => answer,
        ended = &mut connection => match answer.await {
            // The end of the connection is the cause.
            Err(error) => Err(ended.err().unwrap_or(error)),
            answer => answer,
        },
    }
}

/// Returns the beginning of a body. A body that does not arrive in time is truncated.
async fn read(body: Body, deadline: Instant) -> String {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    let reading = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= MAX_RESPONSE {
                break;
            }
        }
    };
    let deadline = deadline.min(Instant::now() + BODY_TIMEOUT);
    // After the time limit, the bytes received so far are kept.
    let _ = timeout_at(deadline, reading).await;
    bytes.truncate(MAX_RESPONSE);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::{ANSWER_TIMEOUT, WebhookAddressError, WebhookHosts, exchange};
    use crate::server::WebhookAnswer;

    /// Returns a connection whose other end is passed to `receive` after the request has arrived.
    fn receiver<F: Future<Output = ()> + Send>(
        receive: impl FnOnce(DuplexStream) -> F + Send + 'static,
    ) -> DuplexStream {
        let (stream, mut other) = duplex(1024);
        tokio::spawn(async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(other.read_u8().await.unwrap());
            }
            receive(other).await;
        });
        stream
    }

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";

    async fn answer(stream: DuplexStream, deadline: Instant) -> WebhookAnswer {
        let request = Request::post("/").body(Body::empty()).unwrap();
        exchange(stream, request, deadline).await.unwrap()
    }

    #[tokio::test]
    async fn late_body_keeps_the_status() {
        let stream = receiver(async |mut stream| {
            stream.write_all(HEAD).await.unwrap();
            std::future::pending::<()>().await;
        });
        let WebhookAnswer { status, body } = answer(stream, Instant::now()).await;
        assert_eq!((status, &*body), (200, ""));
    }

    #[tokio::test]
    async fn cut_body_keeps_the_status() {
        let stream = receiver(async |mut stream| {
            stream.write_all(HEAD).await.unwrap();
            stream.write_all(b"rece").await.unwrap();
        });
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        let WebhookAnswer { status, body } = answer(stream, deadline).await;
        assert_eq!((status, &*body), (200, "rece"));
    }

    #[test]
    fn address_must_be_http_on_this_machine() {
        let check = |url| WebhookHosts::Loopback.check(url);
        for url in [
            "http://127.0.0.1:3000/hooks",
            "http://localhost/hooks?key=1",
            "http://[::1]:3000",
            "http://localhost:/",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "/hooks",
            "127.0.0.1:3000",
            "http://user@localhost/",
            "http://localhost:65536/",
            "http://[::1]:99999/",
        ] {
            assert_eq!(check(url), Err(WebhookAddressError::Invalid), "{url}");
        }
        let https = "https://localhost/";
        assert_eq!(check(https), Err(WebhookAddressError::NotHttp));
        for url in ["http://hooks.example/", "http://127.0.0.1.example/"] {
            let error = check(url);
            assert!(matches!(error, Err(WebhookAddressError::NotLocal(_))));
            assert_eq!(WebhookHosts::Any.check(url), Ok(()));
        }
    }
}
