//! Errors of a transport. No message holds the path or query of a URL.
//!
//! The messages include their causes, so these errors have no `source()`: each cause stands once in
//! a chain.

use std::error::Error;
use std::io;

use http::StatusCode;
use http::uri::InvalidUri;

/// The reason of a failed connection attempt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is unusable. A retry fails the same way.
    #[error("the server's address cannot be used: {0}")]
    InvalidUrl(UrlError),
    /// The host's name could not be resolved.
    #[error("cannot find {host}: {cause}; check the host name and the network")]
    Dns {
        /// The name.
        host: String,
        /// The error of the resolver.
        cause: io::Error,
    },
    /// No address of the host accepted a TCP connection.
    #[error("cannot connect to {host} port {port}: {cause}; check the address and the network")]
    Tcp {
        /// The host's name or IP address.
        host: String,
        /// The port.
        port: u16,
        /// The error of the last attempt.
        cause: io::Error,
    },
    /// The proxy does not connect to the server.
    #[error("no connection through the proxy {proxy}: {reason}; check the proxy settings")]
    Proxy {
        /// The proxy's host and port.
        proxy: String,
        /// The reason.
        reason: String,
    },
    /// The TLS handshake failed, most often because the certificate is not trusted.
    #[error(
        "no secure connection to {host}: {cause}; check the address and this device's clock, \
         give a private server's root certificate in the TLS options, or connect to a server \
         without TLS by TalkOptions::plain (--plain)"
    )]
    Tls {
        /// The host's name or IP address.
        host: String,
        /// The error of the TLS library.
        cause: io::Error,
    },
    /// TLS could not be set up, independent of the server.
    #[error("TLS cannot be used here: {0}")]
    TlsSetup(io::Error),
    /// The server answered the WebSocket request with something other than 101. Redirects are not
    /// followed.
    #[error("the server answered {status} instead of opening a WebSocket; check the address")]
    Upgrade {
        /// The status of the response.
        status: StatusCode,
    },
    /// The server's response is not a valid WebSocket handshake.
    #[error("the server does not speak WebSocket at this address: {reason}")]
    Handshake {
        /// The rule that the response breaks.
        reason: String,
    },
    /// The connection was lost during the handshake.
    #[error("the connection was lost while it was being set up: {0}; try again")]
    Interrupted(io::Error),
}

impl From<UrlError> for ConnectError {
    fn from(error: UrlError) -> Self {
        Self::InvalidUrl(error)
    }
}

/// The reason that a URL is unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is not a URL.
    #[error("{0}; percent-encode special characters and write international names in Punycode")]
    Syntax(InvalidUri),
    /// The scheme is missing or not supported.
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
    /// The URL holds a user name or password, which the server would not get.
    #[error("it must not hold a user name or password")]
    Credentials,
}

/// The reason that an open WebSocket ended without a close frame. The socket is unusable
/// afterwards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketError {
    /// A message exceeds the limit given to the connect call. Its content was not read.
    #[error("the server sent a message of at least {size} bytes; the limit is {limit}")]
    TooLarge {
        /// The size of the message as far as it is known, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server broke the WebSocket protocol.
    #[error("the server broke the WebSocket protocol: {reason}")]
    Protocol {
        /// The broken rule.
        reason: String,
    },
    /// The connection was lost without a close frame.
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
}

/// The reason of a failed HTTP request. A response with an error status is not a failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The connection failed; nothing of the request was sent.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection was lost before the response was complete. The server may have processed the
    /// request.
    #[error("the connection was lost before the answer was complete: {0}")]
    Interrupted(Box<dyn Error + Send + Sync>),
    /// The server's response is not HTTP/1.
    #[error("the server's answer is not valid HTTP: {0}")]
    Malformed(Box<dyn Error + Send + Sync>),
    /// The source of the request body failed or differs in length from its announcement.
    #[error("the data to send could not be read: {0}")]
    Source(io::Error),
    /// The request is invalid. A retry fails the same way.
    #[error("the request cannot be sent: {0}")]
    InvalidRequest(Box<dyn Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    const REASON: &str = "the innermost reason";

    fn io_error() -> io::Error {
        io::Error::other(REASON)
    }

    fn connect_errors() -> Vec<ConnectError> {
        let host = || "chat.example.com".to_owned();
        vec![
            UrlError::Host.into(),
            UrlError::Syntax("\u{0}".parse::<Uri>().unwrap_err()).into(),
            ConnectError::Dns {
                host: host(),
                cause: io_error(),
            },
            ConnectError::Tcp {
                host: host(),
                port: 443,
                cause: io_error(),
            },
            ConnectError::Tls {
                host: host(),
                cause: io_error(),
            },
            ConnectError::TlsSetup(io_error()),
            ConnectError::Interrupted(io_error()),
        ]
    }

    #[test]
    fn causes_appear_once_in_every_chain() {
        let mut errors: Vec<Box<dyn Error>> = Vec::new();
        for error in connect_errors() {
            errors.push(error.into());
        }
        for error in connect_errors() {
            errors.push(HttpError::from(error).into());
        }
        errors.push(WebSocketError::Lost(io_error()).into());
        errors.push(HttpError::Interrupted(io_error().into()).into());
        errors.push(HttpError::Malformed(io_error().into()).into());
        errors.push(HttpError::Source(io_error()).into());
        errors.push(HttpError::InvalidRequest(io_error().into()).into());
        for error in errors {
            let mut chain = vec![error.to_string()];
            let mut next = error.source();
            while let Some(cause) = next {
                chain.push(cause.to_string());
                next = cause.source();
            }
            let joined = chain.join(": ");
            assert!(joined.matches(REASON).count() <= 1, "{chain:?}");
            for message in &chain {
                assert_eq!(joined.matches(message.as_str()).count(), 1, "{chain:?}");
            }
        }
    }
}
