//! Tokens: their source, refresh and expiry.

use std::time::Duration;

use fastrand::Rng;

use super::backoff::{Reconnect, TokenRetry};
use crate::error::{ServerError, SessionError, TransportError};
use crate::io::{ConnectionState, TokenFetchId};
use crate::options::Authentication;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// The time limit of a token fetch.
const FETCH_WITHIN: Duration = Duration::from_secs(60);
/// The shortest lifetime of a usable token, in seconds.
const MIN_LIFE: u64 = 120;
/// The lifetime, in seconds, above which a token is refreshed [`EARLY`] seconds before it expires.
/// Other tokens are refreshed after half of their lifetime.
const LONG_LIFE: u64 = 600;
const EARLY: u64 = 300;
/// The longest time before a refresh, in seconds: 20 days.
const MAX_AGE: u64 = 20 * 24 * 60 * 60;
/// The number of failed requests for an anonymous token after which the session ends.
const MAX_ANONYMOUS_FAILURES: u32 = 5;

/// The source of tokens.
enum Source {
    /// The application's callback.
    Callback,
    /// The service, which grants anonymous tokens. Some apps require a signature.
    Anonymous { signature: Option<Secret> },
    /// No source: there is only the given token.
    Given,
}

/// A fetch in progress.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetch {
    Callback(TokenFetchId),
    Anonymous,
    /// A fetch from the callback that has no ID yet.
    Starting,
}

/// The next step of obtaining a token.
pub(crate) enum AuthTask {
    AskCallback,
    FetchAnonymousToken { signature: Option<Secret> },
    End(SessionError),
}

/// The server's answer to a renewal.
pub(crate) enum RenewalResponse {
    /// The token is accepted. It is valid for this many seconds, or without limit.
    Accepted { expires_in: Option<f64> },
    /// The token was rejected.
    Rejected,
}

/// The token of a session, shared by its socket and its HTTP requests.
pub(crate) struct Auth {
    source: Source,
    token: Option<Secret>,
    fetch: Option<(Fetch, Timestamp)>,
    retry: TokenRetry,
    retry_at: Option<Timestamp>,
    /// Set if the server accepted the current token.
    is_accepted: bool,
    /// Set if the server has accepted a request with the token since the renewal.
    proven: bool,
    /// The time at which the current or last token was first accepted.
    accepted_at: Option<Timestamp>,
    refresh_at: Option<Timestamp>,
    /// The time at which the token expires, according to the server.
    expires_at: Option<Timestamp>,
    anonymous_retry: Reconnect,
    anonymous_failures: u32,
    /// The time and reason of the last failed request for an anonymous token, until one succeeds.
    anonymous_failure: Option<Box<(Timestamp, String)>>,
}

impl Auth {
    pub(crate) fn new(options: Authentication) -> Self {
        let Authentication {
            token,
            can_fetch_token,
            signature,
        } = options;
        let source = match (&token, can_fetch_token) {
            (_, true) => Source::Callback,
            (Some(_), false) => Source::Given,
            (None, false) => Source::Anonymous { signature },
        };
        Self {
            source,
            token,
            fetch: None,
            retry: TokenRetry::default(),
            retry_at: None,
            is_accepted: false,
            proven: false,
            accepted_at: None,
            refresh_at: None,
            expires_at: None,
            anonymous_retry: Reconnect::default(),
            anonymous_failures: 0,
            anonymous_failure: None,
        }
    }

    /// Returns the reason for which there is no anonymous token.
    pub(crate) fn failure(&self) -> Option<&String> {
        self.anonymous_failure.as_ref().map(|failure| &failure.1)
    }

    /// Returns the state of an idle connection whose token cannot be fetched.
    pub(crate) fn failed_state(&self) -> Option<ConnectionState> {
        let (since, reason) = *self.anonymous_failure.clone()?;
        Some(match self.retry_at {
            Some(until) => ConnectionState::Waiting {
                since,
                until,
                attempt: self.anonymous_retry.attempt(),
                reason,
            },
            None => ConnectionState::Connecting {
                last_failure: Some(reason),
            },
        })
    }

    /// Returns the current token.
    pub(crate) fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// Uses a token of the caller. The caller must cancel a request for an anonymous token.
    pub(crate) fn set_token(&mut self, token: Secret) {
        if matches!(self.source, Source::Anonymous { .. }) {
            self.source = Source::Given;
        }
        self.take_instead(token);
    }

    /// Uses a token and drops the current fetch.
    fn take_instead(&mut self, token: Secret) {
        self.take(token);
        self.fetch = None;
        self.retry_at = None;
    }

    /// Uses a token that the server has not seen yet.
    fn take(&mut self, token: Secret) {
        self.drop_token();
        self.anonymous_failure = None;
        self.token = Some(token);
    }

    fn drop_token(&mut self) {
        self.token = None;
        self.is_accepted = false;
        self.refresh_at = None;
        self.expires_at = None;
    }

    /// Fetches all further tokens from the application. The caller must cancel a request for an
    /// anonymous token.
    pub(crate) fn allow_callback(&mut self) {
        self.source = Source::Callback;
        self.anonymous_failure = None;
        self.fetch.take_if(|(fetch, _)| *fetch == Fetch::Anonymous);
    }

    /// Returns the next step if a token is needed.
    pub(crate) fn poll(&mut self, now: Timestamp) -> Option<AuthTask> {
        if self.fetch.is_some_and(|(_, deadline)| deadline <= now) {
            self.fetch = None;
            if let Err(error) = self.wait_for_next(now) {
                return Some(AuthTask::End(error));
            }
        }
        let refresh_due = self.refresh_at.is_some_and(|at| at <= now);
        if refresh_due {
            // The token was valid for its planned lifetime.
            self.prove();
        }
        let is_over = self.expires_at.is_some_and(|at| at <= now);
        if is_over && self.check_source().is_ok() {
            // The server would reject the token, so it is dropped instead of sent.
            self.drop_token();
        }
        let waits = self.fetch.is_some() || self.retry_at.is_some_and(|at| at > now);
        if waits || (self.token.is_some() && !refresh_due) {
            return None;
        }
        self.retry_at = None;
        let (fetch, task) = match &self.source {
            Source::Callback => (Fetch::Starting, AuthTask::AskCallback),
            Source::Anonymous { signature } => {
                let signature = signature.clone();
                (
                    Fetch::Anonymous,
                    AuthTask::FetchAnonymousToken { signature },
                )
            }
            Source::Given => {
                // The token cannot be refreshed, so it is used until it is rejected.
                self.refresh_at = None;
                return None;
            }
        };
        self.fetch = Some((fetch, now + FETCH_WITHIN));
        Some(task)
    }

    /// Records the ID of a fetch from the application.
    pub(crate) fn asked_callback(&mut self, id: TokenFetchId) {
        if let Some((fetch, _)) = &mut self.fetch {
            *fetch = Fetch::Callback(id);
        }
    }

    /// Handles the application's answer. Returns `true` if there is a new token.
    pub(crate) fn handle_callback(
        &mut self,
        fetch: TokenFetchId,
        result: Result<Secret, String>,
    ) -> Result<bool, SessionError> {
        if !matches!(self.fetch, Some((Fetch::Callback(id), _)) if id == fetch) {
            return Ok(false);
        }
        let token = result.map_err(SessionError::TokenCallback)?;
        self.take_instead(token);
        Ok(true)
    }

    /// Handles the response to a request for an anonymous token: the token, a refusal, or the
    /// failure of the request. Returns `true` if there is a new token.
    pub(crate) fn handle_anonymous_token(
        &mut self,
        now: Timestamp,
        response: Result<Result<Secret, ServerError>, TransportError>,
        rng: &mut Rng,
    ) -> Result<bool, SessionError> {
        self.fetch = None;
        let (refused, reason) = match response {
            Ok(Ok(token)) => {
                self.anonymous_failures = 0;
                self.anonymous_retry = Reconnect::default();
                self.take(token);
                return Ok(true);
            }
            Ok(Err(refused)) => {
                let reason = refused.to_string();
                (Some(refused), reason)
            }
            Err(error) => (None, error.to_string()),
        };
        if let Some(refused) = refused {
            match refused.status {
                401 => return Err(SessionError::SignatureRejected(refused)),
                404 => return Err(SessionError::AppNotFound),
                429 | 502 => {}
                400..=499 => return Err(SessionError::Refused(refused)),
                _ => {
                    self.anonymous_failures += 1;
                    if self.anonymous_failures >= MAX_ANONYMOUS_FAILURES {
                        return Err(SessionError::Refused(refused));
                    }
                }
            }
        }
        self.anonymous_failure = Some(Box::new((now, reason)));
        self.retry_at = Some(now + self.anonymous_retry.next_delay(rng));
        Ok(false)
    }

    /// Handles the server's answer to a renewal.
    pub(crate) fn handle_renewal(
        &mut self,
        now: Timestamp,
        answer: &RenewalResponse,
    ) -> Result<(), SessionError> {
        self.proven = false;
        let was_accepted = self.is_accepted;
        if was_accepted {
            // The token was accepted on an earlier connection. If it has expired since, it does not
            // count as one of several rejected tokens.
            self.retry.reset();
        }
        let RenewalResponse::Accepted { expires_in } = answer else {
            return self.reject(now);
        };
        if !was_accepted {
            self.accepted_at = Some(now);
        }
        let Some(seconds) = expires_in else {
            self.accept(None, None);
            return Ok(());
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates"
        )]
        let seconds = *seconds as u64;
        if seconds < MIN_LIFE {
            return self.reject(now);
        }
        let refresh_in = if seconds > LONG_LIFE {
            seconds - EARLY
        } else {
            seconds / 2
        };
        self.accept(
            Some(now + Duration::from_secs(refresh_in.min(MAX_AGE))),
            Some(now + Duration::from_secs(seconds)),
        );
        Ok(())
    }

    fn accept(&mut self, refresh_at: Option<Timestamp>, expires_at: Option<Timestamp>) {
        self.is_accepted = true;
        self.refresh_at = refresh_at;
        self.expires_at = expires_at;
    }

    /// Records that the server accepted a request with the token.
    pub(crate) fn prove(&mut self) {
        if !self.proven {
            self.proven = true;
            self.retry.reset();
        }
    }

    /// Handles the expiry of the token.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Result<(), SessionError> {
        if !self.proven {
            return self.reject(now);
        }
        self.drop_token();
        self.check_source()?;
        let lived = |since: Timestamp| now.saturating_since(since) >= Duration::from_secs(MIN_LIFE);
        let delay = self.retry.delay_after(!self.accepted_at.is_some_and(lived));
        self.retry_at = (!delay.is_zero()).then(|| now + delay);
        Ok(())
    }

    fn reject(&mut self, now: Timestamp) -> Result<(), SessionError> {
        self.drop_token();
        self.check_source()?;
        self.wait_for_next(now)
    }

    fn check_source(&self) -> Result<(), SessionError> {
        match self.source {
            Source::Given => Err(SessionError::TokenRejected),
            Source::Callback | Source::Anonymous { .. } => Ok(()),
        }
    }

    fn wait_for_next(&mut self, now: Timestamp) -> Result<(), SessionError> {
        let delay = self
            .retry
            .next_delay()
            .map_err(|attempts| SessionError::TokensRejected { attempts })?;
        self.retry_at = Some(now + delay);
        Ok(())
    }

    /// Returns the time of the next step if a token is needed.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        if let Some((_, deadline)) = self.fetch {
            return Some(deadline);
        }
        if self.token.is_none() {
            return self.retry_at;
        }
        self.refresh_at
            .map(|at| self.retry_at.map_or(at, |retry| retry.max(at)))
    }
}
