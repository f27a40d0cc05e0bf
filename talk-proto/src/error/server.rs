//! Refusals of the server.

use std::fmt;

use super::RetrySafety;
use super::mask::Mask;
use super::remedy::remedy;
use crate::wire::StatusClass;

/// A refusal of the server.
///
/// `Display` shows the reasons unchanged, and the [remedy](Self::remedy). Reasons may quote the
/// request, so `Debug` replaces each word that is part of a token or of a string in the request by
/// `…`.
#[derive(Clone, thiserror::Error)]
#[error("the server refused with status {}", self.cause())]
#[non_exhaustive]
pub struct ServerError {
    /// The status, an HTTP status code.
    pub status: u16,
    /// The server's error code, such as `NOT_A_PARTICIPANT`; empty if it gave none.
    pub error_code: String,
    /// The server's reasons as human-readable sentences; may be empty.
    pub reasons: Vec<String>,
    /// The reasons for `Debug`, if any word of them is masked.
    masked: Option<Box<[String]>>,
    /// Set unless repeating the call may duplicate its effect.
    idempotent: bool,
}

impl ServerError {
    /// Creates the refusal of an idempotent call.
    ///
    /// ```
    /// use talk_proto::ServerError;
    ///
    /// let refused = ServerError::new(403, "READ_ONLY", vec!["You may only read.".to_owned()]);
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "the server refused with status 403 READ_ONLY: You may only read."
    /// );
    /// ```
    pub fn new(status: u16, error_code: impl Into<String>, reasons: Vec<String>) -> Self {
        Self {
            status,
            error_code: error_code.into(),
            reasons,
            masked: None,
            idempotent: true,
        }
    }

    /// Marks the refusal of a call whose repetition may duplicate its effect.
    pub(crate) fn set_not_idempotent(&mut self) {
        self.idempotent = false;
    }

    /// Masks the words of a token or another string in `Debug`.
    pub(crate) fn mask_text(&mut self, secret: &str) {
        let mut mask = Mask::default();
        mask.add_text(secret);
        self.mask(&mask);
    }

    /// Masks the words of all strings in a request's JSON in `Debug`.
    pub(crate) fn mask_json(&mut self, request: &str) {
        let mut mask = Mask::default();
        mask.add_json(request);
        self.mask(&mask);
    }

    fn mask(&mut self, mask: &Mask) {
        let reasons = self.masked.as_deref().unwrap_or(&self.reasons);
        self.masked = Some(reasons.iter().map(|reason| mask.apply(reason)).collect());
    }

    /// Returns the action that makes the call succeed, for a known error code.
    ///
    /// ```
    /// use talk_proto::ServerError;
    ///
    /// let refused = ServerError::new(404, "USER_NOT_FOUND", vec![]);
    /// assert!(refused.remedy().is_some_and(|remedy| remedy.starts_with("create the user first")));
    /// ```
    pub fn remedy(&self) -> Option<&'static str> {
        remedy(&self.error_code)
    }

    fn cause(&self) -> String {
        let mut cause = self.status.to_string();
        if let Some(code) = self.code() {
            cause = format!("{cause} {code}");
        }
        if !self.reasons.is_empty() {
            cause = format!("{cause}: {}", self.reasons.join("; "));
        }
        if let Some(remedy) = self.remedy() {
            cause = format!("{cause} ({remedy})");
        }
        cause
    }

    /// Returns the error code, unless it is empty.
    pub fn code(&self) -> Option<&str> {
        Some(self.error_code.as_str()).filter(|code| !code.is_empty())
    }

    /// Returns the effect of making the same call again, if nothing else has changed.
    ///
    /// ```
    /// use talk_proto::{RetrySafety, ServerError};
    ///
    /// let busy = ServerError::new(429, "", vec![]);
    /// assert_eq!(busy.retry_safety(), RetrySafety::Safe);
    /// let forbidden = ServerError::new(403, "", vec![]);
    /// assert_eq!(forbidden.retry_safety(), RetrySafety::Never);
    /// ```
    pub fn retry_safety(&self) -> RetrySafety {
        match StatusClass::of(self.status) {
            StatusClass::Busy => RetrySafety::Safe,
            StatusClass::Failed if self.idempotent => RetrySafety::Safe,
            StatusClass::Failed => RetrySafety::MayDuplicate,
            StatusClass::Done | StatusClass::Refused | StatusClass::Unauthenticated => {
                RetrySafety::Never
            }
        }
    }
}

/// Compares the status, the error code and the reasons, not the calls that the errors belong to.
impl PartialEq for ServerError {
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status
            && self.error_code == other.error_code
            && self.reasons == other.reasons
    }
}

impl Eq for ServerError {}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = Mask::default();
        let reasons = self.masked.as_deref().unwrap_or(&self.reasons);
        let reasons: Vec<_> = reasons.iter().map(|reason| mask.apply(reason)).collect();
        f.debug_struct("ServerError")
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("reasons", &reasons)
            .finish()
    }
}
