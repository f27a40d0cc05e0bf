//! Access to the control API.
//!
//! The data API answers pages of every origin, as the service does. The control API can change the
//! secret and inject faults. Therefore no web page may reach it, neither directly nor by a host
//! name that resolves to this machine.
//!
//! Any program can send a loopback host name. Therefore only connections from this machine are
//! local, and all others need the token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::refusal::Refusal;
use crate::server::{has_json, is_loopback};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The callers that may use the control API.
#[derive(Clone, Default)]
pub(crate) struct ControlAccess {
    /// The allowed host names. Requests to them need the token, unless they come from this machine
    /// and have a loopback name.
    pub(crate) hosts: Arc<[String]>,
    pub(crate) token: Option<Arc<str>>,
}

/// The other end of a connection, in the extensions of its requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    is_loopback: bool,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            is_loopback: address.ip().to_canonical().is_loopback(),
        }
    }
}

/// The headers of every response: it is not stored, and no other page may embed, frame or open it.
/// The pages of the inspector load nothing but their own files.
const HEADERS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
];

/// Refuses requests to the control API that a web page of another origin could have made.
pub(crate) async fn guard(
    State(access): State<ControlAccess>,
    request: Request,
    next: Next,
) -> Response {
    let checked = access.check(&request, true);
    respond(checked, request, next).await
}

/// Refuses requests for pages like [`guard`], but needs no token: pages hold no data, and the
/// browser sends no token with a navigation.
pub(crate) async fn guard_pages(
    State(access): State<ControlAccess>,
    request: Request,
    next: Next,
) -> Response {
    let checked = access.check(&request, false);
    respond(checked, request, next).await
}

async fn respond(checked: Result<(), Refusal>, request: Request, next: Next) -> Response {
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

impl ControlAccess {
    fn check(&self, request: &Request, needs_token: bool) -> Result<(), Refusal> {
        let headers = request.headers();
        let host = host(request).ok_or_else(|| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "INVALID_HOST",
                "The request has no valid Host header.",
            )
        })?;
        let peer = request.extensions().get::<Peer>();
        if !(peer.is_some_and(|peer| peer.is_loopback) && is_loopback(name_of(&host))) {
            self.check_remote(&host, headers, needs_token)?;
        }
        check_origin(&host, headers)?;
        if is_change(request.method()) && !has_json(headers) {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "INVALID_CONTENT_TYPE",
                "A change needs the header `Content-Type: application/json`.",
            ));
        }
        Ok(())
    }

    /// Checks a request from another machine, or to a host name that is not a loopback name.
    fn check_remote(
        &self,
        host: &Authority,
        headers: &HeaderMap,
        needs_token: bool,
    ) -> Result<(), Refusal> {
        let name = name_of(host);
        if !self
            .hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(name))
        {
            return Err(forbidden(
                "The control API answers to this machine under loopback host names only. Allow \
                 other requests by their host name with `--control-host NAME` and \
                 `--control-token KEY`.",
            ));
        }
        match &self.token {
            _ if !needs_token => Ok(()),
            Some(token) if bearer(headers).is_some_and(|given| is_equal(given, token)) => Ok(()),
            _ => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED",
                "From another machine, or under this host name, the control API needs the header \
                 `Authorization: Bearer KEY` with the control token.",
            )),
        }
    }
}

/// Refuses requests that a page of another origin has made.
fn check_origin(host: &Authority, headers: &HeaderMap) -> Result<(), Refusal> {
    let is_own_origin = |origin: &HeaderValue| {
        let origin = origin.to_str().unwrap_or_default();
        let address = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        address.is_some_and(|address| address.eq_ignore_ascii_case(host.as_str()))
    };
    let is_own_site = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    if headers.get_all(ORIGIN).iter().all(is_own_origin)
        && headers.get_all(SEC_FETCH_SITE).iter().all(is_own_site)
    {
        return Ok(());
    }
    Err(forbidden(
        "Pages of other origins may not use the control API.",
    ))
}

fn forbidden(reason: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "CONTROL_FORBIDDEN", reason)
}

/// Returns the host of a request. There must be exactly one, and it must agree with the URI.
fn host(request: &Request) -> Option<Authority> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return None;
    };
    let host: Authority = host.to_str().ok()?.parse().ok()?;
    let has_user = host.as_str().contains('@');
    let agrees = request.uri().authority().is_none_or(|uri| *uri == host);
    (agrees && !has_user).then_some(host)
}

fn name_of(host: &Authority) -> &str {
    host.host().trim_end_matches('.')
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Returns `true` if the strings are equal. The comparison takes constant time.
fn is_equal(given: &str, expected: &str) -> bool {
    given.len() == expected.len()
        && given
            .bytes()
            .zip(expected.bytes())
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Body;
    use axum::extract::Request;
    use http::StatusCode;
    use http::header::{AUTHORIZATION, HOST};

    use super::{ControlAccess, Peer, has_json, is_loopback};
    use crate::shell::refusal::Refusal;

    /// Returns the status of a refusal, or 200.
    fn status(access: &ControlAccess, peer: Option<&str>, host: &str, token: &str) -> StatusCode {
        let request = Request::get("/").header(HOST, host);
        let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(peer) = peer {
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(Peer::new(peer));
        }
        match access.check(&request, true) {
            Ok(()) => StatusCode::OK,
            Err(Refusal::Shell(status, ..)) => status,
            Err(Refusal::Server(response)) => response.status(),
        }
    }

    #[test]
    fn check_remote_peer_needs_token() {
        let open = ControlAccess::default();
        let hosts = ["localhost".into(), "127.0.0.1".into()];
        let with_token = ControlAccess {
            hosts: hosts.into(),
            token: Some("key".into()),
        };
        for host in ["localhost:4000", "127.0.0.1:4000", "localhost."] {
            for peer in [
                "127.0.0.1:9",
                "127.8.0.1:9",
                "[::1]:9",
                "[::ffff:127.0.0.1]:9",
            ] {
                assert_eq!(
                    status(&open, Some(peer), host, ""),
                    StatusCode::OK,
                    "{peer}"
                );
            }
            for peer in ["192.0.2.1:9", "[2001:db8::1]:9", "[::ffff:192.0.2.1]:9"] {
                let peer = Some(peer);
                assert_eq!(status(&open, peer, host, ""), StatusCode::FORBIDDEN);
                assert_eq!(status(&open, peer, host, "key"), StatusCode::FORBIDDEN);
                let status = |token| status(&with_token, peer, host, token);
                assert_eq!(status("other"), StatusCode::UNAUTHORIZED);
                assert_eq!(status("key"), StatusCode::OK);
            }
            assert_eq!(status(&open, None, host, ""), StatusCode::FORBIDDEN);
        }
    }

    #[test]
    fn is_loopback_accepts_only_loopback_names() {
        for name in [
            "localhost",
            "LocalHost",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
        ] {
            assert!(is_loopback(name), "{name}");
        }
        for name in [
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::2]",
            "",
        ] {
            assert!(!is_loopback(name), "{name}");
        }
    }

    #[test]
    fn has_json_ignores_parameters() {
        let headers = |value: &'static str| {
            let mut headers = http::HeaderMap::new();
            headers.insert("content-type", http::HeaderValue::from_static(value));
            headers
        };
        assert!(has_json(&headers("application/JSON; charset=utf-8")));
        assert!(!has_json(&headers("text/plain; application/json")));
        assert!(!has_json(&http::HeaderMap::new()));
    }
}
