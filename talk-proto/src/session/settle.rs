//! What follows from the state and the time: done before each drain.

use super::{CallPurpose, Session, Unsettled};
use crate::collections::GiveBack;
use crate::connection::{InFlight, Link, LiveRequest, Turn};
use crate::io::{ConnectionState, Event, Output};
use crate::live::interface::LiveOutput;
use crate::timestamp::Timestamp;
use crate::wire::{Method, Request, encode_request};

/// One thing can make another due at once, such as a reconnect without delay. No chain is this
/// long.
const MAX_ROUNDS: usize = 16;

impl Session {
    /// Does everything that is due.
    pub(super) fn settle(&mut self) {
        if self.unsettled == Unsettled::Shown && self.settle_shown() {
            self.unsettled = Unsettled::Nothing;
            return;
        }
        self.queue.close_batch();
        if std::mem::take(&mut self.is_suspect) {
            self.doubt_socket();
        }
        for _ in 0..MAX_ROUNDS {
            self.settle_once();
            self.other_deadline = self.find_other_deadline();
            self.deadline = self.next_deadline();
            let is_due = self.deadline.is_some_and(|at| at <= self.now);
            if self.ended.is_some() || !is_due {
                break;
            }
        }
        self.tell_connection();
        self.unsettled = Unsettled::Nothing;
        self.gives_back = true;
    }

    /// Does what a change of what is shown makes due. Whether that is all: most publishes ask for
    /// nothing but to be shown.
    fn settle_shown(&mut self) -> bool {
        if self.deadline.is_some_and(|at| at <= self.now) || self.is_suspect {
            return false;
        }
        self.take_live_outputs();
        self.note_need();
        self.deadline = self.next_deadline();
        let is_due = self.deadline.is_some_and(|at| at <= self.now);
        let is_alone = self.searches.pending() == 0 && self.uploads.pending() == 0;
        self.live_ready.is_empty() && is_alone && !is_due
    }

    /// Gives back the memory of what is empty: most sessions are quiet most of the time.
    pub(super) fn give_back(&mut self) {
        self.outputs.give_back();
        self.frames.give_back();
        self.live.give_back();
        self.queue.give_back();
        self.http.give_back();
        self.searches.give_back();
        self.uploads.give_back();
        self.calls.give_back();
        self.reads.give_back();
        self.live_ready.give_back();
        self.live_retries.give_back();
        self.live_large_losses.give_back();
        self.live_rejections.give_back();
        if let Some(open) = self.link.open() {
            open.in_flight.give_back();
        }
    }

    fn settle_once(&mut self) {
        self.live.handle_timeout(self.now);
        // What the live half makes of its input decides whether a connection is needed.
        self.take_live_outputs();
        self.note_need();
        self.expire_http();
        self.settle_auth();
        if self.ended.is_some() {
            return;
        }
        self.settle_link();
        self.settle_renewal();
        self.send_http_requests();
        self.send_live_requests();
        self.send_calls();
    }

    /// The earliest time at which something is due.
    fn next_deadline(&self) -> Option<Timestamp> {
        let shown = self.shown_deadline();
        shown.into_iter().chain(self.other_deadline).min()
    }

    /// When something is due of what changes with what is shown.
    fn shown_deadline(&self) -> Option<Timestamp> {
        if self.ended.is_some() {
            return None;
        }
        let link = self.link.next_deadline();
        let link = link.into_iter().chain(self.idle_deadline()).min();
        link.into_iter().chain(self.live.poll_timeout()).min()
    }

    /// When something is due of everything else.
    fn find_other_deadline(&self) -> Option<Timestamp> {
        if self.ended.is_some() {
            return None;
        }
        let auth = self
            .wants_token()
            .then(|| self.auth.next_deadline())
            .flatten();
        let ready = self.link.is_ready();
        let queue = ready.then(|| self.queue.next_deadline()).flatten();
        let live_retry = ready
            .then(|| self.live_retries.iter().map(|(at, _)| *at).min())
            .flatten();
        [auth, queue, live_retry, self.http.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What the live half wants done: events at once, requests in the order in which it asks.
    pub(super) fn take_live_outputs(&mut self) {
        while let Some(output) = self.live.poll_output() {
            match output {
                LiveOutput::Event(Event::Resolved { request, result }) => {
                    let read = self.reads.remove(&request);
                    let purpose = read.map_or(CallPurpose::User, |read| read.purpose);
                    self.handle_result(request, purpose, result);
                }
                LiveOutput::Event(event) => self.emit(event),
                LiveOutput::Send { fetch, request } => {
                    self.live_ready.push_back(LiveRequest::new(fetch, request));
                }
            }
        }
    }

    /// The live half's requests go before the calls, unpaced.
    fn send_live_requests(&mut self) {
        self.take_live_outputs();
        if !self.link.is_ready() {
            return;
        }
        self.release_live_retries();
        while let Some(live) = self.live_ready.pop_front() {
            if self.may_send_live(&live) {
                let request = live.request.clone();
                self.send(&request, InFlight::Live(live));
            } else {
                // What was answered here may lead to more.
                self.take_live_outputs();
            }
        }
    }

    fn release_live_retries(&mut self) {
        if self.live_retries.is_empty() {
            return;
        }
        let (now, mut waiting) = (self.now, Vec::new());
        for (at, request) in std::mem::take(&mut self.live_retries) {
            if at <= now {
                self.live_ready.push_back(request);
            } else {
                waiting.push((at, request));
            }
        }
        self.live_retries = waiting;
    }

    fn send_calls(&mut self) {
        let mut has_read = false;
        while self.link.is_ready()
            && let Some(turn) = self.queue.pop(self.now)
        {
            match turn {
                Turn::Read(place, request, get) => {
                    self.read(place, request, get);
                    has_read = true;
                }
                Turn::Send(place, request) => {
                    if std::mem::take(&mut has_read) {
                        self.send_live_requests();
                    }
                    self.send(&request, InFlight::Call(place));
                }
            }
        }
        if has_read {
            self.send_live_requests();
        }
    }

    /// Sends a request on the open socket.
    pub(super) fn send(&mut self, request: &Request, what: InFlight) {
        let Some(open) = self.link.open() else { return };
        let seq = open.number(what);
        let socket = open.socket;
        self.send_frame(socket, encode_request(seq, request));
    }

    pub(super) fn ping(&mut self) {
        let request = Request::bare(Method::Get, "/ping".to_owned());
        self.send(&request, InFlight::Ping);
    }

    fn tell_connection(&mut self) {
        if self.ended.is_some() {
            return;
        }
        let state = match &self.link {
            Link::Idle => ConnectionState::Idle,
            Link::Waiting {
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
            Link::Open(open) if open.is_ready() => ConnectionState::Ready,
            Link::Open(_) | Link::Opening { .. } => ConnectionState::Connecting,
        };
        if state != self.told {
            self.told = state.clone();
            self.outputs
                .push_back(Output::Event(Event::Connection(state)));
        }
    }
}
