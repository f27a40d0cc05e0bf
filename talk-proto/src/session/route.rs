//! Routing between the parts of a session.

use std::fmt::Write as _;

use super::Session;
use crate::command::{Reply, RequestId};
use crate::connection::{ConnectionOutput, Loss, Received};
use crate::error::RequestError;
use crate::fault_injection::FaultInjection;
use crate::http::HttpPurpose;
use crate::io::{Event, Output, SocketId};
use crate::live::interface::LiveOutput;
use crate::requests::{CallPurpose, CallResult, LiveAnswer};
use crate::secret::Secret;
use crate::wire::Published;
use crate::wire::path::encode_component;

impl Session {
    /// Returns `true` if a request or subscription needs a connection.
    pub(super) fn needs_connection(&self) -> bool {
        !self.queue.is_empty() || !self.live.is_idle() || self.durable.needs_connection()
    }

    /// Performs the effects of the connection.
    pub(super) fn drain_connection(&mut self) {
        while let Some(output) = self.connection.poll_output() {
            match output {
                ConnectionOutput::Emit(output) => self.outputs.push_back(output),
                ConnectionOutput::OpenSocket(socket) => {
                    let url = self.socket_url();
                    self.outputs.push_back(Output::OpenSocket { socket, url });
                    self.check_app();
                }
                ConnectionOutput::FetchAnonymousToken { signature } => {
                    let path = format!(
                        "/bokens/{}?signature={}",
                        encode_component(self.options.user_id.as_str()),
                        encode_component(signature.as_ref().map_or("", Secret::expose)),
                    );
                    self.send_internal(&path, HttpPurpose::AnonymousToken);
                }
                ConnectionOutput::CancelAnonymousToken => {
                    self.cancel_http(HttpPurpose::AnonymousToken);
                }
                ConnectionOutput::Ready { is_resumed } => {
                    if is_resumed {
                        // Events were missed while the token was not accepted.
                        self.resync_live();
                    } else {
                        self.live.handle_ready(self.now);
                    }
                    self.queue.handle_ready(self.now);
                }
                ConnectionOutput::Lost(loss) => self.handle_lost(loss),
                ConnectionOutput::End(error) => self.end(error),
            }
        }
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

    /// Handles the loss of the connection. Requests in flight are sent again on the next one.
    fn handle_lost(&mut self, loss: Loss) {
        let live = &self.live;
        self.queue
            .handle_loss_cause(loss.cause, |fetch| live.expects(fetch));
        self.drain_results();
        let reads = self.queue.handle_lost();
        self.cancel_live_reads(reads);
        if !FaultInjection::SkippedResubscribe.is_on() {
            self.live.handle_lost(self.now);
        }
        self.withdraw_entries();
        self.restart_inboxes();
        if let Some(reason) = loss.reason
            && self.needs_connection()
        {
            self.connection.reconnect(self.now, reason, &mut self.rng);
        }
    }

    /// Handles a frame. Returns `true` if at most live snapshots changed.
    pub(super) fn handle_frame(&mut self, socket: SocketId, text: &str) -> bool {
        let limit = self.options.limits.frame_size;
        let received = self
            .connection
            .handle_frame(self.now, socket, text, limit, &mut self.rng);
        self.drain_connection();
        if self.ended.is_some() {
            return false;
        }
        match received {
            Received::Nothing => {}
            Received::Answer(slot, answer) => {
                let rng = &mut self.rng;
                let answer = self.queue.handle_answer(self.now, slot, answer, rng);
                self.handle_answer(answer);
            }
            Received::Unreadable(slot, error) => {
                let answer = self.queue.fail(slot, error.into());
                self.handle_answer(answer);
            }
            Received::Publish {
                number,
                events,
                effect,
            } => {
                self.handle_events(number, events);
                if effect.has_gap {
                    self.resync_live();
                }
                return effect.is_plain;
            }
            Received::LargePublish => self.resync_live(),
        }
        false
    }

    fn handle_answer(&mut self, answer: Option<LiveAnswer<'_>>) {
        if let Some((fetch, answer)) = answer {
            self.live.handle_answer(self.now, fetch, answer);
        }
        self.drain_results();
    }

    /// Applies the events of a publish as one step.
    fn handle_events(&mut self, number: u64, mut events: Vec<Published>) {
        if !FaultInjection::DroppedDiff.is_on_for(number) {
            self.note_server_times(&events);
            if let Some(inboxes) = &mut self.durable.inboxes {
                inboxes.handle_events(self.now, &events);
            }
            self.live.handle_events(self.now, events.drain(..));
        }
        self.connection.recycle(events);
    }

    /// Resubscribes and fetches all visible data again. Without authentication this does nothing,
    /// because authentication triggers it later.
    fn resync_live(&mut self) {
        if !self.connection.is_ready() {
            return;
        }
        let reads = self.queue.restart_live();
        self.cancel_live_reads(reads);
        self.live.handle_lost(self.now);
        self.live.handle_ready(self.now);
        if let Some(outbox) = &mut self.durable.outbox {
            outbox.restart_searches();
        }
        self.restart_inboxes();
    }

    /// Cancels in the live half the reads that the queue will send again.
    fn cancel_live_reads(&mut self, reads: Vec<RequestId>) {
        for read in reads {
            if self.live.cancel(self.now, read) == Some(true) {
                self.queue.note_read_sent(read);
            }
        }
    }

    /// Emits the events of the live half and queues its requests.
    pub(super) fn drain_live(&mut self) {
        while let Some(output) = self.live.poll_output() {
            match output {
                LiveOutput::Event(Event::Resolved { request, result }) => {
                    if let Some(purpose) = self.queue.finish_live_call(request) {
                        self.handle_result(request, purpose, result);
                    }
                }
                LiveOutput::Event(mut event) => {
                    self.cache_event(&mut event);
                    self.emit(event);
                }
                LiveOutput::ForgetEntity(path) => self.queue.forget_entity(&path),
                LiveOutput::ForgetUser(user) => self.queue.forget_user(&user),
                LiveOutput::Page { seq, page } => {
                    if let Some(outbox) = &mut self.durable.outbox {
                        outbox.handle_page(self.now, seq, *page);
                    }
                }
                LiveOutput::Inbox { token, answer } => {
                    if let Some(inboxes) = &mut self.durable.inboxes {
                        inboxes.handle_answer(self.now, token, *answer);
                    }
                }
                LiveOutput::Send { fetch, request } => {
                    if let Err((fetch, answer)) = self.queue.push_live(fetch, request) {
                        self.live.handle_answer(self.now, fetch, answer);
                    }
                }
            }
        }
    }

    /// Sends requests as long as the connection and pacing allow.
    pub(super) fn send_requests(&mut self) {
        if self.connection.is_ready() {
            let live = &self.live;
            self.queue
                .handle_timeout(self.now, |fetch| live.expects(fetch));
        }
        while self.connection.is_ready() {
            while let Some((request, get)) = self.queue.pop_read() {
                self.live.get(self.now, request, get);
            }
            self.drain_live();
            let Some(slot) = self.queue.pop(self.now) else {
                break;
            };
            let queue = &mut self.queue;
            let encode = |seq| queue.encode(slot, seq);
            self.connection.send_request(self.now, slot, encode);
            self.drain_connection();
        }
    }

    fn drain_results(&mut self) {
        while let Some(result) = self.queue.poll_result() {
            let CallResult {
                request,
                purpose,
                result,
            } = result;
            self.handle_result(request, purpose, result);
        }
    }

    /// Passes the result of a call to the part that made it.
    pub(super) fn handle_result(
        &mut self,
        request: RequestId,
        purpose: CallPurpose,
        mut result: Result<Reply, RequestError>,
    ) {
        match purpose {
            CallPurpose::User => self.resolve(request, result),
            CallPurpose::Outbox { seq } => {
                self.mask_token(&mut result);
                if let Some(outbox) = &mut self.durable.outbox {
                    outbox.handle_result(self.now, seq, result);
                }
            }
            CallPurpose::Inbox { lookup } => {
                if let Some(inboxes) = &mut self.durable.inboxes {
                    inboxes.handle_lookup(self.now, lookup, result);
                }
            }
            CallPurpose::UploadCheck | CallPurpose::EntryUploadCheck => {
                self.on_upload_checked(request, result);
            }
            CallPurpose::SearchLookup { search, slot } => {
                self.on_search_lookup(search, slot, result);
            }
        }
    }
}
