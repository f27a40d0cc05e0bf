//! Things that are to go wrong.

use serde::{Deserialize, Serialize};
use talk_proto::Timestamp;

use super::refusal::Refusal;

/// Something that is to go wrong.
///
/// A refusal (`401`, `429`, `500`) and `slow` meet requests: the next `times` that fit `user` and `path`.
/// Of the others, one with a `path` strikes the connection of each such request. One without
/// strikes every connection that fits, all at once; the times that are left, and all of them when
/// none is open, go to the next requests.
///
/// An upload meets its fault while its body comes in, after `after_bytes` of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only for this user; for everybody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only for requests whose path begins with this, as it stands on the wire: `/conversations/c1`;
    /// over HTTP what follows the app: `/files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often, 1 by default.
    #[serde(default = "once")]
    pub times: u32,
    /// When it begins, in milliseconds from now: at once when absent. For `slow` it is how long an
    /// answer waits, by default 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// Only for uploads, and how many bytes of the request's body are taken first; 0 when absent.
    /// Where the body is shorter, the file is stored, and the fault takes the place of the answer.
    /// A `slow` upload waits again after each so many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_bytes: Option<u64>,
}

/// The ways in which things go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A connection is cut without a word. A request that meets it is done and not answered.
    Drop,
    /// A connection stays open, hears nothing and says nothing any more.
    Stall,
    /// An answer comes late, and all that follows it on its connection.
    Slow,
    /// A request is refused with status 401.
    #[serde(rename = "401")]
    Unauthorized,
    /// A request is refused with status 429.
    #[serde(rename = "429")]
    TooManyRequests,
    /// A request is refused with status 500.
    #[serde(rename = "500")]
    InternalError,
    /// A restart is announced to all connections, whoever's they are, and they are closed.
    Restart,
    /// A session expires: the connection is told, and gets 401 until it renews.
    TokenExpiry,
}

/// What is to happen to an HTTP exchange instead of, or before, its answer. It stands in the
/// extensions of the response, or in the permit of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFault {
    /// Close the connection without an answer.
    Drop,
    /// Never answer, and keep the connection open.
    Stall,
    /// Wait that many milliseconds, then answer.
    Slow(u64),
    /// Answer with this refusal. Of uploads only: to others it is the answer itself.
    Refuse {
        /// The status.
        status: u16,
        /// The code.
        code: &'static str,
        /// The reason, for people.
        reason: &'static str,
    },
}

/// What is to happen to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadFault {
    /// What happens.
    pub fault: HttpFault,
    /// After so many bytes of the body; after the whole body where it is shorter.
    pub after_bytes: u64,
}

const fn once() -> u32 {
    1
}

impl FaultKind {
    /// Whether this happens to connections rather than to requests.
    pub(super) const fn targets_connections(self) -> bool {
        matches!(
            self,
            Self::Drop | Self::Stall | Self::Restart | Self::TokenExpiry
        )
    }

    /// Returns the refusal of a request that meets this fault.
    pub(super) fn refusal(self) -> Refusal {
        let (status, code, reason) = self.refusal_parts();
        Refusal::new(status, code, reason)
    }

    const fn refusal_parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::TokenExpiry | Self::Unauthorized => {
                (401, "UNAUTHORIZED", "An injected fault: the token is bad.")
            }
            Self::TooManyRequests => (
                429,
                "TOO_MANY_REQUESTS",
                "An injected fault: too many requests.",
            ),
            _ => (
                500,
                "INTERNAL_ERROR",
                "An injected fault: something went wrong.",
            ),
        }
    }
}

impl Fault {
    /// It happens once, at once, to whomever it can.
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            user: None,
            path: None,
            times: 1,
            after_ms: None,
            after_bytes: None,
        }
    }

    /// How long an answer waits.
    const DEFAULT_DELAY: u64 = 1000;

    pub(super) fn delay(&self) -> u64 {
        self.after_ms.unwrap_or(Self::DEFAULT_DELAY)
    }

    /// Returns the effect of this fault on an HTTP exchange.
    pub(super) fn on_http(&self) -> HttpFault {
        match self.kind {
            FaultKind::Drop | FaultKind::Restart => HttpFault::Drop,
            FaultKind::Stall => HttpFault::Stall,
            FaultKind::Slow => HttpFault::Slow(self.delay()),
            kind => {
                let (status, code, reason) = kind.refusal_parts();
                HttpFault::Refuse {
                    status,
                    code,
                    reason,
                }
            }
        }
    }

    pub(super) fn matches_user(&self, user: Option<&str>) -> bool {
        self.user.is_none() || self.user.as_deref() == user
    }

    fn matches(&self, user: Option<&str>, path: &str, is_upload: bool) -> bool {
        self.matches_user(user)
            && (is_upload || self.after_bytes.is_none())
            && self
                .path
                .as_deref()
                .is_none_or(|prefix| path.starts_with(prefix))
    }
}

/// The faults that wait for a request to meet.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    from: Timestamp,
    fault: Fault,
}

impl Faults {
    pub(super) fn add(&mut self, from: Timestamp, fault: Fault) {
        if fault.times > 0 {
            self.waiting.push(Waiting { from, fault });
        }
    }

    /// The first fault that this request meets; it has happened once more now.
    pub(super) fn take_matching(
        &mut self,
        now: Timestamp,
        user: Option<&str>,
        path: &str,
        is_upload: bool,
    ) -> Option<Fault> {
        let at = self.waiting.iter().position(|waiting| {
            waiting.from <= now && waiting.fault.matches(user, path, is_upload)
        })?;
        let fault = &mut self.waiting.get_mut(at)?.fault;
        fault.times -= 1;
        let fault = fault.clone();
        if fault.times == 0 {
            self.waiting.remove(at);
        }
        Some(fault)
    }
}
