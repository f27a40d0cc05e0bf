//! What can go wrong between here and the server. No message holds a URL's path or query.

use std::error::Error;
use std::io;

use http::StatusCode;
use http::uri::InvalidUri;

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be connected to. Trying again cannot help.
    #[error("the server's address cannot be used: {0}")]
    InvalidUrl(#[from] UrlError),
    /// The host's name could not be resolved.
    #[error("cannot find {host}: {source}; check the host name and the network")]
    Dns {
        /// The name that was looked up.
        host: String,
        /// What the resolver reported.
        source: io::Error,
    },
    /// No address of the host accepted a TCP connection.
    #[error("cannot connect to {host} port {port}: {source}; check the address and the network")]
    Tcp {
        /// The host's name or IP address.
        host: String,
        /// The port.
        port: u16,
        /// Why the last of the attempts failed.
        source: io::Error,
    },
    /// The connection could not be secured, most often because the certificate is not trusted.
    #[error(
        "no secure connection to {host}: {source}; check the address and this device's clock, \
         or give a private server's root certificate in the TLS options"
    )]
    Tls {
        /// The host's name or IP address.
        host: String,
        /// What TLS reported.
        source: io::Error,
    },
    /// TLS could not be set up at all, whatever the server.
    #[error("TLS cannot be used here: {0}")]
    TlsSetup(#[source] io::Error),
    /// The server answered the WebSocket request with something other than 101. Redirects are not
    /// followed.
    #[error("the server answered {status} instead of opening a WebSocket; check the address")]
    Upgrade {
        /// The answer's status.
        status: StatusCode,
    },
    /// What the server answered is no valid WebSocket handshake.
    #[error("the server does not speak WebSocket at this address: {reason}")]
    Handshake {
        /// The rule that the answer breaks.
        reason: String,
    },
    /// The connection was lost while it was being set up.
    #[error("the connection was lost while it was being set up: {0}; try again")]
    Interrupted(#[source] io::Error),
}

/// What is wrong with a URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is not a URL.
    #[error("{0}; percent-encode special characters and write international names in Punycode")]
    Syntax(#[from] InvalidUri),
    /// The scheme is missing or not one of those that can be used here.
    #[error("it must start with {plain}:// or {secure}://")]
    Scheme {
        /// The scheme without TLS.
        plain: &'static str,
        /// The scheme with TLS.
        secure: &'static str,
    },
    /// The host is missing, or not a name or an IP address.
    #[error("it has no valid host name")]
    Host,
    /// The port is not a number from 0 to 65535.
    #[error("its port must be a number from 0 to 65535")]
    Port,
    /// The URL holds a user name or a password, which would be sent to nobody.
    #[error("it must not hold a user name or password")]
    Credentials,
}

/// Why an open WebSocket ended, other than by a close frame. The socket is of no use afterwards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketError {
    /// A message is larger than the limit given at connect. Its content was not read.
    #[error("the server sent a message of at least {size} bytes; the limit is {limit}")]
    TooLarge {
        /// What the message holds as far as it is known, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server broke the WebSocket protocol.
    #[error("the server broke the WebSocket protocol: {reason}")]
    Protocol {
        /// The rule that was broken.
        reason: String,
    },
    /// The connection was lost without a close frame.
    #[error("the connection was lost: {0}")]
    Lost(#[source] io::Error),
}

/// Why an HTTP exchange failed. A status of 400 or above is no failure here: it is an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The server could not be reached; nothing of the request was sent.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection was lost before the answer was complete. The server may have acted on the
    /// request.
    #[error("the connection was lost before the answer was complete: {0}")]
    Interrupted(#[source] Box<dyn Error + Send + Sync>),
    /// The server's answer is not HTTP/1.
    #[error("the server's answer is not valid HTTP: {0}")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// The source of the request's body failed, or did not give as many bytes as it announced. The
    /// network is not to blame.
    #[error("the data to send could not be read: {0}")]
    Source(#[source] io::Error),
    /// The request cannot be sent as it stands. Trying again cannot help.
    #[error("the request cannot be sent: {0}")]
    InvalidRequest(#[source] Box<dyn Error + Send + Sync>),
}
