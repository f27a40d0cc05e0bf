//! What comes in on the socket: answers and publishes.

use serde_json::value::RawValue;

use super::Session;
use crate::command::{Reply, RequestId};
use crate::connection::{InFlight, LiveRequest, Outcome, Verdict};
use crate::error::{Refused, RequestError, TransportError};
use crate::io::{Event, Skipped, SocketId};
use crate::wire::{EventError, Method, Refusal, ServerEvent, ServerFrame, encode_ack};

/// A live request that the server fails to answer is tried this often.
const MAX_FAILURES: u32 = 10;
/// The longest part of an unknown event's type that is told.
const MAX_KIND: usize = 64;

impl Session {
    pub(super) fn handle_frame(&mut self, socket: SocketId, text: &str) {
        let now = self.now;
        let Some(open) = self.link.open().filter(|open| open.socket == socket) else {
            return;
        };
        open.heartbeat.heard(now);
        if text.len() > self.options.limits.frame_size {
            return self.skip(Skipped::LargeFrame { size: text.len() });
        }
        match ServerFrame::parse(text) {
            Some(ServerFrame::Answer { seq, status, body }) => {
                self.handle_answer(seq, status, body);
            }
            Some(ServerFrame::Publish { number, events }) => self.handle_publish(number, &events),
            None => self.skip(Skipped::Frame),
        }
    }

    fn skip(&mut self, what: Skipped) {
        self.emit(Event::Skipped(what));
    }

    fn handle_answer(&mut self, seq: u64, status: u16, body: Option<&RawValue>) {
        let what = self
            .link
            .open()
            .and_then(|open| open.in_flight.remove(&seq));
        let Some(what) = what else {
            return self.skip(Skipped::Answer);
        };
        let verdict = Verdict::of(status);
        if !matches!(what, InFlight::Renew) && verdict != Verdict::Unauthenticated {
            self.auth.prove();
        }
        match what {
            InFlight::Renew => self.handle_renewed(status, body),
            InFlight::Ping | InFlight::Forgotten => {
                if verdict == Verdict::Unauthenticated {
                    self.handle_expired();
                }
            }
            InFlight::Call(place) => self.handle_call_answer(place, status, body),
            InFlight::Live(live) => self.handle_live_answer(live, status, body),
        }
    }

    fn handle_call_answer(&mut self, place: u64, status: u16, body: Option<&RawValue>) {
        match Verdict::of(status) {
            Verdict::Done => {
                if let Some(call) = self.queue.take(place) {
                    self.finish(call.answer(body));
                }
            }
            Verdict::Refused => self.refuse_call(place, refused(status, body)),
            Verdict::Unauthenticated => {
                self.queue.requeue(place);
                self.handle_expired();
            }
            verdict @ (Verdict::Busy | Verdict::Failed) => {
                let failed = verdict == Verdict::Failed;
                let later = self
                    .queue
                    .retry_later(self.now, place, failed, &mut self.rng);
                if later.is_err() {
                    self.refuse_call(place, refused(status, body));
                }
            }
        }
    }

    fn refuse_call(&mut self, place: u64, refused: Refused) {
        if let Some(call) = self.queue.take(place) {
            self.finish(call.refuse(refused));
        }
    }

    /// Takes what became of requests, and resolves the calls of which this was the last one.
    pub(super) fn finish(&mut self, outcomes: Vec<Outcome>) {
        for (request, result) in outcomes {
            self.finish_one(request, result);
        }
    }

    fn finish_one(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        let Some(call) = self.calls.get_mut(&request) else {
            return;
        };
        call.remaining = call.remaining.saturating_sub(1);
        if call.result.is_ok() {
            call.result = result;
        }
        if call.remaining == 0
            && let Some(call) = self.calls.remove(&request)
        {
            self.resolve(request, call.result);
        }
    }

    fn handle_live_answer(&mut self, mut live: LiveRequest, status: u16, body: Option<&RawValue>) {
        match Verdict::of(status) {
            Verdict::Done => {
                self.live_large_losses.remove(&live.request.path);
                self.live.handle_answer(self.now, live.fetch, Ok(body));
            }
            Verdict::Unauthenticated => {
                self.live_ready.push_back(live);
                self.handle_expired();
            }
            Verdict::Failed if live.failures + 1 >= MAX_FAILURES => {
                self.refuse_live(&live, refused(status, body));
            }
            verdict @ (Verdict::Busy | Verdict::Failed) => {
                live.failures += u32::from(verdict == Verdict::Failed);
                let at = self.now + live.retry.next_delay(&mut self.rng);
                self.live_retries.push((at, live));
            }
            Verdict::Refused => self.refuse_live(&live, refused(status, body)),
        }
    }

    fn refuse_live(&mut self, live: &LiveRequest, refused: Refused) {
        self.live
            .handle_answer(self.now, live.fetch, Err(RequestError::Refused(refused)));
    }

    /// Applies a publish as one step, unless it was applied before. After a gap in the numbers
    /// something was missed: everything that is shown is fetched anew.
    fn handle_publish(&mut self, number: u64, events: &[&RawValue]) {
        let Some(open) = self.link.open() else { return };
        let (socket, last) = (open.socket, open.last_publish);
        if last.is_none_or(|last| number > last) {
            open.last_publish = Some(number);
        }
        self.send_frame(socket, encode_ack(number));
        if last.is_some_and(|last| number <= last) {
            return self.skip(Skipped::RepeatedPublish);
        }
        let events = self.read_events(events);
        self.live.handle_events(self.now, events);
        let is_gap = last.is_some_and(|last| number > last + 1);
        if is_gap && self.link.is_ready() {
            self.resync_live();
        }
    }

    /// The events of a publish; those about the connection are seen to.
    fn read_events(&mut self, raw: &[&RawValue]) -> Vec<ServerEvent> {
        let mut events = Vec::with_capacity(raw.len());
        for raw in raw {
            match ServerEvent::parse(raw) {
                Ok(ServerEvent::SessionExpired) => self.handle_expired(),
                Ok(ServerEvent::UpstreamRestarting) => self.reconnect.announce_restart(),
                Ok(event) => events.push(event),
                Err(EventError::Malformed) => self.skip(Skipped::Event),
                Err(EventError::UnknownType(kind)) => {
                    let kind = kind.chars().take(MAX_KIND).collect();
                    self.skip(Skipped::UnknownEvent { kind });
                }
            }
        }
        events
    }

    /// Subscribes to and fetches anew everything that is shown.
    pub(super) fn resync_live(&mut self) {
        if let Some(open) = self.link.open() {
            open.forget_live();
        }
        self.live_ready.clear();
        self.live_retries.clear();
        self.live.handle_lost(self.now);
        self.live.handle_ready(self.now);
    }

    /// Whether this request of the live half may be sent; if not it is answered here.
    pub(super) fn may_send_live(&mut self, live: &LiveRequest) -> bool {
        let too_large = live.request.method == Method::Get && self.is_too_large(&live.request.path);
        if too_large {
            let error = TransportError::FrameTooLarge.into();
            self.live.handle_answer(self.now, live.fetch, Err(error));
        }
        !too_large
    }
}

/// The refusal that an answer tells.
pub(super) fn refused(status: u16, body: Option<&RawValue>) -> Refused {
    let Refusal {
        error_code,
        reasons,
    } = Refusal::parse(body);
    Refused::new(status, error_code, reasons)
}
