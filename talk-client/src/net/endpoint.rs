//! The host and port of a URL.

use http::Uri;

use crate::transport::UrlError;

/// The server of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The name or IP address; an IPv6 address has no brackets.
    pub(super) host: String,
    /// The port of the URL, or the default of its scheme.
    pub(super) port: u16,
    /// Set if the connection uses TLS.
    pub(super) secure: bool,
}

impl Endpoint {
    /// Returns the endpoint of a `ws` or `wss` URL.
    pub(super) fn of_websocket(url: &Uri) -> Result<Self, UrlError> {
        Self::of(url, "ws", "wss")
    }

    /// Returns the endpoint of an `http` or `https` URL.
    pub(super) fn of_http(url: &Uri) -> Result<Self, UrlError> {
        Self::of(url, "http", "https")
    }

    fn of(url: &Uri, plain: &'static str, secure: &'static str) -> Result<Self, UrlError> {
        let (is_secure, default_port) = match url.scheme_str() {
            Some(scheme) if scheme == plain => (false, 80),
            Some(scheme) if scheme == secure => (true, 443),
            _ => return Err(UrlError::Scheme { plain, secure }),
        };
        let authority = url.authority().ok_or(UrlError::Host)?.as_str();
        if authority.contains('@') {
            return Err(UrlError::Credentials);
        }
        let bracketed_host = url.host().unwrap_or_default();
        let host = bracketed_host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(UrlError::Host);
        }
        let port = match authority.strip_prefix(bracketed_host) {
            Some("" | ":") => default_port,
            Some(rest) => rest
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .ok_or(UrlError::Port)?,
            None => return Err(UrlError::Host),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            secure: is_secure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn websocket(url: &str) -> Result<Endpoint, UrlError> {
        Endpoint::of_websocket(&url.parse().map_err(UrlError::Syntax)?)
    }

    fn endpoint(host: &str, port: u16, secure: bool) -> Endpoint {
        Endpoint {
            host: host.to_owned(),
            port,
            secure,
        }
    }

    #[test]
    fn endpoint_from_url_has_host_port_tls() {
        for (url, expected) in [
            (
                "ws://localhost:8080/v1?x=1",
                endpoint("localhost", 8080, false),
            ),
            ("ws://localhost/", endpoint("localhost", 80, false)),
            (
                "wss://realtime.example.com/v1",
                endpoint("realtime.example.com", 443, true),
            ),
            ("wss://example.com:/v1", endpoint("example.com", 443, true)),
            ("ws://[::1]:9000/v1", endpoint("::1", 9000, false)),
            ("wss://[2001:db8::7]", endpoint("2001:db8::7", 443, true)),
            ("ws://127.0.0.1:1/", endpoint("127.0.0.1", 1, false)),
        ] {
            assert_eq!(websocket(url).unwrap(), expected, "{url}");
        }
        let http = Endpoint::of_http(&"https://api.example.com/v1".parse().unwrap());
        assert_eq!(http.unwrap(), endpoint("api.example.com", 443, true));
    }

    #[test]
    fn endpoint_from_invalid_url_is_refused() {
        assert!(matches!(
            websocket("http://localhost/"),
            Err(UrlError::Scheme { .. })
        ));
        assert!(matches!(
            websocket("/v1/realtime"),
            Err(UrlError::Scheme { .. })
        ));
        assert!(matches!(
            websocket("ws://user:word@localhost/"),
            Err(UrlError::Credentials)
        ));
        assert!(matches!(
            websocket("ws://localhost:99999/"),
            Err(UrlError::Port)
        ));
        assert!(matches!(
            websocket("ws://localhost:http/"),
            Err(UrlError::Port | UrlError::Syntax(_))
        ));
        assert!(matches!(
            websocket("ws://:80/"),
            Err(UrlError::Host | UrlError::Syntax(_))
        ));
        for url in [
            "",
            "ws://",
            "ws:// /",
            "ws://[::1/",
            "ws://b\u{fc}cher.example/",
        ] {
            assert!(websocket(url).is_err(), "{url:?}");
        }
        let ws = Endpoint::of_http(&"ws://localhost/".parse().unwrap());
        assert!(matches!(
            ws,
            Err(UrlError::Scheme {
                plain: "http",
                secure: "https"
            })
        ));
    }
}
