//! Faults that can be injected.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use talk_proto::Timestamp;

use super::object_only::object_only;
use super::output::ConnectionId;
use super::refusal::Refusal;

/// A fault to inject.
///
/// A refusal (`401`, `429`, `500`), `slow` or `unanswered` applies to the next `times` requests
/// that match `user` and `path`. Any other kind with a `path` applies to the connection of each
/// matching request. Without a `path` it applies at once to every matching connection. Times that
/// remain, for example because no connection is open, apply to the next requests.
///
/// A fault with `after_bytes` applies to an upload while its body arrives.
///
/// The kinds of webhooks apply to the next `times` webhooks, before their first attempt. `path` is
/// the beginning of their type. `batch_shuffle` applies to the next `times` batches.
///
/// ```
/// use std::time::Duration;
/// use talk_emulator::server::{Fault, FaultKind};
///
/// let slow_sends = Fault::new(FaultKind::Slow)
///     .user("alice")
///     .path("/conversations/lobby/messages")
///     .times(3)
///     .after(Duration::from_secs(2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Fault {
    /// The kind of fault.
    pub kind: FaultKind,
    /// Restricts the fault to this user. Absent: all users. It has no meaning for webhooks and
    /// batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Restricts the fault to paths with this prefix, as on the wire: `/conversations/c1`. For
    /// HTTP requests the path starts after the app: `/files`. For webhooks, the beginning of their
    /// type: `message.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The number of times, 1 by default.
    #[serde(default = "once")]
    pub times: u32,
    /// The delay in milliseconds before the fault starts; absent: none. For `slow`, the delay of
    /// an answer, for `webhook_delay` of a webhook, and for `webhook_reorder` the maximum delay,
    /// 1,000 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// Restricts the fault to uploads, and lets this many bytes of the request's body through
    /// first (default 0). If the body is shorter, the file is stored, and the fault replaces the
    /// answer. A `slow` upload waits again after each further block of this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_bytes: Option<u64>,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// Cuts the connection without a close frame. A request that triggers it is processed but not
    /// answered.
    Drop,
    /// Keeps the connection open, but neither sends nor receives.
    Stall,
    /// Delays the answer, and everything after it on the connection.
    Slow,
    /// Leaves the request unanswered and does not process it. Pings and token renewals are still
    /// answered. For HTTP requests the same as `stall`.
    Unanswered,
    /// Refuses the request with status 401.
    #[serde(rename = "401")]
    Unauthorized,
    /// Refuses the request with status 429.
    #[serde(rename = "429")]
    TooManyRequests,
    /// Refuses the request with status 500.
    #[serde(rename = "500")]
    InternalError,
    /// Announces a restart to all connections of all users and closes them.
    Restart,
    /// Expires the session: the client is notified and receives 401 until it renews.
    TokenExpiry,
    /// Delivers a webhook after the next one of the same user or conversation. Without a next one,
    /// it is delivered after the delay.
    WebhookReorder,
    /// Delivers a webhook twice.
    WebhookDuplicate,
    /// Delays a webhook, and the later ones of the same user or conversation.
    WebhookDelay,
    /// Discards a webhook without an attempt to deliver it.
    WebhookDrop,
    /// Runs the operations of a batch in random order.
    BatchShuffle,
}

/// The effect of a fault on an HTTP request. It is stored in the extensions of the response, or in
/// the permit of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpFault {
    /// Closes the connection without an answer.
    Drop,
    /// Keeps the connection open without an answer.
    Stall,
    /// Waits this number of milliseconds, then answers.
    Slow(u64),
    /// Answers with this refusal. Only for uploads; for other requests the response is the
    /// refusal.
    Refuse {
        /// The status.
        status: u16,
        /// The code.
        code: &'static str,
        /// The reason, for humans.
        reason: &'static str,
    },
}

/// The effect of a fault on an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadFault {
    /// The effect.
    pub fault: HttpFault,
    /// The number of body bytes before the effect. If the body is shorter, the effect follows it.
    pub after_bytes: u64,
}

object_only!(Fault);

const fn once() -> u32 {
    1
}

impl FaultKind {
    /// Returns `true` if the fault applies to connections instead of requests.
    pub(super) const fn targets_connections(self) -> bool {
        matches!(
            self,
            Self::Drop | Self::Stall | Self::Restart | Self::TokenExpiry
        )
    }

    /// Returns `true` if the fault applies to webhooks.
    pub(super) const fn targets_webhooks(self) -> bool {
        matches!(
            self,
            Self::WebhookReorder | Self::WebhookDuplicate | Self::WebhookDelay | Self::WebhookDrop
        )
    }

    /// Returns `true` if the fault applies to requests, or to their connections.
    const fn targets_requests(self) -> bool {
        !self.targets_webhooks() && !matches!(self, Self::BatchShuffle)
    }

    /// Returns `true` if `after_ms` is part of the effect, instead of a delay before the fault
    /// starts.
    pub(super) const fn is_delayed_effect(self) -> bool {
        matches!(self, Self::Slow | Self::WebhookDelay | Self::WebhookReorder)
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
            Self::TooManyRequests => (429, "RATE_LIMITED", "An injected fault: too many requests."),
            _ => (
                500,
                "INTERNAL_ERROR",
                "An injected fault: something went wrong.",
            ),
        }
    }
}

impl Fault {
    /// Creates a fault that applies once, at once, to any user and path.
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

    /// Restricts the fault to a user.
    #[must_use]
    pub fn user(mut self, id: impl Into<String>) -> Self {
        self.user = Some(id.into());
        self
    }

    /// Restricts the fault to paths with this prefix.
    #[must_use]
    pub fn path(mut self, prefix: impl Into<String>) -> Self {
        self.path = Some(prefix.into());
        self
    }

    /// Sets the number of times.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Sets the delay before the fault starts; for `slow`, the delay of an answer.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after_ms = Some(delay.as_millis().try_into().unwrap_or(u64::MAX));
        self
    }

    /// Restricts the fault to uploads, after this number of bytes of the body.
    #[must_use]
    pub const fn after_bytes(mut self, bytes: u64) -> Self {
        self.after_bytes = Some(bytes);
        self
    }

    /// The default delay of an answer, in milliseconds.
    const DEFAULT_DELAY: u64 = 1000;

    pub(super) fn delay(&self) -> u64 {
        self.after_ms.unwrap_or(Self::DEFAULT_DELAY)
    }

    /// Returns the delay of an answer or a webhook.
    pub(super) fn effect_delay(&self) -> Duration {
        Duration::from_millis(self.delay())
    }

    /// Returns the effect of this fault on an HTTP exchange.
    pub(super) fn on_http(&self) -> HttpFault {
        match self.kind {
            FaultKind::Drop | FaultKind::Restart => HttpFault::Drop,
            FaultKind::Stall | FaultKind::Unanswered => HttpFault::Stall,
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
        let is_kept_alive =
            self.kind == FaultKind::Unanswered && matches!(path, "/ping" | "/session/renew");
        self.kind.targets_requests()
            && self.matches_user(user)
            && !is_kept_alive
            && (is_upload || self.after_bytes.is_none())
            && self.matches_path(path)
    }

    fn matches_path(&self, path: &str) -> bool {
        let prefix = self.path.as_deref();
        prefix.is_none_or(|prefix| path.starts_with(prefix))
    }

    /// Returns the reason why the fault cannot be injected, if any: members that have no meaning,
    /// or none for its kind.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.times == 0 {
            return Err("A fault occurs at least once: `times` must be 1 or more.");
        }
        if self.kind.targets_requests() {
            return Ok(());
        }
        if self.user.is_some() || self.after_bytes.is_some() {
            return Err("Faults of webhooks and batches have no `user` and no `after_bytes`.");
        }
        match self.kind {
            FaultKind::BatchShuffle if self.path.is_some() => {
                Err("A fault of batches has no `path`.")
            }
            _ => Ok(()),
        }
    }
}

/// The faults that wait for a matching request.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Vec<Waiting>,
    struck: VecDeque<StruckFault>,
}

/// The number of struck faults that are kept.
const MAX_STRUCK: usize = 200;

/// A fault that has struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StruckFault {
    /// The time.
    pub at: Timestamp,
    /// The fault, with the number of times that remain.
    pub fault: Fault,
    /// The connection. Absent for HTTP.
    pub connection: Option<ConnectionId>,
    /// The path of the request, or the type of the webhook. Absent if the fault applied to a
    /// connection at once.
    pub path: Option<String>,
    /// The ID of the webhook. Absent for other faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
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

    pub(super) fn armed(&self) -> impl Iterator<Item = &Fault> {
        self.waiting.iter().map(|waiting| &waiting.fault)
    }

    pub(super) fn struck(&self) -> impl Iterator<Item = &StruckFault> {
        self.struck.iter()
    }

    pub(super) fn note(&mut self, struck: StruckFault) {
        if self.struck.len() >= MAX_STRUCK {
            self.struck.pop_front();
        }
        self.struck.push_back(struck);
    }

    pub(super) fn disarm(&mut self) {
        self.waiting.clear();
    }

    /// Takes one occurrence of the first fault that matches the request.
    pub(super) fn take_matching(
        &mut self,
        now: Timestamp,
        user: Option<&str>,
        path: &str,
        is_upload: bool,
    ) -> Option<Fault> {
        self.take(now, |fault| fault.matches(user, path, is_upload))
    }

    /// Takes one occurrence of the first fault that matches a webhook of this type.
    pub(super) fn take_for_webhook(&mut self, now: Timestamp, kind: &str) -> Option<Fault> {
        self.take(now, |fault| {
            fault.kind.targets_webhooks() && fault.matches_path(kind)
        })
    }

    /// Takes one occurrence of the first fault of batches.
    pub(super) fn take_for_batch(&mut self, now: Timestamp) -> Option<Fault> {
        self.take(now, |fault| fault.kind == FaultKind::BatchShuffle)
    }

    fn take(&mut self, now: Timestamp, matches: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut waiting = self.waiting.iter();
        let at = waiting.position(|it| it.from <= now && matches(&it.fault))?;
        let fault = &mut self.waiting.get_mut(at)?.fault;
        fault.times -= 1;
        let fault = fault.clone();
        if fault.times == 0 {
            self.waiting.remove(at);
        }
        Some(fault)
    }
}
