//! The connection to the service: socket, authentication, heartbeat and reconnects.
//!
//! [`Connection`] is independent of calls and subscriptions. The session states if a connection is
//! needed, passes inputs, and performs the outputs of [`Connection::poll_output`].

mod auth;
mod backoff;
mod frames;
mod heartbeat;
mod socket;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;

use self::auth::{Auth, AuthTask};
pub(crate) use self::backoff::Reconnect;
pub(crate) use self::frames::Received;
use self::socket::{InFlight, Renewal, Socket};
use crate::collections::ReleaseMemory;
use crate::counters::Counters;
use crate::error::{ServerError, SessionError, TransportError};
use crate::fault_injection::FaultInjection;
use crate::io::{ConnectionState, Frame, Output, SocketClosed, SocketId, TokenFetchId};
use crate::options::Authentication;
use crate::requests::{LossCause, QueueSlot};
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::wire::{FrameReader, Method, Request, encode_request};

/// The time limit of connecting, including TLS and upgrade.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The time after which an unneeded connection is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);
/// The close code of an unneeded connection.
const NORMAL_CLOSURE: u16 = 1000;

/// An effect of the connection. Effects are ordered.
pub(crate) enum ConnectionOutput {
    OpenSocket(SocketId),
    FetchAnonymousToken {
        signature: Option<Secret>,
    },
    CancelAnonymousToken,
    /// An effect that the session only passes on.
    Emit(Output),
    /// Requests may be sent. `is_resumed` is set if the token had expired and the socket is still
    /// the same.
    Ready {
        is_resumed: bool,
    },
    /// The socket is lost, and its pending requests will not be answered.
    Lost(Loss),
    End(SessionError),
}

/// The loss of a socket, or of the attempt to open one.
pub(crate) struct Loss {
    /// `None` if the connection was closed because it was not needed.
    pub(crate) reason: Option<String>,
    pub(crate) cause: LossCause,
}

/// The state of the connection. There is at most one socket.
enum State {
    /// No connection is needed.
    Idle,
    /// The next attempt is at `until`.
    Waiting {
        since: Timestamp,
        until: Timestamp,
        attempt: u32,
        reason: String,
    },
    /// The socket is being opened.
    Opening {
        socket: SocketId,
        deadline: Timestamp,
    },
    /// The socket is open, but the server has not accepted a token, or the accepted one has
    /// expired. Only tokens may be sent.
    Authenticating {
        socket: Box<Socket>,
        /// The number of the first request that was sent with the expired token.
        expired: Option<u64>,
    },
    /// Requests may be sent.
    Ready {
        socket: Box<Socket>,
        /// The number of the first request that was sent with the last accepted token.
        accepted: u64,
        since: Timestamp,
    },
}

/// The connection of a session.
pub(crate) struct Connection {
    state: State,
    auth: Auth,
    reconnect: Reconnect,
    /// The reason of the last loss or failed attempt while a connection is being made.
    last_failure: Option<String>,
    frames: FrameReader,
    /// Set if a request or subscription needs a connection.
    is_needed: bool,
    /// Set if an HTTP request waits for a token.
    is_token_needed: bool,
    /// The time at which the open socket became unneeded.
    idle_since: Option<Timestamp>,
    /// Set if an open socket must be probed at the next timeout.
    needs_probe: bool,
    next_id: u64,
    outputs: VecDeque<ConnectionOutput>,
    counters: Counters,
}

impl Connection {
    /// Returns a connection that is not needed.
    pub(crate) fn new(authentication: Authentication) -> Self {
        Self {
            state: State::Idle,
            auth: Auth::new(authentication),
            reconnect: Reconnect::default(),
            last_failure: None,
            frames: FrameReader::default(),
            is_needed: false,
            is_token_needed: false,
            idle_since: None,
            needs_probe: false,
            next_id: 0,
            outputs: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Returns the token in use.
    pub(crate) fn token(&self) -> Option<&Secret> {
        self.auth.token()
    }

    /// Returns the counters of the connection. Retries are not counted here.
    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns `true` if requests may be sent.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    /// Returns `true` if there is no socket and no attempt to open one.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Returns the state for the application if it differs from `reported`.
    pub(crate) fn changed_state(&self, reported: &ConnectionState) -> Option<ConnectionState> {
        let state = match &self.state {
            State::Idle => {
                let failed = self.auth.failed_state();
                let failed = failed.filter(|_| self.is_token_needed);
                failed.unwrap_or(ConnectionState::Idle)
            }
            State::Opening { .. } | State::Authenticating { .. } => ConnectionState::Connecting {
                last_failure: self.auth.failure().or(self.last_failure.as_ref()).cloned(),
            },
            State::Ready { .. } => ConnectionState::Ready,
            State::Waiting {
                since,
                until,
                attempt,
                reason,
            } => ConnectionState::Waiting {
                since: *since,
                until: *until,
                attempt: *attempt,
                reason: reason.clone(),
            },
        };
        (state != *reported).then_some(state)
    }

    /// Returns the next effect.
    pub(crate) fn poll_output(&mut self) -> Option<ConnectionOutput> {
        self.outputs.pop_front()
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(ConnectionOutput::Emit(output));
    }

    /// Sets if a connection is needed, and if an HTTP request waits for a token.
    pub(crate) fn set_needed(&mut self, now: Timestamp, is_needed: bool, is_token_needed: bool) {
        self.is_needed = is_needed;
        self.is_token_needed = is_token_needed;
        if is_needed || self.socket_id().is_none() {
            self.idle_since = None;
        } else {
            self.idle_since.get_or_insert(now);
        }
    }

    fn socket_id(&self) -> Option<SocketId> {
        match &self.state {
            State::Idle | State::Waiting { .. } => None,
            State::Opening { socket, .. } => Some(*socket),
            State::Authenticating { socket, .. } | State::Ready { socket, .. } => Some(socket.id),
        }
    }

    fn open_socket(&mut self) -> Option<&mut Socket> {
        match &mut self.state {
            State::Authenticating { socket, .. } | State::Ready { socket, .. } => Some(socket),
            _ => None,
        }
    }

    /// Returns the time of the next [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let state = match &self.state {
            State::Idle => None,
            State::Waiting { .. } if FaultInjection::MissedTimer.is_on() => None,
            State::Waiting { until, .. } => Some(*until),
            State::Opening { deadline, .. } => Some(*deadline),
            State::Authenticating { socket, .. } => socket.poll_timeout(false),
            State::Ready { socket, .. } => socket.poll_timeout(true),
        };
        let idle = self.idle_since.map(|since| since + IDLE_TIMEOUT);
        let auth = if self.is_idle() && !self.is_token_needed {
            None
        } else {
            self.auth.next_deadline()
        };
        Timestamp::earliest(&[state, idle, auth])
    }

    /// Performs all work that is due.
    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        if std::mem::take(&mut self.needs_probe) {
            self.probe(now);
        }
        if self.fetch_token(now) {
            self.check_socket(now);
            self.renew(now);
        }
    }

    /// Fetches a token if one is missing or about to expire. Returns `false` if the session ends.
    fn fetch_token(&mut self, now: Timestamp) -> bool {
        if self.is_idle() && !self.is_needed && !self.is_token_needed {
            return true;
        }
        match self.auth.poll(now) {
            None => {}
            Some(AuthTask::AskCallback) => {
                let fetch = TokenFetchId(self.take_id());
                self.auth.asked_callback(fetch);
                self.emit(Output::FetchToken { fetch });
            }
            Some(AuthTask::FetchAnonymousToken { signature }) => {
                let output = ConnectionOutput::FetchAnonymousToken { signature };
                self.outputs.push_back(output);
            }
            Some(AuthTask::End(error)) => {
                self.end(error);
                return false;
            }
        }
        true
    }

    /// Opens, checks or closes the socket.
    fn check_socket(&mut self, now: Timestamp) {
        let is_idle = self.idle_since.is_some_and(|at| at + IDLE_TIMEOUT <= now);
        if is_idle {
            self.close_socket();
            return self.lose(now, None, LossCause::Other);
        }
        match &mut self.state {
            State::Idle if self.is_needed => self.connect(now),
            State::Waiting { .. } if !self.is_needed => self.state = State::Idle,
            State::Waiting { until, .. } if *until <= now => self.connect(now),
            State::Opening { deadline, .. } if *deadline <= now => {
                self.close_socket();
                let reason = "no connection within 15 s".to_owned();
                self.lose(now, Some(reason), LossCause::Other);
            }
            State::Authenticating { socket, .. } if socket.is_lost(now, false) => {
                self.handle_silence(now);
            }
            State::Ready { socket, .. } => {
                let unanswered = socket.unanswered(now);
                if socket.is_lost(now, true) {
                    self.handle_silence(now);
                } else if !unanswered.is_empty() {
                    self.close_socket();
                    let reason = "the server left a request unanswered for 30 s".to_owned();
                    self.lose(now, Some(reason), LossCause::Unanswered(unanswered));
                } else if socket.heartbeat.take_ping(now) {
                    self.ping(now);
                }
            }
            _ => {}
        }
    }

    fn connect(&mut self, now: Timestamp) {
        self.counters.connects += 1;
        self.counters.reconnects += u64::from(!self.is_idle());
        let socket = SocketId(self.take_id());
        let deadline = now + CONNECT_TIMEOUT;
        let state = std::mem::replace(&mut self.state, State::Opening { socket, deadline });
        self.last_failure = match state {
            State::Waiting { reason, .. } => Some(reason),
            _ => None,
        };
        self.outputs.push_back(ConnectionOutput::OpenSocket(socket));
    }

    fn handle_silence(&mut self, now: Timestamp) {
        self.close_socket();
        let reason = "the server has fallen silent".to_owned();
        self.lose(now, Some(reason), LossCause::Other);
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Handles a socket that was opened.
    pub(crate) fn handle_opened(&mut self, now: Timestamp, socket: SocketId) {
        if matches!(self.state, State::Opening { socket: id, .. } if id == socket) {
            self.state = State::Authenticating {
                socket: Box::new(Socket::new(socket, now)),
                expired: None,
            };
        }
    }

    /// Handles a socket that could not be opened, or was closed.
    pub(crate) fn handle_closed(&mut self, now: Timestamp, socket: SocketId, cause: &SocketClosed) {
        if self.socket_id() != Some(socket) {
            return;
        }
        let reason = match cause {
            SocketClosed::ConnectFailed(reason) | SocketClosed::Lost(reason) => reason.clone(),
            SocketClosed::ByServer { code: Some(code) } => {
                format!("the server closed the connection with code {code}")
            }
            SocketClosed::ByServer { code: None } => "the server closed the connection".to_owned(),
            SocketClosed::FrameTooLarge => "a frame was too large".to_owned(),
        };
        let cause = match cause {
            SocketClosed::FrameTooLarge if self.open_socket().is_some() => LossCause::LargeFrame,
            _ => LossCause::Other,
        };
        self.lose(now, Some(reason), cause);
    }

    /// Drops the socket. The session then decides if it calls [`reconnect`](Self::reconnect).
    fn lose(&mut self, now: Timestamp, reason: Option<String>, cause: LossCause) {
        self.note_healthy(now);
        self.state = State::Idle;
        self.idle_since = None;
        self.outputs
            .push_back(ConnectionOutput::Lost(Loss { reason, cause }));
    }

    /// Schedules the next attempt after a loss.
    pub(crate) fn reconnect(&mut self, now: Timestamp, reason: String, rng: &mut Rng) {
        let delay = self.reconnect.next_delay(rng);
        self.state = State::Waiting {
            since: now,
            until: now + delay,
            attempt: self.reconnect.attempt(),
            reason,
        };
    }

    /// Resets the reconnect delay if the connection was ready for long enough.
    fn note_healthy(&mut self, now: Timestamp) {
        if let State::Ready { since, .. } = &self.state {
            self.reconnect.note_ready(now.saturating_since(*since));
        }
    }

    fn close_socket(&mut self) {
        if let Some(socket) = self.socket_id() {
            let code = NORMAL_CLOSURE;
            self.emit(Output::CloseSocket { socket, code });
        }
    }

    /// Handles a possible loss of the network: the socket is probed at the next timeout. The time
    /// limits of answers restart.
    pub(crate) fn suspect(&mut self, now: Timestamp) {
        self.needs_probe = true;
        if let Some(socket) = self.open_socket() {
            socket.restart_waiting(now);
        }
    }

    /// Returns `true` if the socket must be probed.
    pub(crate) fn needs_probe(&self) -> bool {
        self.needs_probe
    }

    /// Handles a change of the network: a scheduled connection attempt becomes due now, and an open
    /// socket is probed.
    pub(crate) fn network_changed(&mut self, now: Timestamp) {
        match &mut self.state {
            State::Waiting { until, .. } => *until = now,
            State::Authenticating { .. } | State::Ready { .. } => self.needs_probe = true,
            State::Idle | State::Opening { .. } => {}
        }
    }

    /// Starts the time limit for the next received frame. A socket that waits for a token cannot be
    /// probed; the renewal shows if it is alive.
    fn probe(&mut self, now: Timestamp) {
        match &mut self.state {
            State::Ready { socket, .. } => {
                socket.heartbeat.doubt(now);
                self.ping(now);
            }
            State::Authenticating { socket, .. } if socket.is_renewing() => {
                socket.heartbeat.doubt(now);
            }
            _ => {}
        }
    }

    fn ping(&mut self, now: Timestamp) {
        let request = Request::bare(Method::Get, "/ping".to_owned());
        self.send(now, InFlight::Ping, |seq| encode_request(seq, &request));
    }

    /// Sends a request of the queue.
    pub(crate) fn send_request(
        &mut self,
        now: Timestamp,
        slot: QueueSlot,
        encode: impl FnOnce(u64) -> String,
    ) {
        self.send(now, InFlight::Request(slot), encode);
    }

    fn send(&mut self, now: Timestamp, request: InFlight, encode: impl FnOnce(u64) -> String) {
        if let Some(socket) = self.open_socket() {
            let seq = socket.number(now, request);
            self.send_frame(now, encode(seq));
        }
    }

    fn send_frame(&mut self, now: Timestamp, frame: String) {
        if let Some(socket) = self.open_socket() {
            socket.heartbeat.sent(now);
            let socket = socket.id;
            self.counters.frames_sent += 1;
            self.counters.bytes_sent += frame.len() as u64;
            let frame = Frame(frame);
            self.emit(Output::SendFrame { socket, frame });
        }
    }

    /// Uses a token of the caller.
    pub(crate) fn set_token(&mut self, now: Timestamp, token: Secret) {
        self.auth.set_token(token);
        self.cancel_anonymous_token();
        self.renew_at(now);
    }

    /// Fetches all further tokens from the application.
    pub(crate) fn allow_token_fetch(&mut self) {
        self.auth.allow_callback();
        self.cancel_anonymous_token();
    }

    fn cancel_anonymous_token(&mut self) {
        self.outputs
            .push_back(ConnectionOutput::CancelAnonymousToken);
    }

    /// Handles the application's answer to [`Output::FetchToken`].
    pub(crate) fn handle_token(
        &mut self,
        now: Timestamp,
        fetch: TokenFetchId,
        result: Result<Secret, String>,
    ) {
        let is_new = self.auth.handle_callback(fetch, result);
        self.handle_fetched(now, is_new);
    }

    /// Handles the response to [`ConnectionOutput::FetchAnonymousToken`]: the token, a refusal, or
    /// the failure of the request.
    pub(crate) fn handle_anonymous_token(
        &mut self,
        now: Timestamp,
        response: Result<Result<Secret, ServerError>, TransportError>,
        rng: &mut Rng,
    ) {
        let is_new = self.auth.handle_anonymous_token(now, response, rng);
        self.handle_fetched(now, is_new);
    }

    fn handle_fetched(&mut self, now: Timestamp, is_new: Result<bool, SessionError>) {
        match is_new {
            Ok(true) => self.renew_at(now),
            Ok(false) => {}
            Err(error) => self.end(error),
        }
    }

    /// Handles the rejection of a token over HTTP. If it is still the current token, it counts as
    /// expired for the socket too.
    pub(crate) fn handle_rejected_token(&mut self, now: Timestamp, rejected: &Secret) {
        if self.auth.token() == Some(rejected) {
            if self.is_ready() {
                self.handle_expired(now);
            } else if let Err(error) = self.auth.expire(now) {
                self.end(error);
            }
        }
    }

    /// Schedules sending the token on the open socket.
    fn renew_at(&mut self, at: Timestamp) {
        if let Some(socket) = self.open_socket() {
            socket.renewal = Renewal::Due(at);
        }
    }

    /// Reports the end of the session.
    fn end(&mut self, error: SessionError) {
        self.outputs.push_back(ConnectionOutput::End(error));
    }

    /// Closes the socket after the end of the session.
    pub(crate) fn shutdown(&mut self) {
        // The session may end between the fetch of a token and the request for a socket.
        let mut outputs = self.outputs.drain(..);
        let is_unopened = outputs.any(|it| matches!(it, ConnectionOutput::OpenSocket(_)));
        drop(outputs);
        if !is_unopened {
            self.close_socket();
        }
        self.state = State::Idle;
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.outputs.release_memory();
        self.frames.release_memory();
        if let Some(socket) = self.open_socket() {
            socket.release_memory();
        }
    }
}
