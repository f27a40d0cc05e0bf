//! Uploads: asking whether the file is welcome, then sending it over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::authorized::{Exchange, Sending};
use super::{CallPurpose, OpenCall, Session};
use crate::command::{Reply, RequestId};
use crate::connection::{Reconnect, Verdict, validation};
use crate::error::{CommandError, RequestError, ServerError, TransportError};
use crate::io::{HttpBody, HttpFailure, HttpId, Output};
use crate::timestamp::Timestamp;
use crate::upload::{Form, Upload};

/// A file is sent this often before the upload fails.
const MAX_ATTEMPTS: u32 = 5;
/// An answer that has begun goes on within this time. Until it begins the driver watches, who sees
/// bytes move.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The uploads of a session that are not resolved.
#[derive(Default)]
pub(super) struct Uploads {
    runs: BTreeMap<RequestId, Run>,
}

struct Run {
    upload: Upload,
    /// The HTTP request, once the file is welcome.
    exchange: Option<Exchange>,
    attempts: u32,
    backoff: Reconnect,
    retry_at: Option<Timestamp>,
}

impl Uploads {
    /// Whether an upload waits for a token.
    pub(super) fn want_token(&self) -> bool {
        self.exchanges().any(|exchange| exchange.http.is_none())
    }

    /// Uploads that are past the question whether they are welcome.
    pub(super) fn pending(&self) -> usize {
        self.exchanges().count()
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let retries = self.runs.values().filter_map(|run| run.retry_at);
        let answers = self.exchanges().filter_map(answer_due);
        retries.chain(answers).min()
    }

    fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.runs.values().filter_map(|run| run.exchange.as_ref())
    }

    /// The server's no, when it came before the exchange broke off: who refuses a file need not
    /// read it to its end.
    fn refusal(&self, request: RequestId) -> Option<ServerError> {
        let exchange = self.runs.get(&request)?.exchange.as_ref()?;
        let status = exchange.status?;
        match Verdict::of(status) {
            Verdict::Refused | Verdict::Unauthenticated => Some(exchange.refused(status)),
            Verdict::Done | Verdict::Busy | Verdict::Failed => None,
        }
    }

    /// Whether the server has said that it took the file.
    fn is_stored(&self, request: RequestId) -> bool {
        let exchange = self
            .runs
            .get(&request)
            .and_then(|run| run.exchange.as_ref());
        let status = exchange.and_then(|exchange| exchange.status);
        status.is_some_and(|status| matches!(Verdict::of(status), Verdict::Done))
    }

    /// The upload that `http` carries.
    fn by_http(&mut self, http: HttpId) -> Option<(RequestId, &Upload, &mut Exchange)> {
        self.runs.iter_mut().find_map(|(request, run)| {
            let exchange = run.exchange.as_mut().filter(|e| e.http == Some(http))?;
            Some((*request, &run.upload, exchange))
        })
    }
}

/// Until when an answer that has begun has to go on.
fn answer_due(exchange: &Exchange) -> Option<Timestamp> {
    let has_begun = exchange.http.is_some() && exchange.status.is_some();
    has_begun.then(|| exchange.heard + ANSWER_WITHIN)
}

impl Session {
    /// Uploads a file: asks whether it is welcome, then wants it sent with [`HttpBody::Upload`].
    /// Resolved with [`Reply::Uploaded`].
    ///
    /// A file that is not welcome is refused before a byte of it is sent. After a network fault it
    /// is sent again, up to five times, if it can be read again and the server cannot have all of
    /// it: the protocol has no way to tell a server that two uploads are one.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::{Upload, UploadKind};
    ///
    /// let report = Upload::new(UploadKind::File, "report.pdf", 12_345);
    /// let request = session.upload(now, report.content_type("application/pdf"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`].
    pub fn upload(&mut self, now: Timestamp, upload: Upload) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let request = RequestId(self.take_id());
        let place = self.queue.push(validation(request, &upload));
        let call = OpenCall {
            purpose: CallPurpose::UploadCheck,
            places: vec![place],
            remaining: 1,
            result: Ok(Reply::Done),
        };
        self.calls.insert(request, call);
        let backoff = Reconnect::default();
        let run = Run {
            upload,
            exchange: None,
            attempts: 0,
            backoff,
            retry_at: None,
        };
        self.uploads.runs.insert(request, run);
        Ok(request)
    }

    /// Handles the server's permission to upload, or its refusal.
    pub(super) fn on_upload_checked(
        &mut self,
        request: RequestId,
        result: Result<Reply, RequestError>,
    ) {
        if result.is_err() {
            self.uploads.runs.remove(&request);
            self.resolve(request, result);
        } else if let Some(run) = self.uploads.runs.get_mut(&request) {
            run.exchange = Some(Exchange::new("/files".to_owned(), self.now));
        }
    }

    /// Sends the files that wait for a token or a retry, and gives up on silent servers.
    pub(super) fn settle_uploads(&mut self) {
        let now = self.now;
        for request in self.uploads.runs.keys().copied().collect::<Vec<_>>() {
            if let Some(run) = self.uploads.runs.get_mut(&request)
                && let Some(exchange) = &run.exchange
            {
                if exchange.http.is_some() {
                    if answer_due(exchange).is_some_and(|due| due <= now) {
                        self.lose_answer(request, "the answer broke off");
                    }
                } else if run.retry_at.is_none_or(|at| at <= now) {
                    run.retry_at = None;
                    self.send_upload(request);
                }
            }
        }
    }

    fn send_upload(&mut self, request: RequestId) {
        match self.next_attempt(request) {
            None => {}
            Some(Ok((http, request))) => self.send_http(http, request),
            Some(Err(error)) => self.fail_upload(request, error.into()),
        }
    }

    /// The request that sends the file, once there is a token.
    fn next_attempt(&mut self, request: RequestId) -> Option<Result<Sending, TransportError>> {
        let token = self.auth.token().cloned()?;
        let http = HttpId(self.take_id());
        let rest_of_app = self.rest_of_app();
        let run = self.uploads.runs.get_mut(&request)?;
        let exchange = run.exchange.as_mut()?;
        run.attempts += 1;
        let form = Form::new(&run.upload, &mut self.rng);
        let body = HttpBody::Upload {
            request,
            preamble: form.preamble,
            length: run.upload.size,
            epilogue: form.epilogue,
        };
        let builder = http::Request::builder()
            .method("POST")
            .header(CONTENT_TYPE, form.content_type);
        Some(exchange.send(self.now, http, token, &rest_of_app, builder, body))
    }

    /// The head of an upload's answer. Whether `http` is an upload's.
    pub(super) fn handle_upload_head(&mut self, http: HttpId, status: u16) -> bool {
        let now = self.now;
        let Some((_, upload, exchange)) = self.uploads.by_http(http) else {
            return false;
        };
        exchange.heard = now;
        exchange.status = Some(status);
        if status == 401
            && upload.can_rewind
            && let Some(rejected) = exchange.reject_token()
        {
            self.outputs.push_back(Output::CancelHttp { http });
            self.handle_rejected_over_http(&rejected);
        }
        true
    }

    /// A piece of an upload's answer. Whether `http` is an upload's.
    pub(super) fn handle_upload_chunk(&mut self, http: HttpId, chunk: &Bytes) -> bool {
        let now = self.now;
        let Some((_, _, exchange)) = self.uploads.by_http(http) else {
            return false;
        };
        exchange.heard = now;
        exchange.keep(chunk);
        // Whoever refuses a file says so while it comes in. The rest of it is not sent.
        if exchange.has_whole_refusal() {
            self.outputs.push_back(Output::CancelHttp { http });
            return self.handle_upload_end(http);
        }
        true
    }

    /// The end of an upload's answer. Whether `http` is an upload's.
    pub(super) fn handle_upload_end(&mut self, http: HttpId) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            file_token: String,
        }

        let Some((request, _, exchange)) = self.uploads.by_http(http) else {
            return false;
        };
        exchange.http = None;
        let status = exchange.status.unwrap_or(0);
        let failure = match Verdict::of(status) {
            Verdict::Done => match serde_json::from_slice::<Body>(exchange.body()) {
                Ok(body) => {
                    self.uploads.runs.remove(&request);
                    self.resolve(
                        request,
                        Ok(Reply::Uploaded {
                            file_token: body.file_token.into(),
                        }),
                    );
                    return true;
                }
                Err(_) => TransportError::Malformed.into(),
            },
            Verdict::Busy | Verdict::Failed => {
                let error = exchange.refused(status).into();
                self.retry_upload(request, error);
                return true;
            }
            Verdict::Refused | Verdict::Unauthenticated => exchange.refused(status).into(),
        };
        self.fail_upload(request, failure);
        true
    }

    /// An upload's exchange broke off. Whether `http` is an upload's.
    pub(super) fn handle_upload_failure(&mut self, http: HttpId, failure: &HttpFailure) -> bool {
        let Some((request, _, exchange)) = self.uploads.by_http(http) else {
            return false;
        };
        exchange.http = None;
        if let Some(refused) = self.uploads.refusal(request) {
            self.fail_upload(request, refused.into());
            return true;
        }
        match failure {
            HttpFailure::Network(reason) if self.uploads.is_stored(request) => {
                self.lose_answer(request, reason);
            }
            HttpFailure::Network(reason) => {
                self.retry_upload(request, TransportError::Http(reason.clone()).into());
            }
            HttpFailure::Stalled { after } => {
                let stalled = TransportError::Deadline {
                    after: *after,
                    maybe_happened: false,
                };
                self.retry_upload(request, stalled.into());
            }
            HttpFailure::Unanswered(reason) => self.lose_answer(request, reason),
            HttpFailure::Source(reason) => {
                self.fail_upload(request, TransportError::Source(reason.clone()).into());
            }
        }
        true
    }

    /// The server may have stored the file, and nobody knows under which name.
    fn lose_answer(&mut self, request: RequestId, reason: &str) {
        let error = match self.uploads.refusal(request) {
            Some(refused) => refused.into(),
            None => TransportError::AnswerLost(reason.to_owned()).into(),
        };
        self.fail_upload(request, error);
    }

    /// Sends the file again after a while, if it can be read again and was not sent too often.
    fn retry_upload(&mut self, request: RequestId, error: RequestError) {
        let run = self.uploads.runs.get_mut(&request);
        let again = run.filter(|run| run.upload.can_rewind && run.attempts < MAX_ATTEMPTS);
        let Some(run) = again else {
            return self.fail_upload(request, error);
        };
        run.retry_at = Some(self.now + run.backoff.next_delay(&mut self.rng));
        if let Some(exchange) = &mut run.exchange {
            exchange.wait_for_token();
        }
    }

    fn fail_upload(&mut self, request: RequestId, error: RequestError) {
        if self.stop_upload(request).is_some() {
            self.resolve(request, Err(error));
        }
    }

    /// Forgets an upload. Whether a byte of it may have been sent.
    pub(super) fn stop_upload(&mut self, request: RequestId) -> Option<bool> {
        let run = self.uploads.runs.remove(&request)?;
        if let Some(http) = run.exchange.and_then(|exchange| exchange.http) {
            self.outputs.push_back(Output::CancelHttp { http });
        }
        Some(run.attempts > 0)
    }

    /// The session is over: every upload that is past the queue fails.
    pub(super) fn end_uploads(&mut self, error: &RequestError) {
        for request in self.uploads.runs.keys().copied().collect::<Vec<_>>() {
            self.fail_upload(request, error.clone());
        }
    }
}
