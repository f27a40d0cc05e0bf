//! Refusals of requests.

use std::collections::BTreeMap;

use serde::Serialize;

/// A response with a status other than 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: &'static str,
    reason: String,
    /// The reasons by item, in place of the reason, for a request with several items.
    by_item: BTreeMap<String, Vec<String>>,
}

/// Replaces control characters and bidirectional controls. A reason may repeat parts of a request,
/// and clients print it on terminals.
pub(crate) fn printable(text: &str) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}')
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if is_unsafe(c) { '\u{FFFD}' } else { c })
        .collect()
}

/// The body of a refusal, in its wire form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefusalBody<'a> {
    error_code: &'static str,
    reasons: Reasons<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Reasons<'a> {
    All([&'a str; 1]),
    ByItem(&'a BTreeMap<String, Vec<String>>),
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            status,
            code,
            reason: printable(&reason.into()),
            by_item: BTreeMap::new(),
        }
    }

    /// Creates a refusal with status 400 and the reasons of each invalid item.
    pub(super) fn invalid_items(
        code: &'static str,
        by_item: BTreeMap<String, Vec<String>>,
    ) -> Self {
        let reason = "Some items are invalid.";
        Self {
            by_item,
            ..Self::new(400, code, reason)
        }
    }

    /// Creates a refusal with status 400, for a request that is invalid in every state.
    pub(super) fn invalid(code: &'static str, reason: impl Into<String>) -> Self {
        Self::new(400, code, reason)
    }

    pub(super) fn unauthorized(reason: impl Into<String>) -> Self {
        Self::new(401, "UNAUTHORIZED", reason)
    }

    pub(super) fn forbidden(code: &'static str, reason: impl Into<String>) -> Self {
        Self::new(403, code, reason)
    }

    pub(super) fn route_not_found() -> Self {
        Self::new(404, "ROUTE_NOT_FOUND", "There is no such request.")
    }

    pub(super) fn app_not_found() -> Self {
        Self::new(404, "APP_NOT_FOUND", "There is no app with this id.")
    }

    pub(super) fn user_not_found() -> Self {
        Self::new(404, "USER_NOT_FOUND", "There is no user with this id.")
    }

    pub(super) fn conversation_not_found() -> Self {
        Self::new(
            404,
            "CONVERSATION_NOT_FOUND",
            "There is no conversation with this id.",
        )
    }

    pub(super) fn not_a_participant() -> Self {
        Self::forbidden(
            "NOT_A_PARTICIPANT",
            "You are not a participant of this conversation.",
        )
    }

    pub(super) fn message_not_found() -> Self {
        Self::new(
            404,
            "MESSAGE_NOT_FOUND",
            "There is no message with this id in the conversation.",
        )
    }

    pub(super) fn participant_not_found() -> Self {
        Self::new(
            404,
            "PARTICIPANT_NOT_FOUND",
            "This user is not a participant of the conversation.",
        )
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn body(&self) -> RefusalBody<'_> {
        RefusalBody {
            error_code: self.code,
            reasons: if self.by_item.is_empty() {
                Reasons::All([&self.reason])
            } else {
                Reasons::ByItem(&self.by_item)
            },
        }
    }

    /// Returns the body as JSON.
    pub(super) fn json(&self) -> String {
        // Infallible: the body holds only strings.
        serde_json::to_string(&self.body()).unwrap_or_default()
    }
}
