//! Injection of faults.

use std::time::Duration;

use talk_proto::Timestamp;

use super::events::Event;
use super::fault::{Fault, FaultKind, HttpFault, StruckFault, UploadFault};
use super::http::{self, HttpRequest, HttpResponse};
use super::machine::Server;
use super::output::{ConnectionId, Output};
use super::refusal::Refusal;
use super::timers::Timer;

/// The close code for a server restart.
const SERVICE_RESTART: u16 = 1012;

impl Server {
    /// Injects a fault that occurs `fault.times` times.
    pub fn inject(&mut self, now: Timestamp, fault: Fault) {
        self.advance(now);
        let after = if fault.kind.is_delayed_effect() {
            0
        } else {
            fault.after_ms.unwrap_or(0)
        };
        let from = self.now + Duration::from_millis(after);
        if fault.kind.targets_connections()
            && fault.path.is_none()
            && fault.after_bytes.is_none()
            && fault.times > 0
        {
            self.timers.set(from, Timer::FaultDue(fault));
            self.advance(now);
        } else {
            self.faults.add(from, fault);
        }
    }

    /// Returns the faults that have not occurred the given number of times yet.
    pub fn armed_faults(&self) -> impl Iterator<Item = &Fault> {
        self.timers.faults().chain(self.faults.armed())
    }

    /// Returns the latest 200 faults that have struck, oldest first.
    pub fn struck_faults(&self) -> impl Iterator<Item = &StruckFault> {
        self.faults.struck()
    }

    /// Discards all injected faults. Their effects on connections remain.
    pub fn disarm_faults(&mut self, now: Timestamp) {
        self.advance(now);
        self.timers.cancel_faults();
        self.faults.disarm();
    }

    /// Applies a due fault to all matching connections.
    pub(super) fn apply_to_matching(&mut self, mut fault: Fault) {
        let fitting: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, connection)| fault.matches_user(Some(&connection.user)))
            .map(|(id, _)| *id)
            .collect();
        if !fitting.is_empty() {
            fault.times -= 1;
        }
        for id in fitting {
            self.note_struck(StruckFault {
                at: self.now,
                fault: fault.clone(),
                connection: Some(id),
                path: None,
                webhook: None,
            });
            self.apply_fault(id, fault.kind);
        }
        self.faults.add(self.now, fault);
    }

    pub(super) fn apply_fault(&mut self, id: ConnectionId, kind: FaultKind) {
        match kind {
            FaultKind::Drop => self.close(id, None),
            FaultKind::Stall => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.is_stalled = true;
                }
            }
            FaultKind::TokenExpiry => self.expire(id),
            FaultKind::Restart => self.restart(),
            FaultKind::Slow
            | FaultKind::Unanswered
            | FaultKind::Unauthorized
            | FaultKind::TooManyRequests
            | FaultKind::InternalError
            | FaultKind::WebhookReorder
            | FaultKind::WebhookDuplicate
            | FaultKind::WebhookDelay
            | FaultKind::WebhookDrop
            | FaultKind::BatchShuffle => {}
        }
    }

    /// Announces a restart to all connections, and closes them.
    pub(super) fn restart(&mut self) {
        let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
        self.flush();
        for id in all {
            self.publish_now(id, &Event::UpstreamRestarting {});
            self.close(id, Some(SERVICE_RESTART));
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId, code: Option<u16>) {
        if self.connections.contains_key(&id) {
            self.forget(id);
            self.outputs.push_back(Output::Close {
                connection: id,
                code,
            });
        }
    }

    /// Sends a frame, or holds it back while the connection is slow.
    pub(super) fn send(&mut self, id: ConnectionId, text: String) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.is_stalled {
            return;
        }
        if connection.slow_until.is_some() {
            connection.held.push((self.now, text));
        } else {
            self.send_now(id, text, self.now);
        }
    }

    /// Sends a frame that was created at `created`.
    fn send_now(&mut self, id: ConnectionId, text: String, created: Timestamp) {
        if self.inspector.is_on() {
            self.record_sent(id, &text, created);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.frames_out += 1;
            self.outputs.push_back(Output::SendFrame {
                connection: id,
                text,
            });
        }
    }

    /// Holds back all frames of a connection for `delay` milliseconds.
    pub(super) fn slow_down(&mut self, id: ConnectionId, delay: u64) {
        let until = self.now + Duration::from_millis(delay);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.slow_until.is_none_or(|before| before < until) {
            connection.slow_until = Some(until);
            self.timers.set(until, Timer::SlowEnds(id));
        }
    }

    /// Sends the frames held back, unless the connection has been slowed down again.
    pub(super) fn release(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.slow_until.is_some_and(|until| until > self.now) {
            return;
        }
        connection.slow_until = None;
        if connection.is_stalled {
            return;
        }
        for (created, text) in std::mem::take(&mut connection.held) {
            self.send_now(id, text, created);
        }
    }

    /// Returns the fault for an HTTP request, if any: a refusal, or an effect on the response.
    pub(super) fn fault_for_http(
        &mut self,
        request: &HttpRequest,
    ) -> Option<Result<HttpFault, Refusal>> {
        let fault = self.take_matching(request, false)?;
        Some(match fault.on_http() {
            HttpFault::Refuse { .. } => Err(fault.kind.refusal()),
            effect => Ok(effect),
        })
    }

    /// Returns the fault for an upload, if any: a refusal before the body is read, or an effect
    /// while it arrives.
    pub(super) fn fault_for_upload(
        &mut self,
        request: &HttpRequest,
    ) -> Option<Result<UploadFault, Refusal>> {
        let fault = self.take_matching(request, true)?;
        Some(match (fault.on_http(), fault.after_bytes) {
            (HttpFault::Refuse { .. }, None) => Err(fault.kind.refusal()),
            (effect, after_bytes) => Ok(UploadFault {
                fault: effect,
                after_bytes: after_bytes.unwrap_or(0),
            }),
        })
    }

    fn take_matching(&mut self, request: &HttpRequest, is_upload: bool) -> Option<Fault> {
        let address = http::Address::parse(request)?;
        let user = self.user_of(request, &address.app).ok().flatten();
        let path = address.raw_path;
        let fault = self
            .faults
            .take_matching(self.now, user.as_deref(), &path, is_upload)?;
        self.note_struck(StruckFault {
            at: self.now,
            fault: fault.clone(),
            connection: None,
            path: Some(path),
            webhook: None,
        });
        Some(fault)
    }

    /// Returns `true` if a fault shuffles the batch.
    pub(super) fn is_shuffled_batch(&mut self) -> bool {
        let Some(fault) = self.faults.take_for_batch(self.now) else {
            return false;
        };
        self.note_struck(StruckFault {
            at: self.now,
            fault,
            connection: None,
            path: Some("/batch".to_owned()),
            webhook: None,
        });
        true
    }
}

/// Stores a fault in the extensions of a response.
pub(super) fn attach(mut response: HttpResponse, fault: Option<HttpFault>) -> HttpResponse {
    if let Some(fault) = fault {
        response.extensions_mut().insert(fault);
    }
    response
}
