//! Spans of the session and its calls, and events of the session.

use std::collections::BTreeMap;

use talk_proto::{
    ConnectionState, Event, HttpFailure, Input, Output, Reply, RequestError, RequestId, Secret,
    SessionError, SocketClosed, Timestamp,
};
use tracing::span::EnteredSpan;
use tracing::{Span, debug, debug_span, error, info, info_span, trace, warn};

use crate::registry::sessions::SessionKey;

/// The spans of one session.
pub(in crate::driver) struct Trace {
    session: Span,
    /// The spans of pending calls.
    calls: BTreeMap<RequestId, Span>,
}

impl Trace {
    pub(in crate::driver) fn new(key: &SessionKey) -> Self {
        Self {
            session: info_span!(
                "talk_session",
                app = %key.app_id.as_str().escape_debug(),
                user = %key.user_id.as_str().escape_debug(),
            ),
            calls: BTreeMap::new(),
        }
    }

    /// Enters the span of the session.
    pub(in crate::driver) fn enter(&self) -> EnteredSpan {
        self.session.clone().entered()
    }

    /// Logs an input of the core.
    pub(in crate::driver) fn input(&self, input: &Input<'_>) {
        match input {
            Input::SocketOpened { .. } => debug!("the socket is open"),
            Input::SocketFrame { text, .. } => trace!(bytes = text.len(), "frame received"),
            Input::SocketClosed { cause, .. } => log_closed(cause),
            Input::Token { result: Ok(_), .. } => debug!("a token was received"),
            Input::Token { result: Err(_), .. } => warn!("the token callback failed"),
            Input::HttpHead { status, .. } => debug!(status, "HTTP answer"),
            Input::HttpChunk { chunk, .. } => trace!(bytes = chunk.len(), "HTTP chunk received"),
            Input::HttpEnd { .. } => trace!("the HTTP answer is complete"),
            Input::HttpFailed { failure, .. } => match failure {
                HttpFailure::Network(reason) => {
                    debug!(reason = %reason.escape_debug(), "the HTTP exchange failed");
                }
                HttpFailure::Source(reason) => {
                    warn!(reason = %reason.escape_debug(), "the file cannot be read");
                }
                _ => debug!("the HTTP exchange failed"),
            },
            Input::Stored { .. } => trace!("a batch is stored"),
            Input::StoreFailed { reason, .. } => {
                warn!(reason = %reason.escape_debug(), "a batch was not stored");
            }
            Input::FileChecked { result: Ok(()), .. } => trace!("a queued file is unchanged"),
            Input::FileChecked {
                result: Err(reason),
                ..
            } => warn!(reason = %reason.escape_debug(), "a queued file cannot be uploaded"),
            Input::Tick => {}
        }
    }

    /// Logs an output of the core.
    pub(in crate::driver) fn output(&self, output: &Output) {
        match output {
            Output::OpenSocket { url, .. } => {
                let address = url.split('?').next();
                debug!(address, "opening a socket");
            }
            Output::SendFrame { frame, .. } => trace!(bytes = frame.as_str().len(), "frame sent"),
            Output::CloseSocket { code, .. } => debug!(code, "closing the socket"),
            Output::FetchToken { .. } => debug!("a token is requested"),
            Output::SendHttp { request, .. } => {
                let (method, uri) = (request.method(), request.uri());
                debug!(%method, host = uri.host(), path = uri.path(), "HTTP request");
            }
            Output::CancelHttp { .. } => debug!("the HTTP request is cancelled"),
            Output::Store { changes, .. } => trace!(changes = changes.len(), "storing a batch"),
            Output::CheckFile { size, .. } => trace!(size, "checking a queued file"),
            Output::Event(event) => log_event(event),
        }
    }

    /// Logs the problems of a token that are visible without its secret.
    pub(in crate::driver) fn token(&self, now: Timestamp, key: &SessionKey, token: &Secret) {
        #[cfg(feature = "token")]
        {
            let check = talk_proto::token::TokenCheck::new(now)
                .app_id(key.app_id.clone())
                .user_id(key.user_id.clone());
            for problem in check.check(token).problems {
                warn!("the token has a problem: {problem}");
            }
        }
        #[cfg(not(feature = "token"))]
        let _ = (now, key, token);
    }

    /// Opens the span of an accepted call.
    pub(in crate::driver) fn call(&mut self, request: RequestId, kind: &'static str) {
        let span = debug_span!(
            "call",
            kind,
            outcome = tracing::field::Empty,
            status = tracing::field::Empty,
            code = tracing::field::Empty,
        );
        self.calls.insert(request, span);
    }

    /// Closes the span of a resolved call.
    pub(in crate::driver) fn resolved(
        &mut self,
        request: RequestId,
        result: &Result<Reply, RequestError>,
    ) {
        let Some(span) = self.calls.remove(&request) else {
            return;
        };
        if self.calls.is_empty() {
            // An empty map keeps a node with room for eleven entries.
            self.calls = BTreeMap::new();
        }
        span.record("outcome", outcome(result));
        if let Err(RequestError::Server(refused)) = result {
            span.record("status", refused.status);
            span.record("code", &refused.error_code);
        }
        span.in_scope(|| debug!("the call is resolved"));
    }
}

fn outcome(result: &Result<Reply, RequestError>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(RequestError::Server(_)) => "refused",
        Err(RequestError::Transport(_)) => "transport",
        Err(RequestError::Session(_)) => "session ended",
        Err(_) => "failed",
    }
}

fn log_closed(cause: &SocketClosed) {
    match cause {
        SocketClosed::ConnectFailed(reason) => {
            debug!(reason = %reason.escape_debug(), "the socket cannot be opened");
        }
        SocketClosed::ByServer { code } => debug!(code, "the server closed the socket"),
        SocketClosed::Lost(reason) => debug!(reason = %reason.escape_debug(), "the socket is lost"),
        SocketClosed::FrameTooLarge => warn!("the socket is lost to a frame that is too large"),
        _ => debug!("the socket is closed"),
    }
}

fn log_event(event: &Event) {
    match event {
        Event::Updated { .. } | Event::SearchUpdated { .. } => trace!("a snapshot has changed"),
        Event::SubscriptionEnded { error, .. } => match error {
            None => debug!("a subscription was ended"),
            Some(error) => {
                let outcome = outcome(&Err(error.clone()));
                debug!(outcome, "a subscription has failed");
            }
        },
        Event::Connection(ConnectionState::Idle) => info!("not connected"),
        Event::Connection(ConnectionState::Connecting { .. }) => info!("connecting"),
        Event::Connection(ConnectionState::Ready) => info!("connected"),
        Event::Connection(ConnectionState::Waiting {
            since,
            until,
            attempt,
            reason,
        }) => {
            let delay = until.saturating_since(*since);
            let reason = reason.to_string();
            let reason = reason.escape_debug();
            info!(%reason, attempt, ?delay, "the connection is lost");
        }
        Event::Warning(what) => warn!(?what, "a part of the server's data was skipped"),
        Event::Ended(SessionError::Shutdown) => info!("the session was shut down"),
        Event::Ended(error) => error!(reason = end_reason(error), "the session has ended"),
        _ => {}
    }
}

/// Returns the reason of a session's end without text of the server or the application.
fn end_reason(error: &SessionError) -> &'static str {
    match error {
        SessionError::AppNotFound => "the app does not exist",
        SessionError::InvalidAddress { .. } => "the address is invalid",
        SessionError::SignatureRejected(_) => "access without a token was refused",
        SessionError::Refused(_) => "the server refused the session",
        SessionError::TokenRejected => "the token was rejected or has expired",
        SessionError::TokensRejected { .. } => "tokens in a row were rejected",
        SessionError::TokenCallback(_) => "the token callback failed",
        SessionError::Store(_) => "the store cannot be used",
        _ => "the driver stopped",
    }
}
