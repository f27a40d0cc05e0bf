use serde::{Deserialize, Serialize};

/// Something that is to go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only for this user; for everybody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only for requests whose path begins with this (`/conversations/c1`, `/files`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often, 1 by default.
    #[serde(default = "once")]
    pub times: u32,
    /// How long after its cause, in milliseconds; for `slow`, how long an answer waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
}

/// The ways in which things go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A connection is cut without a word.
    Drop,
    /// A connection stays open and says nothing any more.
    Stall,
    /// An answer comes late.
    Slow,
    /// A request is refused with status 429.
    #[serde(rename = "429")]
    TooManyRequests,
    /// A request is refused with status 500.
    #[serde(rename = "500")]
    InternalError,
    /// A restart is announced, then all connections are closed.
    Restart,
    /// A session expires.
    TokenExpiry,
}

const fn once() -> u32 {
    1
}
