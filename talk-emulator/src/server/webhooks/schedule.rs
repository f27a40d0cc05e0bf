//! The delivery of webhooks: attempts, time limits and retries.

use std::time::Duration;

use talk_proto::Timestamp;

use super::delivery::WebhookDelivery;
use super::request::{WebhookAnswer, WebhookAttemptId, WebhookRequest};
use crate::server::machine::Server;
use crate::server::output::Output;
use crate::server::timers::Timer;

/// The time limit of an answer.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The delay before the retry (our choice).
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Server {
    /// Handles the result of an attempt: the answer, or the reason for a missing answer. The result
    /// of an attempt that has already ended is ignored.
    pub fn webhook_answered(
        &mut self,
        now: Timestamp,
        attempt: WebhookAttemptId,
        result: Result<WebhookAnswer, String>,
    ) {
        self.advance(now);
        self.end_webhook_attempt(attempt, result);
        self.flush();
    }

    /// Returns the undelivered and the latest finished webhooks, oldest first. At most 1,000
    /// finished webhooks are kept, with 16 MiB in total.
    pub fn webhooks(&self) -> impl DoubleEndedIterator<Item = &WebhookDelivery> {
        self.webhooks.all()
    }

    /// Returns a webhook by the ID of its envelope.
    pub fn webhook(&self, id: &str) -> Option<&WebhookDelivery> {
        self.webhooks.get(id)
    }

    /// Returns the number of events that were discarded because the limit of 10,000 undelivered
    /// events or 64 MiB was reached.
    pub fn discarded_webhooks(&self) -> u64 {
        self.webhooks.discarded()
    }

    /// Delivers a finished webhook once more, with the same ID and body. Returns `false` if it is
    /// unknown. An undelivered one stays queued.
    pub fn resend_webhook(&mut self, now: Timestamp, id: &str) -> bool {
        self.advance(now);
        let is_known = self.webhooks.resend(id);
        self.flush();
        is_known
    }

    /// Begins attempts for the events that are ready. Without an address they wait.
    pub(in crate::server) fn start_webhooks(&mut self) {
        let back_end_time = self.back_end_time();
        if self.settings.webhooks.url.is_none() || self.webhooks.next_ready().is_none() {
            return;
        }
        let mut begun = Vec::new();
        loop {
            self.apply_webhook_faults();
            let Some((attempt, delivery)) = self.webhooks.begin(self.now) else {
                break;
            };
            if self.inspector.is_on() {
                begun.push(delivery.id.clone());
            }
            let url = self.settings.webhooks.url.as_deref().unwrap_or_default();
            let key = self.settings.webhook_key().unwrap_or_default();
            let request = WebhookRequest::new(url, key, back_end_time, &delivery.body);
            self.outputs
                .push_back(Output::SendWebhook { attempt, request });
            let limit = Timer::WebhookTimesOut(attempt);
            self.timers.set(self.now + TIME_LIMIT, limit);
        }
        for id in begun {
            self.note_webhook(&id);
        }
    }

    /// Delays the time limits of the attempts in flight. Called before the clock is advanced by
    /// this duration, because receivers answer in real time.
    pub fn postpone_webhook_limits(&mut self, by: Duration) {
        self.timers.postpone_webhook_limits(by);
    }

    /// Ends an attempt without an answer.
    pub(in crate::server) fn time_out_webhook(&mut self, attempt: WebhookAttemptId) {
        if self.webhooks.in_flight(attempt).is_some() {
            self.outputs.push_back(Output::CancelWebhook { attempt });
            let seconds = TIME_LIMIT.as_secs();
            let reason = format!("no answer within {seconds} s");
            self.end_webhook_attempt(attempt, Err(reason));
        }
    }

    fn end_webhook_attempt(
        &mut self,
        attempt: WebhookAttemptId,
        result: Result<WebhookAnswer, String>,
    ) {
        let id = self.webhooks.in_flight(attempt).map(str::to_owned);
        let retried = self.webhooks.finish(self.now, attempt, result);
        if let Some(id) = id {
            self.note_webhook(&id);
        }
        if let Some(id) = retried {
            let retry = Timer::WebhookRetries(id);
            self.timers.set(self.now + RETRY_DELAY, retry);
        }
    }

    /// Discards all webhooks and cancels the attempts in flight.
    pub(in crate::server) fn clear_webhooks(&mut self) {
        for attempt in self.webhooks.clear() {
            self.outputs.push_back(Output::CancelWebhook { attempt });
        }
    }
}
