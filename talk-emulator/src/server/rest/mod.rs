//! The REST API: the front for back ends. It changes the same data as the socket requests, with the
//! same events to connected clients.
//!
//! Behaviour that no public documentation describes is marked "(our choice)".

mod answer;
mod app;
mod auth;
mod batch;
mod call;
mod content;
mod conversation_filter;
mod conversation_list;
mod conversations;
mod import;
mod list;
mod members;
mod messages;
mod new_message;
mod participants;
mod presences;
mod reactions;
mod routes;
mod send;
mod users;

use bytes::Bytes;
use http::{StatusCode, header};
use talk_proto::Timestamp;

use self::answer::answer;
use self::call::Call;
#[cfg(test)]
pub(crate) use self::routes::all as rest_routes;
pub(super) use self::users::MAX_ID;
use super::http::{self as http_message, Address, HttpRequest, HttpResponse, WithoutCors};
use super::machine::Server;
use super::refusal::Refusal;

/// The caller of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    BackEnd,
    /// The control API, which has checked its caller.
    Control,
}

impl Server {
    /// Answers a request of a back end. The order of checks is route, app, credentials, content
    /// type, version, body (our choice after the credentials).
    pub(super) fn rest(&mut self, request: &HttpRequest, address: &Address) -> HttpResponse {
        self.rest_by(Caller::BackEnd, request, address)
    }

    /// Answers a request of the REST API that was made with the control API. It needs no
    /// credentials, and neither faults nor rate limits apply.
    pub fn rest_by_control(&mut self, now: Timestamp, request: &HttpRequest) -> HttpResponse {
        self.advance(now);
        match Address::parse(request) {
            Some(address) => self.rest_by(Caller::Control, request, &address),
            None => no_route(),
        }
    }

    fn rest_by(
        &mut self,
        caller: Caller,
        request: &HttpRequest,
        address: &Address,
    ) -> HttpResponse {
        let path = address.path();
        let method = request.method().as_str();
        let path = match routes::without_trailing_slash(method, &path) {
            Ok(path) => path,
            Err(refusal) => return http_message::refuse(&refusal),
        };
        // A batch is not in the table, because its operations are.
        let handler = match (method, path) {
            ("POST", ["batch"]) => Some(Box::new(batch::run) as routes::Handler<'_>),
            _ => routes::find(method, path),
        };
        let Some(mut handler) = handler else {
            return no_route();
        };
        if self.settings.refused_apps.contains(&address.app) {
            return no_app();
        }
        if caller == Caller::BackEnd {
            let (secret, now) = (self.settings.secret(), self.back_end_time());
            if let Err(refusal) = auth::check(request, secret, &address.app, now) {
                return http_message::refuse(&refusal);
            }
            if let Err(seconds) = self.count(&address.app, path == ["batch"]) {
                return too_many_requests(seconds);
            }
            if path == ["batch"] && self.is_shuffled_batch() {
                handler = Box::new(batch::run_shuffled);
            }
        }
        let answered = Call::read(request, self.settings.rest_version)
            .and_then(|call| self.with_cx(&address.app, "", |cx| handler(cx, &call)));
        self.flush();
        let (status, body) = answer(answered);
        http_message::json(status, body)
    }

    /// Counts a request. Returns the seconds to wait if it exceeds the limit.
    fn count(&mut self, app: &str, is_batch: bool) -> Result<(), u64> {
        if !self.settings.limits.rest_rate {
            return Ok(());
        }
        let now = u64::try_from(self.now.as_millis()).unwrap_or(0);
        self.app_mut(app).rest_limits.count(now, is_batch)
    }

    /// Returns `true` if a request is certainly of a back end. Without a secret, tokens of users
    /// and of back ends cannot be distinguished.
    pub(super) fn is_back_end(&self, request: &HttpRequest, app: &str) -> bool {
        let secret = self.settings.secret();
        secret.is_some() && auth::check(request, secret, app, self.back_end_time()).is_ok()
    }
}

/// Returns the response for an unknown route.
pub(super) fn no_route() -> HttpResponse {
    let mut response = HttpResponse::new(vec![Bytes::from_static(NOT_FOUND.as_bytes())]);
    *response.status_mut() = StatusCode::NOT_FOUND;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response.extensions_mut().insert(WithoutCors);
    response
}

/// The body for an unknown route.
const NOT_FOUND: &str = "\"Not found\"";

fn too_many_requests(seconds: u64) -> HttpResponse {
    let reason = format!("Too many requests: wait {seconds} s.");
    let mut response = http_message::refuse(&Refusal::new(429, "RATE_LIMITED", reason));
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, seconds.into());
    response
}

/// Returns the response for an unknown app.
pub(super) fn no_app() -> HttpResponse {
    let mut response = HttpResponse::new(vec![Bytes::from_static(b"Not found.")]);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
