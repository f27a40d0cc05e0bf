//! Tokens: fetching, renewing, expiring. And whether the app exists.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Session;
use super::answers::refused;
use crate::connection::{AuthTask, InFlight, Link, Renewal};
use crate::error::{ServerError, SessionError};
use crate::http::HttpPurpose;
use crate::http::request::HttpResponse;
use crate::io::{Output, TokenFetchId};
use crate::secret::Secret;
use crate::wire::path::encode_component;
use crate::wire::{Method, Request};

/// A renewal that the server could not take is tried again after 5 to 10 s.
const RENEW_AGAIN_MILLIS: std::ops::RangeInclusive<u64> = 5_000..=10_000;

impl Session {
    /// Whether a token is of use: there is a connection, there will be one, or something waits for
    /// a token alone.
    pub(super) fn wants_token(&self) -> bool {
        match &self.link {
            Link::Idle => self.http.waits_for_token(),
            Link::Waiting { .. } | Link::Opening { .. } | Link::Open(_) => true,
        }
    }

    /// Gets a token, if one is wanted and missing, or about to expire.
    pub(super) fn settle_auth(&mut self) {
        let starting = matches!(self.link, Link::Idle) && self.needs_connection();
        if !self.wants_token() && !starting {
            return;
        }
        match self.auth.poll(self.now) {
            Some(AuthTask::AskCallback) => {
                let fetch = TokenFetchId(self.take_id());
                self.auth.asked_callback(fetch);
                self.outputs.push_back(Output::FetchToken { fetch });
            }
            Some(AuthTask::FetchAnonymousToken { signature }) => {
                let path = format!(
                    "/bokens/{}?signature={}",
                    encode_component(self.options.user_id.as_str()),
                    encode_component(signature.as_ref().map_or("", Secret::expose)),
                );
                self.send_internal(&path, HttpPurpose::AnonymousToken);
            }
            Some(AuthTask::End(error)) => self.end(error),
            None => {}
        }
    }

    /// Checks once in a session that the app exists. Nothing waits for the response.
    pub(super) fn check_app(&mut self) {
        if self.http.begin_app_check() {
            self.send_internal("", HttpPurpose::AppCheck);
        }
    }

    pub(super) fn handle_anonymous_token(&mut self, response: &HttpResponse) {
        #[derive(Deserialize)]
        struct Body {
            boken: String,
        }

        let token = response.complete().ok().map(|status| {
            if status != 200 {
                return Err(response.refusal(status));
            }
            serde_json::from_slice(&response.body)
                .map(|Body { boken }| Secret::from(boken))
                .map_err(|_| {
                    let reason = "the answer holds no token".to_owned();
                    ServerError::new(status, "NO_BOKEN", vec![reason])
                })
        });
        match self
            .auth
            .handle_anonymous_token(self.now, token, &mut self.rng)
        {
            Ok(true) => self.renew_now(),
            Ok(false) => {}
            Err(error) => self.end(error),
        }
    }

    pub(super) fn handle_token(&mut self, fetch: TokenFetchId, result: Result<Secret, String>) {
        match self.auth.handle_callback(fetch, result) {
            Ok(true) => self.renew_now(),
            Ok(false) => {}
            Err(error) => self.end(error),
        }
    }

    /// There is a new token: the open socket is told of it.
    pub(super) fn renew_now(&mut self) {
        if let Some(open) = self.link.open() {
            open.renew_at = Some(self.now);
        }
    }

    /// Authenticates the open socket, if it is not, or has to be told of a new token.
    pub(super) fn settle_renewal(&mut self) {
        let now = self.now;
        let Some(open) = self.link.open() else { return };
        let Some(token) = self.auth.token().cloned() else {
            // Whatever was to be sent is gone; the next token makes itself due.
            open.renew_at = None;
            return;
        };
        let due = match open.renew_at {
            Some(at) => at <= now,
            None => !open.is_ready() && !open.is_renewing(),
        };
        if !due {
            return;
        }
        open.renew_at = None;
        open.renewals += 1;
        self.counters.token_refreshes += u64::from(open.was_ready);
        let data = serde_json::json!({ "token": token.expose() });
        let request = Request::new(Method::Post, "/session/renew".to_owned(), &data);
        self.send(&request, InFlight::Renew);
    }

    pub(super) fn handle_renewed(&mut self, status: u16, body: Option<&RawValue>) {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Body {
            expires_in_seconds: Option<f64>,
        }

        let Some(open) = self.link.open() else { return };
        open.renewals = open.renewals.saturating_sub(1);
        let is_newest = open.renewals == 0 && open.renew_at.is_none();
        if !is_newest {
            // A newer token is on its way: only its answer counts.
            return;
        }
        let answer = match status {
            200 => {
                let body = body.and_then(|body| serde_json::from_str::<Body>(body.get()).ok());
                let expires_in = body.unwrap_or_default().expires_in_seconds;
                Renewal::Accepted { expires_in }
            }
            401 => Renewal::Rejected,
            400 | 402 => return self.end(SessionError::Refused(refused(status, body))),
            _ => {
                let delay = Duration::from_millis(self.rng.u64(RENEW_AGAIN_MILLIS));
                open.renew_at = Some(self.now + delay);
                return;
            }
        };
        if let Err(error) = self.auth.handle_renewal(self.now, &answer) {
            return self.end(error);
        }
        if self.auth.token().is_some() {
            self.handle_ready();
        } else if let Some(open) = self.link.open() {
            open.ready_since = None;
        }
    }

    fn handle_ready(&mut self) {
        let now = self.now;
        let Some(open) = self.link.open() else { return };
        open.renewed_from = open.next_seq();
        if open.is_ready() {
            return;
        }
        open.ready_since = Some(now);
        self.reconnect.note_connected();
        if std::mem::replace(&mut open.was_ready, true) {
            // The token had expired: what happened meanwhile was not told.
            self.resync_live();
        } else {
            self.live.handle_ready(now);
        }
        self.queue.start_flush(now);
    }

    /// The token is not accepted any more: nothing is sent until there is another one.
    pub(super) fn handle_expired(&mut self) {
        self.note_healthy();
        let Some(open) = self.link.open() else { return };
        let was_ready = open.ready_since.take().is_some();
        if !was_ready || open.is_renewing() {
            // It is known already, or a newer token is on its way.
            return;
        }
        if let Err(error) = self.auth.expire(self.now) {
            self.end(error);
        }
    }
}
