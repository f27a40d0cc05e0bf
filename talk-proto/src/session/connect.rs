//! Opening, watching and closing the socket.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::Session;
use crate::connection::{CONNECT_WITHIN, InFlight, Link, OpenLink};
use crate::error::{RequestError, TransportError};
use crate::fault_injection::FaultInjection;
use crate::io::{Frame, Output, SocketClosed, SocketId};
use crate::timestamp::Timestamp;
use crate::wire::path::encode_component;
use crate::wire::{Method, Request};

/// A connection that nothing needs is closed after this long.
const IDLE_AFTER: Duration = Duration::from_secs(3);
/// The close code that says that all is well.
const NORMAL_CLOSURE: u16 = 1000;
/// A live request that was in flight at this many losses to an oversized frame is given up.
const MAX_LARGE_LOSSES: u32 = 2;

impl Session {
    /// Whether something waits for the server.
    pub(super) fn needs_connection(&self) -> bool {
        !self.queue.is_empty() || !self.live.is_idle()
    }

    /// Notes since when nothing needs a connection.
    pub(super) fn note_need(&mut self) {
        let has_socket = self.link.socket().is_some();
        if self.needs_connection() || !has_socket {
            self.unneeded_since = None;
        } else {
            self.unneeded_since.get_or_insert(self.now);
        }
    }

    /// When a connection that nothing needs is closed.
    pub(super) fn idle_deadline(&self) -> Option<Timestamp> {
        self.unneeded_since.map(|since| since + IDLE_AFTER)
    }

    /// Opens, checks or closes the socket, as it is time.
    pub(super) fn settle_link(&mut self) {
        if self.idle_deadline().is_some_and(|at| at <= self.now) {
            self.close_socket();
            self.drop_link();
            self.unneeded_since = None;
        }
        let is_needed = self.needs_connection();
        match &mut self.link {
            Link::Idle if is_needed => self.open_socket(),
            Link::Waiting { .. } if !is_needed => self.link = Link::Idle,
            Link::Waiting { until, .. } if *until <= self.now => self.open_socket(),
            Link::Opening { deadline, .. } if *deadline <= self.now => {
                self.close_socket();
                self.handle_loss("no connection within 15 s");
            }
            Link::Open(open) => {
                let now = self.now;
                if open.is_lost(now) {
                    self.close_socket();
                    self.handle_loss("the server has fallen silent");
                } else if open.is_ready() && open.heartbeat.take_ping(now) {
                    self.ping();
                }
            }
            Link::Idle | Link::Waiting { .. } | Link::Opening { .. } => {}
        }
    }

    fn open_socket(&mut self) {
        self.counters.connects += 1;
        self.counters.reconnects += u64::from(matches!(self.link, Link::Waiting { .. }));
        let socket = SocketId(self.take_id());
        let url = self.socket_url();
        self.link = Link::Opening {
            socket,
            deadline: self.now + CONNECT_WITHIN,
        };
        self.outputs.push_back(Output::OpenSocket { socket, url });
        self.check_app();
    }

    fn socket_url(&self) -> String {
        let options = &self.options;
        let mut url = options.addresses.realtime.clone();
        // Writing to a String cannot fail.
        let _ = write!(
            url,
            "/{}/realtime/{}?talkjs-client-build=standalone&talkjs-core={}\
             &talkjs-client-id={}&talkjs-time={}",
            encode_component(options.app_id.as_str()),
            encode_component(options.user_id.as_str()),
            encode_component(&options.client_version),
            self.client_id,
            self.now.as_millis(),
        );
        url
    }

    pub(super) fn handle_socket_opened(&mut self, socket: SocketId) {
        if matches!(self.link, Link::Opening { socket: id, .. } if id == socket) {
            self.link = Link::Open(Box::new(OpenLink::new(socket, self.now)));
        }
    }

    pub(super) fn handle_socket_closed(&mut self, socket: SocketId, cause: &SocketClosed) {
        if self.link.socket() != Some(socket) {
            return;
        }
        if *cause == SocketClosed::FrameTooLarge {
            self.count_large_loss();
        }
        match cause {
            SocketClosed::ConnectFailed(reason) | SocketClosed::Lost(reason) => {
                self.handle_loss(reason);
            }
            SocketClosed::ByServer { code: Some(code) } => {
                self.handle_loss(&format!(
                    "the server closed the connection with code {code}"
                ));
            }
            SocketClosed::ByServer { code: None } => {
                self.handle_loss("the server closed the connection");
            }
            SocketClosed::FrameTooLarge => self.handle_loss("a frame was too large"),
        }
    }

    /// The socket may be dead: it is asked at once, and has 5 s to answer. While it waits for a
    /// token there is nothing to ask; the renewal will tell.
    pub(super) fn doubt_socket(&mut self) {
        let now = self.now;
        let Some(open) = self.link.open() else { return };
        if open.is_ready() {
            open.heartbeat.doubt(now);
            self.ping();
        } else if open.is_renewing() {
            open.heartbeat.doubt(now);
        }
    }

    /// The connection is gone, or could not be made. What was in flight goes again on the next.
    fn handle_loss(&mut self, reason: &str) {
        self.note_healthy();
        self.drop_link();
        if self.needs_connection() {
            let delay = self.reconnect.next_delay(&mut self.rng);
            self.link = Link::Waiting {
                since: self.now,
                until: self.now + delay,
                attempt: self.reconnect.attempt(),
                reason: reason.to_owned(),
            };
        }
    }

    /// Leaves the socket behind, if there is one, and everything that was said on it.
    fn drop_link(&mut self) {
        if let Link::Open(open) = std::mem::replace(&mut self.link, Link::Idle) {
            self.counters.retries += open.calls().count() as u64;
            self.queue.handle_lost(open.calls());
        }
        self.requeue_reads();
        if !FaultInjection::SkippedResubscribe.is_on() {
            self.live.handle_lost(self.now);
        }
        self.live_ready.clear();
        self.live_retries.clear();
        self.live_rejections.clear();
    }

    /// A connection that was authenticated for long enough makes reconnecting quick again.
    pub(super) fn note_healthy(&mut self) {
        if let Link::Open(open) = &self.link
            && let Some(since) = open.ready_since
        {
            self.reconnect.note_ready(self.now.saturating_since(since));
        }
    }

    /// A frame that was too large is perhaps the answer to what was in flight; asking for it for
    /// ever would be a loop of losses.
    fn count_large_loss(&mut self) {
        let Link::Open(open) = &self.link else { return };
        let given_up = self.queue.count_large_loss(open.calls());
        // The same may be asked for twice at once, for a subscription and for a read.
        let mut asked = BTreeSet::new();
        for what in open.in_flight.values() {
            if let InFlight::Live(live) = what
                && live.request.method == Method::Get
                && asked.insert(&live.request)
            {
                *self
                    .live_large_losses
                    .entry(live.request.clone())
                    .or_default() += 1;
            }
        }
        let error = RequestError::Transport(TransportError::FrameTooLarge);
        for place in given_up {
            self.fail_call(place, &error);
        }
    }

    /// The answer came. With it goes what was counted of the same thing in other portions; requests
    /// for users have nothing but their path in common.
    pub(super) fn forget_large_losses(&mut self, answered: &Request) {
        self.live_large_losses.remove(answered);
        if answered.path != "/users" {
            self.live_large_losses
                .retain(|request, _| request.path != answered.path);
        }
    }

    /// Whether the answer to this request was too large too often.
    pub(super) fn was_too_large(&self, request: &Request) -> bool {
        self.live_large_losses
            .get(request)
            .is_some_and(|&losses| losses >= MAX_LARGE_LOSSES)
    }

    /// Closes the socket, if there is one.
    pub(super) fn close_socket(&mut self) {
        if let Some(socket) = self.link.socket() {
            self.outputs.push_back(Output::CloseSocket {
                socket,
                code: NORMAL_CLOSURE,
            });
        }
    }

    pub(super) fn send_frame(&mut self, socket: SocketId, frame: String) {
        let now = self.now;
        if let Some(open) = self.link.open() {
            open.heartbeat.sent(now);
            self.counters.frames_sent += 1;
            self.counters.bytes_sent += frame.len() as u64;
            self.outputs.push_back(Output::SendFrame {
                socket,
                frame: Frame(frame),
            });
        }
    }
}
