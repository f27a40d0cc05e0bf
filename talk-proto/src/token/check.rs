//! Checks of user tokens.

use std::time::Duration;

use serde_json::{Map, Value};

use super::jwt::{ALGORITHM, Jwt};
use super::problem::TokenProblem;
use crate::model::{AppId, UserId};
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// The expiry from which on the value is taken for milliseconds by mistake. In seconds it is in the
/// year 5138, in milliseconds in 1973.
const MILLISECONDS_FROM: f64 = 1e11;

/// The remaining lifetime below which clients treat a token as expired.
const MIN_LIFE: Duration = Duration::from_secs(120);

/// The maximum length of a claim in a report, in characters.
const MAX_EXCERPT: usize = 64;

/// A check that finds the problems of a user token: on a server that issues it, in a test, or to
/// find out why a token is refused.
///
/// ```
/// use talk_proto::{Secret, Timestamp, token::{TokenCheck, TokenClaims, TokenProblem}};
///
/// let now = Timestamp::from_millis(1_700_000_000_000); // the wall clock
/// let secret = Secret::from("key");
/// let token = TokenClaims::new("my_app".try_into()?, "alice".try_into()?).mint(&secret);
/// let report = TokenCheck::new(now)
///     .secret(secret)
///     .app_id("my_app".try_into()?)
///     .user_id("alice".try_into()?)
///     .check(&token);
/// assert!(report.is_accepted());
/// assert_eq!(report.problems, [TokenProblem::NoExpiry]);
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenCheck {
    now: Timestamp,
    secret: Option<Secret>,
    app_id: Option<AppId>,
    user_id: Option<UserId>,
}

/// The content of a token and its problems, without the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenReport {
    /// The app ID in the token, if it is readable.
    pub app_id: Option<String>,
    /// The user ID in the token, if it is readable.
    pub user_id: Option<String>,
    /// The expiry; `None` if the token never expires.
    pub expires_at: Option<Timestamp>,
    /// The problems. Those for which the token is refused come first.
    pub problems: Vec<TokenProblem>,
}

impl TokenReport {
    /// Returns `true` if no problem was found for which the token is refused.
    pub fn is_accepted(&self) -> bool {
        self.refused_for().is_none()
    }

    /// Returns the problem for which the token is refused, if there is one.
    pub fn refused_for(&self) -> Option<&TokenProblem> {
        self.problems.iter().find(|problem| problem.is_refused())
    }
}

impl TokenCheck {
    /// Creates a check at this time of the wall clock. It checks the format and the times; the
    /// methods below add further checks.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            secret: None,
            app_id: None,
            user_id: None,
        }
    }

    /// Checks the signature with the secret key of the app.
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Requires the token to be for this app.
    pub fn app_id(mut self, app_id: AppId) -> Self {
        self.app_id = Some(app_id);
        self
    }

    /// Requires the token to be for this user.
    pub fn user_id(mut self, user_id: UserId) -> Self {
        self.user_id = Some(user_id);
        self
    }

    /// Checks a token.
    pub fn check(&self, token: &Secret) -> TokenReport {
        let mut report = TokenReport {
            app_id: None,
            user_id: None,
            expires_at: None,
            problems: Vec::new(),
        };
        let Some(jwt) = Jwt::parse(token.expose()) else {
            report.problems.push(TokenProblem::NotAToken);
            return report;
        };
        self.check_signature(&jwt, &mut report);
        self.check_app(&jwt.claims, &mut report);
        self.check_user(&jwt.claims, &mut report);
        self.check_not_before(&jwt.claims, &mut report);
        self.check_expiry(&jwt.claims, &mut report);
        check_type(&jwt.claims, &mut report);
        report.problems.sort_by_key(|problem| !problem.is_refused());
        report
    }

    fn check_signature(&self, jwt: &Jwt<'_>, report: &mut TokenReport) {
        if jwt.algorithm != ALGORITHM {
            let found = excerpt(&jwt.algorithm);
            report.problems.push(TokenProblem::WrongAlgorithm { found });
        } else if self.secret.as_ref().is_some_and(|s| !jwt.is_signed_with(s)) {
            report.problems.push(TokenProblem::WrongSignature);
        }
        if jwt.is_critical {
            report.problems.push(TokenProblem::CriticalExtension);
        }
    }

    fn check_not_before(&self, claims: &Map<String, Value>, report: &mut TokenReport) {
        let Some(not_before) = claims.get("nbf") else {
            return;
        };
        let Some(seconds) = not_before.as_f64() else {
            return report.problems.push(TokenProblem::InvalidClaim {
                name: "nbf",
                expected: "a number of seconds since 1970",
            });
        };
        let valid_from = Timestamp::from_millis((seconds * 1000.0) as i64);
        if valid_from > self.now {
            let wait = valid_from.saturating_since(self.now);
            report.problems.push(TokenProblem::NotYetValid { wait });
        }
    }

    fn check_app(&self, claims: &Map<String, Value>, report: &mut TokenReport) {
        let Some(found) = claims.get("iss").and_then(Value::as_str) else {
            return report.problems.push(TokenProblem::InvalidClaim {
                name: "iss",
                expected: "the app ID, a string",
            });
        };
        report.app_id = Some(found.to_owned());
        if let Some(expected) = &self.app_id
            && *expected != *found
        {
            report.problems.push(TokenProblem::WrongApp {
                expected: expected.as_str().to_owned(),
                found: excerpt(found),
            });
        }
    }

    fn check_user(&self, claims: &Map<String, Value>, report: &mut TokenReport) {
        let Some(found) = claims.get("sub").and_then(Value::as_str) else {
            return report.problems.push(TokenProblem::InvalidClaim {
                name: "sub",
                expected: "the user ID, a string",
            });
        };
        report.user_id = Some(found.to_owned());
        if let Some(expected) = &self.user_id
            && *expected != *found
        {
            report.problems.push(TokenProblem::WrongUser {
                expected: expected.as_str().to_owned(),
                found: excerpt(found),
            });
        }
    }

    fn check_expiry(&self, claims: &Map<String, Value>, report: &mut TokenReport) {
        let Some(expiry) = claims.get("exp") else {
            return report.problems.push(TokenProblem::NoExpiry);
        };
        let Some(seconds) = expiry.as_f64() else {
            return report.problems.push(TokenProblem::InvalidClaim {
                name: "exp",
                expected: "a number of seconds since 1970",
            });
        };
        // The cast truncates to milliseconds and saturates at the maximum timestamp, which is never
        // reached.
        let expires_at = Timestamp::from_millis((seconds * 1000.0) as i64);
        report.expires_at = Some(expires_at);
        if expires_at <= self.now {
            report.problems.push(TokenProblem::Expired {
                ago: self.now.saturating_since(expires_at),
            });
        } else if seconds >= MILLISECONDS_FROM {
            report.problems.push(TokenProblem::ExpiryInMilliseconds {
                meant: Timestamp::from_millis(seconds as i64),
            });
        } else if expires_at < self.now + MIN_LIFE {
            report.problems.push(TokenProblem::ExpiresSoon {
                left: expires_at.saturating_since(self.now),
            });
        }
    }
}

fn check_type(claims: &Map<String, Value>, report: &mut TokenReport) {
    let found = claims.get("tokenType").map(|found| match found {
        Value::String(text) => excerpt(text),
        other => excerpt(&other.to_string()),
    });
    if found.as_deref() != Some("user") {
        report.problems.push(TokenProblem::WrongTokenType { found });
    }
}

/// Returns the part of a claim that is reported.
fn excerpt(text: &str) -> String {
    text.chars().take(MAX_EXCERPT).collect()
}
