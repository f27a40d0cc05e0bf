//! What comes in on the socket: answers and publishes.

use serde_json::value::RawValue;

use super::Session;
use crate::command::{Reply, RequestId};
use crate::connection::{InFlight, LiveRequest, Outcome, Verdict};
use crate::error::{RequestError, ServerError, TransportError};
use crate::fault_injection::FaultInjection;
use crate::io::{Event, ProtocolWarning, SocketId};
use crate::timestamp::Timestamp;
use crate::wire::{
    EventError, FrameHead, Method, Published, Refusal, Request, ServerEvent, ServerFrame,
    encode_ack,
};

/// A live request that the server fails to answer is tried this often.
const MAX_FAILURES: u32 = 10;
/// The longest part of an unknown event's type that is told.
const MAX_KIND: usize = 64;

impl Session {
    /// Takes a frame. Whether nothing changed but what is shown.
    pub(super) fn handle_frame(&mut self, socket: SocketId, text: &str) -> bool {
        let now = self.now;
        let is_current = |id| id == socket || FaultInjection::StaleGeneration.is_on();
        let Some(open) = self.link.open().filter(|open| is_current(open.socket)) else {
            return false;
        };
        open.heartbeat.heard(now);
        self.counters.frames_received += 1;
        self.counters.bytes_received += text.len() as u64;
        if text.len() > self.options.limits.frame_size {
            self.skip_large(text);
            return false;
        }
        match self.frames.read(text) {
            Some(ServerFrame::Answer { seq, status, body }) => {
                self.handle_answer(seq, status, body);
            }
            Some(ServerFrame::Publish { number, events }) => {
                return self.handle_publish(number, events);
            }
            None => self.skip(ProtocolWarning::Frame),
        }
        false
    }

    fn skip(&mut self, what: ProtocolWarning) {
        self.emit(Event::Warning(what));
    }

    /// A frame that is too large is not read, but whoever waits for it must not wait for ever.
    fn skip_large(&mut self, text: &str) {
        self.skip(ProtocolWarning::LargeFrame { size: text.len() });
        match FrameHead::parse(text) {
            Some(FrameHead::Answer { seq }) => self.handle_large_answer(seq),
            Some(FrameHead::Publish { number }) if self.accept_publish(number).is_some() => {
                self.resync_live();
            }
            Some(FrameHead::Publish { .. }) | None => {}
        }
    }

    fn handle_large_answer(&mut self, seq: u64) {
        let Some(open) = self.link.open() else { return };
        let error = RequestError::Transport(TransportError::FrameTooLarge);
        match open.in_flight.remove(&seq) {
            // As if the server had failed: it is tried again.
            Some(InFlight::Renew) => self.handle_renewed(500, None),
            Some(InFlight::Call(place)) => self.fail_call(place, &error),
            Some(InFlight::Live(live)) => {
                self.live.handle_answer(self.now, live.fetch, Err(error));
            }
            Some(InFlight::Ping | InFlight::Forgotten) | None => {}
        }
    }

    fn handle_answer(&mut self, seq: u64, status: u16, body: Option<&RawValue>) {
        let Some(open) = self.link.open() else { return };
        let is_current = seq >= open.renewed_from;
        let Some(what) = open.in_flight.remove(&seq) else {
            return self.skip(ProtocolWarning::Answer);
        };
        if matches!(what, InFlight::Renew) {
            return self.handle_renewed(status, body);
        }
        if Verdict::of(status) != Verdict::Unauthenticated {
            self.auth.prove();
        } else if is_current {
            // What was asked before the last renewal says nothing about the token.
            self.handle_expired();
            if self.ended.is_some() {
                return;
            }
        }
        match what {
            InFlight::Renew | InFlight::Ping | InFlight::Forgotten => {}
            InFlight::Call(place) => self.handle_call_answer(place, status, body),
            InFlight::Live(live) => self.handle_live_answer(live, seq, status, body),
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
            Verdict::Unauthenticated => match self.queue.reject(place) {
                Ok(()) => self.counters.retries += 1,
                Err(_) => self.refuse_call(place, refused(status, body)),
            },
            verdict @ (Verdict::Busy | Verdict::Failed) => {
                let failed = verdict == Verdict::Failed;
                let later = self
                    .queue
                    .retry_later(self.now, place, failed, &mut self.rng);
                match later {
                    Ok(()) => self.counters.retries += 1,
                    Err(_) => self.refuse_call(place, refused(status, body)),
                }
            }
        }
    }

    fn refuse_call(&mut self, place: u64, refused: ServerError) {
        if let Some(call) = self.queue.take(place) {
            self.finish(call.refuse(refused));
        }
    }

    pub(super) fn fail_call(&mut self, place: u64, error: &RequestError) {
        if let Some(call) = self.queue.take(place) {
            self.finish(call.fail(error));
        }
    }

    /// Takes what became of requests, and resolves the calls of which this was the last one.
    fn finish(&mut self, outcomes: Vec<Outcome>) {
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
            && !FaultInjection::LeakedRequest.is_on_for(request.0)
        {
            self.handle_result(request, call.purpose, call.result);
        }
    }

    fn handle_live_answer(
        &mut self,
        mut live: LiveRequest,
        seq: u64,
        status: u16,
        body: Option<&RawValue>,
    ) {
        let verdict = Verdict::of(status);
        if verdict == Verdict::Done {
            self.live_rejections.forget(&live.request);
            if live.request.method == Method::Get {
                self.forget_large_losses(&live.request);
            }
        }
        if matches!(verdict, Verdict::Done | Verdict::Refused)
            && let Some(at) = self.fetches_again_at(&live.request, seq)
        {
            // What happens until then would be missed, be it that the thing comes to be: it is
            // fetched again behind.
            return self.live_retries.push((at, live));
        }
        match verdict {
            Verdict::Done => self.live.handle_answer(self.now, live.fetch, Ok(body)),
            Verdict::Unauthenticated if self.has_no_token_for(&live.request, seq) => {
                self.refuse_live(&live, refused(status, body));
            }
            Verdict::Unauthenticated => {
                self.counters.retries += 1;
                self.live_ready.push_back(live);
            }
            Verdict::Failed if live.failures + 1 >= MAX_FAILURES => {
                self.refuse_live(&live, refused(status, body));
            }
            verdict @ (Verdict::Busy | Verdict::Failed) => {
                self.counters.retries += 1;
                live.is_retry = true;
                live.failures += u32::from(verdict == Verdict::Failed);
                let at = self.now + live.retry.next_delay(&mut self.rng);
                self.live_retries.push((at, live));
            }
            Verdict::Refused => self.refuse_live(&live, refused(status, body)),
        }
    }

    /// Whether token after token was not accepted for this request, the last time as number `seq`.
    fn has_no_token_for(&mut self, request: &Request, seq: u64) -> bool {
        self.link.open().is_some_and(|open| {
            let accepted = open.renewed_from;
            seq >= accepted && self.live_rejections.count(request, accepted)
        })
    }

    /// When to fetch again what the request with this number fetched: behind its subscription, if
    /// that could not be taken at first, and is tried again later, or was sent again since.
    fn fetches_again_at(&mut self, fetch: &Request, seq: u64) -> Option<Timestamp> {
        let subscribes_to_it = |request: &Request| {
            fetch.method == Method::Get
                && request.method == Method::Subscribe
                && request.path == fetch.path
        };
        let retries = self.live_retries.iter();
        let retries = retries.filter(|(_, retry)| subscribes_to_it(&retry.request));
        let later = retries.map(|(at, _)| *at).max();
        let mut since = self.link.open()?.in_flight.range(seq..);
        let was_sent = since.any(|(_, what)| match what {
            InFlight::Live(live) => live.is_retry && subscribes_to_it(&live.request),
            _ => false,
        });
        later.or(was_sent.then_some(self.now))
    }

    fn refuse_live(&mut self, live: &LiveRequest, refused: ServerError) {
        self.live
            .handle_answer(self.now, live.fetch, Err(RequestError::Server(refused)));
    }

    /// Applies a publish as one step, unless it was applied before. After a gap in the numbers
    /// something was missed: everything that is shown is fetched anew. Whether nothing changed but
    /// what is shown.
    fn handle_publish(&mut self, number: u64, mut events: Vec<Published>) -> bool {
        let Some(is_next) = self.accept_publish(number) else {
            self.skip(ProtocolWarning::RepeatedPublish);
            return false;
        };
        let count = events.len();
        self.see_to(&mut events);
        if self.ended.is_some() {
            return false;
        }
        let is_all = events.len() == count;
        if !FaultInjection::DroppedDiff.is_on_for(number) {
            let events = events.drain(..).flatten();
            self.live.handle_events(self.now, events);
        }
        self.frames.take_back(events);
        if !is_next {
            self.resync_live();
        }
        is_next && is_all
    }

    /// Acknowledges a publish. Whether it is the one after the last, which the first one is when
    /// its number is 1 or less; `None` when it came before.
    fn accept_publish(&mut self, number: u64) -> Option<bool> {
        let open = self.link.open()?;
        let last = open.last_publish;
        open.last_publish = last.max(Some(number));
        let socket = open.socket;
        if !FaultInjection::LostAck.is_on_for(number) {
            self.send_frame(socket, encode_ack(number));
        }
        match last {
            Some(last) if number <= last => None,
            last => Some(number - last.unwrap_or(0) <= 1),
        }
    }

    /// Takes out what does not concern what is shown, and sees to it.
    fn see_to(&mut self, events: &mut Vec<Published>) {
        events.retain(|event| {
            match event {
                Ok(ServerEvent::SessionExpired) => self.handle_expired(),
                Ok(ServerEvent::UpstreamRestarting) => self.reconnect.announce_restart(),
                Ok(_) => return true,
                Err(EventError::Malformed) => self.skip(ProtocolWarning::Event),
                Err(EventError::UnknownType(kind)) => {
                    let kind = kind.chars().take(MAX_KIND).collect();
                    self.skip(ProtocolWarning::UnknownEvent { kind });
                }
            }
            false
        });
    }

    /// Subscribes to and fetches anew everything that is shown. Without authentication nothing is
    /// done: it is all done once there is.
    pub(super) fn resync_live(&mut self) {
        let Some(open) = self.link.open().filter(|open| open.is_ready()) else {
            return;
        };
        open.forget_live();
        self.live_ready.clear();
        self.live_retries.clear();
        self.requeue_reads();
        self.live.handle_lost(self.now);
        self.live.handle_ready(self.now);
    }

    /// Whether this request of the live half may be sent; if not it is answered here.
    pub(super) fn may_send_live(&mut self, live: &LiveRequest) -> bool {
        let too_large = live.request.method == Method::Get && self.was_too_large(&live.request);
        if too_large {
            self.live_large_losses.remove(&live.request);
            let error = TransportError::FrameTooLarge.into();
            self.live.handle_answer(self.now, live.fetch, Err(error));
        }
        !too_large
    }
}

/// The refusal that an answer tells.
pub(super) fn refused(status: u16, body: Option<&RawValue>) -> ServerError {
    let Refusal {
        error_code,
        reasons,
    } = Refusal::parse(body);
    ServerError::new(status, error_code, reasons)
}
