//! Connections through proxies: HTTP CONNECT and SOCKS5.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::endpoint::Endpoint;
use super::runtime::Runtime;
use super::tcp;
use crate::transport::ConnectError;

/// The maximum size of a proxy's response to CONNECT, in bytes.
const MAX_HEAD: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;

/// The proxy settings of a session.
///
/// The default reads the environment variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY`, upper case first, as curl does: `HTTPS_PROXY` is for servers with TLS, `HTTP_PROXY`
/// for servers without, and `ALL_PROXY` for both. A loopback address or `localhost` is connected to
/// directly.
///
/// A proxy is `http://` (CONNECT, which the proxy has to allow for the server's port), `socks5://`
/// or `socks5h://`. With SOCKS5 the proxy resolves the server's name. Its URL may hold a
/// percent-encoded user name and password.
///
/// ```
/// use talk_client::TalkOptions;
/// use talk_client::net::ProxyOptions;
///
/// let proxy = ProxyOptions::url("socks5://alice:secret@proxy.example:1080")?;
/// let options = TalkOptions::new("my_app", "alice")?.proxy(proxy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ProxyOptions {
    matcher: Option<Arc<Matcher>>,
    skips_loopback: bool,
}

/// The reason that a proxy URL is unusable. It never holds the URL, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// The text is not a URL with a host.
    #[error("the proxy must be a URL such as http://proxy.example:3128")]
    Syntax,
    /// The port is not a number from 0 to 65535.
    #[error("the port of the proxy's URL must be a number from 0 to 65535")]
    Port,
    /// The scheme is not supported.
    #[error("the proxy's URL must start with http://, socks5:// or socks5h://")]
    Scheme,
}

impl ProxyOptions {
    /// Connects to every server directly and ignores the environment.
    pub fn disabled() -> Self {
        Self {
            matcher: None,
            skips_loopback: false,
        }
    }

    /// Connects to every server through this proxy and ignores the environment.
    ///
    /// # Errors
    ///
    /// [`ProxyUrlError`] if the text is not a URL of a supported proxy.
    pub fn url(url: &str) -> Result<Self, ProxyUrlError> {
        let uri: Uri = url.parse().map_err(|_| ProxyUrlError::Syntax)?;
        check(&uri)?;
        Ok(Self {
            matcher: Some(Arc::new(Matcher::builder().all(url).build())),
            skips_loopback: false,
        })
    }

    /// Returns the proxy of an endpoint; `None` if it is connected to directly.
    pub(super) fn of(&self, endpoint: &Endpoint) -> Option<Intercept> {
        let matcher = self.matcher.as_ref()?;
        if self.skips_loopback && is_loopback(&endpoint.host) {
            return None;
        }
        let scheme = if endpoint.secure { "https" } else { "http" };
        let uri: Uri = format!("{scheme}://{}/", authority(endpoint))
            .parse()
            .ok()?;
        matcher.intercept(&uri)
    }
}

/// Reads the environment.
impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            matcher: Some(Arc::new(Matcher::from_env())),
            skips_loopback: true,
        }
    }
}

/// Hides user names and passwords.
impl fmt::Debug for ProxyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.matcher {
            Some(matcher) => f.debug_tuple("ProxyOptions").field(matcher).finish(),
            None => f.write_str("ProxyOptions(disabled)"),
        }
    }
}

/// Returns `true` for `localhost`, its subdomains and loopback addresses.
fn is_loopback(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

fn authority(endpoint: &Endpoint) -> String {
    let Endpoint { host, port, .. } = endpoint;
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Checks the URL of a proxy. Those of the environment are checked when they are used.
fn check(uri: &Uri) -> Result<(), ProxyUrlError> {
    match uri.scheme_str() {
        Some("http" | "socks5" | "socks5h") => {}
        Some(_) => return Err(ProxyUrlError::Scheme),
        None => return Err(ProxyUrlError::Syntax),
    }
    let host = uri.host().unwrap_or_default();
    if host.is_empty() {
        return Err(ProxyUrlError::Syntax);
    }
    // The parser accepts every port.
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if uri.port_u16().is_none() && !authority.ends_with(host) {
        return Err(ProxyUrlError::Port);
    }
    Ok(())
}

/// Connects to an endpoint through a proxy.
pub(super) async fn connect<R: Runtime>(
    runtime: &R,
    intercept: &Intercept,
    endpoint: &Endpoint,
) -> Result<R::TcpStream, ConnectError> {
    let uri = intercept.uri();
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.host().unwrap_or_default();
    let proxy = Endpoint {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: uri
            .port_u16()
            .unwrap_or(if scheme == "http" { 80 } else { 1080 }),
        secure: false,
    };
    let failed = |reason: String| ConnectError::Proxy {
        proxy: authority(&proxy),
        reason,
    };
    check(uri).map_err(|error| failed(error.to_string()))?;
    let stream = tcp::connect(runtime, &proxy).await;
    let mut stream = stream.map_err(|error| failed(error.to_string()))?;
    let tunnel = if scheme == "http" {
        let credentials = intercept.basic_auth().map(|value| value.as_bytes());
        http_connect(&mut stream, endpoint, credentials).await
    } else {
        socks5_connect(&mut stream, endpoint, intercept.raw_auth()).await
    };
    tunnel.map_err(|error| failed(error.to_string()))?;
    Ok(stream)
}

/// Opens a tunnel with the CONNECT method (RFC 9110, section 9.3.6).
async fn http_connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    endpoint: &Endpoint,
    credentials: Option<&[u8]>,
) -> io::Result<()> {
    let target = authority(endpoint);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").into_bytes();
    if let Some(credentials) = credentials {
        request.extend_from_slice(b"proxy-authorization: ");
        request.extend_from_slice(credentials);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    stream.flush().await?;

    let mut head = [0; MAX_HEAD];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut head[filled..]).await?;
        if read == 0 {
            return Err(ended());
        }
        filled += read;
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&head[..filled]) {
            Ok(httparse::Status::Complete(length)) => {
                return match response.code {
                    // The server sends nothing before the client does.
                    Some(200..300) if length == filled => Ok(()),
                    Some(200..300) => Err(io::Error::other("it sent data before the tunnel")),
                    Some(407) => Err(io::Error::other(
                        "it requires a user name and a password (407); put valid ones into its URL",
                    )),
                    Some(code) => Err(io::Error::other(format!("it refuses with status {code}"))),
                    None => Err(io::Error::other("it does not speak HTTP")),
                };
            }
            Ok(httparse::Status::Partial) if filled < MAX_HEAD => {}
            Ok(httparse::Status::Partial) | Err(_) => {
                return Err(io::Error::other("it does not speak HTTP"));
            }
        }
    }
}

/// Opens a tunnel with SOCKS5 (RFC 1928) and, if needed, a password (RFC 1929).
async fn socks5_connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    endpoint: &Endpoint,
    credentials: Option<(&str, &str)>,
) -> io::Result<()> {
    const VERSION: u8 = 5;
    const NO_AUTHENTICATION: u8 = 0;
    const PASSWORD: u8 = 2;

    let greeting: &[u8] = match credentials {
        None => &[VERSION, 1, NO_AUTHENTICATION],
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, PASSWORD],
    };
    write(stream, greeting).await?;
    match (read::<2, _>(stream).await?, credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, PASSWORD], Some((user, password))) => {
            let mut request = vec![1];
            push_string(&mut request, user)?;
            push_string(&mut request, password)?;
            write(stream, &request).await?;
            if read::<2, _>(stream).await?[1] != 0 {
                return Err(io::Error::other("it rejects the user name or password"));
            }
        }
        ([VERSION, _], _) => {
            return Err(io::Error::other(
                "it requires a user name and a password; put them into its URL",
            ));
        }
        _ => return Err(io::Error::other("it does not speak SOCKS5")),
    }

    let mut request = vec![VERSION, 1, 0];
    match endpoint.host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.push(3);
            push_string(&mut request, &endpoint.host)?;
        }
    }
    request.extend_from_slice(&endpoint.port.to_be_bytes());
    write(stream, &request).await?;

    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(io::Error::other("it does not speak SOCKS5"));
    }
    if reply != 0 {
        return Err(io::Error::other(refusal(reply)));
    }
    // The address of the proxy's own socket is of no interest.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(read::<1, _>(stream).await?[0]),
        _ => return Err(io::Error::other("it does not speak SOCKS5")),
    };
    let mut address = [0; 255 + 2];
    read_exact(stream, &mut address[..length + 2]).await
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn read<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    read_exact(stream, &mut bytes).await?;
    Ok(bytes)
}

async fn read_exact<S: AsyncRead + Unpin>(stream: &mut S, bytes: &mut [u8]) -> io::Result<()> {
    match stream.read_exact(bytes).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ended()),
        read => read,
    }
}

fn push_string(request: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u8::try_from(text.len())
        .map_err(|_| io::Error::other("a name or password has more than 255 bytes"))?;
    request.push(length);
    request.extend_from_slice(text.as_bytes());
    Ok(())
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")
}

fn refusal(reply: u8) -> &'static str {
    match reply {
        2 => "its rules forbid this server",
        3 => "it cannot reach the network",
        4 => "it cannot reach the server",
        5 => "the server refuses the connection",
        6 => "the server is too far away",
        7 | 8 => "it does not support this kind of connection",
        _ => "it failed",
    }
}

#[cfg(test)]
mod tests;
