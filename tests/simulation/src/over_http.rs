//! Requests over HTTP: the app check, anonymous tokens, searches and uploads.

use std::time::Duration;

use bytes::Bytes;
use talk_emulator::server::{FileMetadata, HttpRequest, HttpResponse};
use talk_proto::{HttpBody, HttpFailure, HttpId, Input, RequestId, Timestamp};

use super::broken::broken;
use super::entry_files::uploaded_name;
use super::mail::{Address, Mail};
use super::net::HttpRule;
use super::world::World;

impl World {
    pub(super) fn deliver_mail(&mut self, mail: Mail) {
        match mail {
            Mail::Connect(client, socket) => self.connect(client, socket),
            Mail::ConnectFailed(client, socket) => {
                if self.at(client).is_some() {
                    let cause = talk_proto::SocketClosed::ConnectFailed("refused".to_owned());
                    self.input(client.who, Input::SocketClosed { socket, cause });
                }
            }
            Mail::Token(client, fetch, token) => self.deliver_token(client, fetch, token),
            Mail::HttpRequest(client, http, request) => self.serve_http(client, http, *request),
            Mail::HttpHead(client, http, status) => {
                self.http_input(client, Input::HttpHead { http, status });
            }
            Mail::HttpChunk(client, http, chunk) => {
                self.http_input(client, Input::HttpChunk { http, chunk });
            }
            Mail::HttpEnd(client, http) => self.http_input(client, Input::HttpEnd { http }),
            Mail::HttpFailed(client, http, failure) => {
                self.http_input(client, Input::HttpFailed { http, failure });
            }
            Mail::FileChecked(process, request, has_changed) => {
                self.deliver_file_checked(process, request, has_changed);
            }
            Mail::Execute(process, id, statement, answered_after) => {
                self.execute_statement(process, id, statement, answered_after);
            }
            Mail::Answer(process, id, answer) => self.deliver_answer(process, id, answer),
            Mail::Write(process) => self.write(process),
            Mail::StoreAnswer(process, batch, answer) => {
                self.deliver_store_answer(process, batch, answer);
            }
        }
    }

    fn http_input(&mut self, client: Address, input: Input<'_>) {
        if self.at(client).is_some() {
            self.input(client.who, input);
        }
    }

    /// Serves a request over HTTP, or applies the next rule instead.
    fn serve_http(&mut self, client: Address, http: HttpId, request: http::Request<HttpBody>) {
        let is_upload = matches!(request.body(), HttpBody::Upload { .. });
        let name = uploaded_name(request.body());
        let rule = self.nets[client.who].http_rules.pop_front();
        let network = || HttpFailure::Network("the connection broke".to_owned());
        let (mut at, now) = (self.arrival(client.who), self.now);
        let response = match rule {
            Some(HttpRule::Lose) => {
                return self
                    .mailbox
                    .put(at, Mail::HttpFailed(client, http, network()));
            }
            // An upload may take an hour: in the core it has no timeout, because the driver detects
            // stalls.
            Some(HttpRule::Silence) if is_upload => {
                let at = now + Duration::from_secs(30);
                return self
                    .mailbox
                    .put(at, Mail::HttpFailed(client, http, network()));
            }
            Some(HttpRule::Silence) => return,
            Some(HttpRule::Source) if is_upload => {
                if let (Some(name), Some(stores)) = (&name, &mut self.stores) {
                    stores.files.note_unreadable(name);
                }
                let failure = HttpFailure::Source("it cannot be read".to_owned());
                return self
                    .mailbox
                    .put(at, Mail::HttpFailed(client, http, failure));
            }
            Some(HttpRule::Refuse(status)) => {
                self.clients[client.who].auth_failures += u32::from(status == 401);
                if request.uri().path().contains("/bokens/") {
                    // A session without another source of tokens may end here.
                    self.clients[client.who].may_end |= matches!(status, 400..=428);
                }
                refusal(status)
            }
            _ => self.respond(client, request),
        };
        if let (Some(name), Some(stores)) = (&name, &mut self.stores) {
            stores.files.answered(name, &response);
        }
        if rule == Some(HttpRule::Late) {
            at = now + Duration::from_millis(self.rng.u64(1_000..70_000));
        }
        let breaks_off = rule == Some(HttpRule::BreakOff);
        self.send_response(client, http, response, at, breaks_off);
    }

    fn respond(&mut self, client: Address, request: http::Request<HttpBody>) -> HttpResponse {
        let (parts, body) = request.into_parts();
        let request = HttpRequest::from_parts(parts, Bytes::new());
        let name = uploaded_name(&body);
        let response = match body {
            HttpBody::Empty | HttpBody::Bytes(_) => self.server.http(self.now, &request),
            HttpBody::Upload {
                request: upload,
                preamble,
                length,
                epilogue,
                ..
            } => {
                let whole = preamble.len() as u64 + length + epilogue.len() as u64;
                let told = request.headers().get(http::header::CONTENT_LENGTH);
                let told = told.and_then(|length| length.to_str().ok()?.parse().ok());
                if told.is_some_and(|told: u64| told != whole) {
                    broken(
                        "Content-Length is the length of the form",
                        upload_name(upload),
                    );
                }
                let file = match name {
                    Some(name) => Some((name, length)),
                    None => {
                        let upload = self.uploads.get(&(client.who, upload));
                        upload.map(|upload| (upload.filename.clone(), upload.size))
                    }
                };
                self.receive(file, &request)
            }
        };
        self.post();
        response
    }

    /// Stores an uploaded file on the server.
    fn receive(&mut self, file: Option<(String, u64)>, request: &HttpRequest) -> HttpResponse {
        let permit = match self.server.begin_upload(self.now, request) {
            Ok(permit) => permit,
            Err(response) => return *response,
        };
        let Some((filename, size)) = file else {
            return refusal(400);
        };
        let file = FileMetadata {
            filename,
            size,
            content_type: "application/octet-stream".to_owned(),
            subtype: None,
            width: None,
            height: None,
            duration: None,
        };
        match self.server.finish_upload(self.now, &permit, file) {
            Ok(stored) => stored.response,
            Err(response) => *response,
        }
    }

    /// Sends the answer in pieces of random sizes.
    fn send_response(
        &mut self,
        client: Address,
        http: HttpId,
        response: HttpResponse,
        at: Timestamp,
        breaks_off: bool,
    ) {
        let status = response.status().as_u16();
        let mut body: Bytes = response.into_body().concat().into();
        let mut at = at;
        if breaks_off {
            body.truncate(self.rng.usize(..=body.len()));
        }
        self.mailbox.put(at, Mail::HttpHead(client, http, status));
        while !body.is_empty() {
            at = at + Duration::from_millis(self.rng.u64(0..30));
            let chunk = body.split_to(self.rng.usize(1..=body.len()));
            self.mailbox.put(at, Mail::HttpChunk(client, http, chunk));
        }
        let last = if breaks_off {
            let failure = HttpFailure::Network("the answer broke off".to_owned());
            Mail::HttpFailed(client, http, failure)
        } else {
            Mail::HttpEnd(client, http)
        };
        self.mailbox.put(at, last);
    }
}

fn upload_name(upload: RequestId) -> String {
    format!("{upload:?}")
}

fn refusal(status: u16) -> HttpResponse {
    let body = Bytes::from_static(br#"{"errorCode":"INJECTED","reasons":[]}"#);
    let mut response = HttpResponse::new(vec![body]);
    if let Ok(status) = http::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response
}
