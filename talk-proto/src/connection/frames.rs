//! Handling of received frames, and the renewal of the token.

use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::auth::RenewalResponse;
use super::socket::{InFlight, Renewal};
use super::{Connection, ConnectionOutput, State};
use crate::error::{SessionError, TransportError};
use crate::fault_injection::FaultInjection;
use crate::io::{Event, Output, ProtocolWarning, SocketId};
use crate::requests::{Answer, QueueSlot};
use crate::timestamp::Timestamp;
use crate::wire::{
    EventError, FrameHead, Method, Published, Request, ServerEvent, ServerFrame, StatusClass,
    encode_ack, encode_request, server_error,
};

/// The delay after which a renewal is repeated if the server failed to process it.
const RENEWAL_RETRY_MILLIS: RangeInclusive<u64> = 5_000..=10_000;

/// The reason for which a connection waits for another token.
const TOKEN_FAILURE: &str = "the token has expired or was rejected";

/// The maximum reported length of an unknown event's type, in characters.
const MAX_KIND: usize = 64;

/// The part of a frame that other parts of the session handle.
pub(crate) enum Received<'a> {
    Nothing,
    Answer(QueueSlot, Answer<'a>),
    /// The answer to this request is unreadable.
    Unreadable(QueueSlot, TransportError),
    /// Events that are applied as one step.
    Publish {
        number: u64,
        events: Vec<Published>,
        effect: PublishEffect,
    },
    /// A publish was too large to read.
    LargePublish,
}

/// The effect of a publish apart from its events.
pub(crate) struct PublishEffect {
    /// Set if an earlier publish is missing, or the conversation of an event is unreadable.
    pub(crate) has_gap: bool,
    /// Set if the frame contained only readable events for live snapshots.
    pub(crate) is_plain: bool,
}

impl Connection {
    /// Handles a frame. A frame larger than `limit` is not read, but the request that it answers
    /// fails.
    pub(crate) fn handle_frame<'a>(
        &mut self,
        now: Timestamp,
        socket: SocketId,
        text: &'a str,
        limit: usize,
        rng: &mut Rng,
    ) -> Received<'a> {
        let is_current = |id| id == socket || FaultInjection::StaleGeneration.is_on();
        let Some(open) = self.open_socket().filter(|open| is_current(open.id)) else {
            return Received::Nothing;
        };
        open.heartbeat.note_received(now);
        self.counters.frames_received += 1;
        self.counters.bytes_received += text.len() as u64;
        if text.len() > limit {
            return self.handle_large_frame(now, text, rng);
        }
        match self.frames.read(text) {
            Some(ServerFrame::Answer { seq, status, body }) => {
                self.handle_answer(now, seq, status, body, rng)
            }
            Some(ServerFrame::Publish { number, events }) => {
                self.handle_publish(now, number, events)
            }
            None => {
                self.warn(ProtocolWarning::Frame);
                match FrameHead::parse(text) {
                    Some(FrameHead::Answer { seq }) => {
                        self.fail_request(now, seq, TransportError::Malformed, rng)
                    }
                    _ => Received::Nothing,
                }
            }
        }
    }

    /// Returns the list of a publish's events, so that its allocation is reused.
    pub(crate) fn recycle(&mut self, events: Vec<Published>) {
        self.frames.take_back(events);
    }

    fn warn(&mut self, warning: ProtocolWarning) {
        self.emit(Output::Event(Event::Warning(warning)));
    }

    fn handle_large_frame(
        &mut self,
        now: Timestamp,
        text: &str,
        rng: &mut Rng,
    ) -> Received<'static> {
        self.warn(ProtocolWarning::LargeFrame { size: text.len() });
        match FrameHead::parse(text) {
            Some(FrameHead::Answer { seq }) => {
                self.fail_request(now, seq, TransportError::FrameTooLarge, rng)
            }
            Some(FrameHead::Publish { number }) if self.acknowledge(now, number).is_some() => {
                Received::LargePublish
            }
            Some(FrameHead::Publish { .. }) | None => Received::Nothing,
        }
    }

    /// Fails the request whose answer is unreadable, because no other answer to it will arrive.
    fn fail_request(
        &mut self,
        now: Timestamp,
        seq: u64,
        error: TransportError,
        rng: &mut Rng,
    ) -> Received<'static> {
        match self.take_in_flight(seq) {
            Some(InFlight::Request(slot)) => return Received::Unreadable(slot, error),
            // The renewal is repeated, as after a failure of the server.
            Some(InFlight::Renewal) => self.handle_renewed(now, seq, 500, None, rng),
            Some(InFlight::Ping) | None => {}
        }
        Received::Nothing
    }

    fn take_in_flight(&mut self, seq: u64) -> Option<InFlight> {
        self.open_socket()?.take_in_flight(seq)
    }

    fn handle_answer<'a>(
        &mut self,
        now: Timestamp,
        seq: u64,
        status: u16,
        body: Option<&'a RawValue>,
        rng: &mut Rng,
    ) -> Received<'a> {
        let slot = match self.take_in_flight(seq) {
            None => {
                self.warn(ProtocolWarning::Answer);
                return Received::Nothing;
            }
            Some(InFlight::Renewal) => {
                self.handle_renewed(now, seq, status, body, rng);
                return Received::Nothing;
            }
            Some(InFlight::Ping) => None,
            Some(InFlight::Request(slot)) => Some(slot),
        };
        let mut rejected_token = None;
        if StatusClass::of(status) != StatusClass::Unauthenticated {
            self.auth.prove();
        } else {
            // Answers to requests from before the last renewal do not concern the token.
            rejected_token = self.accepted().filter(|accepted| seq >= *accepted);
            if rejected_token.is_some() {
                self.handle_expired(now);
            }
        }
        let Some(slot) = slot else {
            return Received::Nothing;
        };
        let answer = Answer {
            seq,
            status,
            body,
            rejected_token,
        };
        Received::Answer(slot, answer)
    }

    /// Returns the number of the first request that was sent with the last accepted token.
    fn accepted(&self) -> Option<u64> {
        match &self.state {
            State::Ready { accepted, .. } => Some(*accepted),
            State::Authenticating { expired, .. } => *expired,
            State::Idle | State::Waiting { .. } | State::Opening { .. } => None,
        }
    }

    fn handle_publish(
        &mut self,
        now: Timestamp,
        number: u64,
        mut events: Vec<Published>,
    ) -> Received<'static> {
        let Some(is_next) = self.acknowledge(now, number) else {
            self.warn(ProtocolWarning::RepeatedPublish);
            return Received::Nothing;
        };
        let mut effect = PublishEffect {
            has_gap: !is_next,
            is_plain: is_next,
        };
        self.handle_control_events(now, &mut events, &mut effect);
        Received::Publish {
            number,
            events,
            effect,
        }
    }

    /// Acknowledges a publish. Returns `Some(true)` if it follows the previous one, or is the first
    /// one and has a number of at most 1. Returns `None` if it was received before.
    fn acknowledge(&mut self, now: Timestamp, number: u64) -> Option<bool> {
        let socket = self.open_socket()?;
        let last = socket.last_publish;
        socket.last_publish = last.max(Some(number));
        if !FaultInjection::LostAck.is_on_for(number) {
            self.send_frame(now, encode_ack(number));
        }
        match last {
            Some(last) if number <= last => None,
            last => Some(number - last.unwrap_or(0) <= 1),
        }
    }

    /// Removes and handles the events that do not concern live snapshots, and reports unreadable
    /// ones.
    fn handle_control_events(
        &mut self,
        now: Timestamp,
        events: &mut Vec<Published>,
        effect: &mut PublishEffect,
    ) {
        events.retain(|event| {
            let mut is_live = false;
            match event {
                Ok(ServerEvent::SessionExpired {}) => self.handle_expired(now),
                Ok(ServerEvent::UpstreamRestarting {}) => self.reconnect.announce_restart(),
                Ok(_) => return true,
                Err(EventError::Malformed) => self.warn(ProtocolWarning::Event),
                Err(EventError::Unreadable(event)) => {
                    self.warn(ProtocolWarning::Event);
                    effect.has_gap |= event.lacks_conversation();
                    is_live = true;
                }
                Err(EventError::UnknownType(kind)) => {
                    let kind = kind.chars().take(MAX_KIND).collect();
                    self.warn(ProtocolWarning::UnknownEvent { kind });
                }
            }
            effect.is_plain = false;
            is_live
        });
    }

    /// Sends the token if the socket is not authenticated or the token is newer.
    pub(super) fn renew(&mut self, now: Timestamp) {
        let (is_ready, was_ready) = (self.is_ready(), self.accepted().is_some());
        let token = self.auth.token().cloned();
        let Some(socket) = self.open_socket() else {
            return;
        };
        let Some(token) = token else {
            if !socket.is_renewing() {
                socket.renewal = Renewal::None;
            }
            return;
        };
        let is_due = match socket.renewal {
            Renewal::None => !is_ready,
            Renewal::Due(at) => at <= now,
            Renewal::Sent(_) => false,
        };
        if is_due {
            socket.renewal = Renewal::Sent(socket.next_seq);
            self.counters.token_refreshes += u64::from(was_ready);
            let data = serde_json::json!({ "token": token.expose() });
            let request = Request::new(Method::Post, "/session/renew".to_owned(), &data);
            self.send(now, InFlight::Renewal, |seq| encode_request(seq, &request));
        }
    }

    fn handle_renewed(
        &mut self,
        now: Timestamp,
        seq: u64,
        status: u16,
        body: Option<&RawValue>,
        rng: &mut Rng,
    ) {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Body {
            expires_in_seconds: Option<f64>,
        }

        let Some(socket) = self.open_socket() else {
            return;
        };
        if socket.renewal != Renewal::Sent(seq) {
            // A newer token was or will be sent, and only its answer counts.
            return;
        }
        socket.renewal = Renewal::None;
        let response = match status {
            200 => {
                let body = body.and_then(|body| serde_json::from_str::<Body>(body.get()).ok());
                let expires_in = body.unwrap_or_default().expires_in_seconds;
                RenewalResponse::Accepted { expires_in }
            }
            401 => RenewalResponse::Rejected,
            400 | 402 => return self.end(SessionError::Refused(server_error(status, body))),
            _ => {
                let delay = Duration::from_millis(rng.u64(RENEWAL_RETRY_MILLIS));
                socket.renewal = Renewal::Due(now + delay);
                if !self.is_ready() {
                    self.last_failure = Some(server_error(status, body).to_string());
                }
                return;
            }
        };
        if let Err(error) = self.auth.handle_renewal(now, &response) {
            self.end(error);
        } else if self.auth.token().is_some() {
            self.handle_accepted(now);
        } else {
            self.leave_ready();
            self.last_failure = Some(TOKEN_FAILURE.to_owned());
        }
    }

    /// Handles a token that the server accepted.
    fn handle_accepted(&mut self, now: Timestamp) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        self.state = match state {
            State::Ready { socket, since, .. } => State::Ready {
                accepted: socket.next_seq,
                socket,
                since,
            },
            State::Authenticating {
                mut socket,
                expired,
            } => {
                socket.restart_waiting(now);
                self.reconnect.note_connected();
                self.last_failure = None;
                let is_resumed = expired.is_some();
                self.outputs
                    .push_back(ConnectionOutput::Ready { is_resumed });
                State::Ready {
                    accepted: socket.next_seq,
                    socket,
                    since: now,
                }
            }
            other => other,
        };
    }

    /// Handles a token that is no longer accepted. Requests wait for another token.
    pub(super) fn handle_expired(&mut self, now: Timestamp) {
        self.note_healthy(now);
        if !self.leave_ready() {
            return;
        }
        self.last_failure = Some(TOKEN_FAILURE.to_owned());
        let renewal = self.open_socket().map(|socket| socket.renewal);
        let is_replaced = match renewal {
            Some(Renewal::Sent(_)) => true,
            Some(Renewal::Due(at)) => at <= now,
            Some(Renewal::None) | None => false,
        };
        if !is_replaced && let Err(error) = self.auth.expire(now) {
            self.end(error);
        }
    }

    /// Moves a ready connection to the authenticating state. Returns `false` if it was not ready.
    fn leave_ready(&mut self) -> bool {
        let state = std::mem::replace(&mut self.state, State::Idle);
        let was_ready = matches!(state, State::Ready { .. });
        self.state = match state {
            State::Ready {
                socket, accepted, ..
            } => State::Authenticating {
                socket,
                expired: Some(accepted),
            },
            other => other,
        };
        was_ready
    }
}
