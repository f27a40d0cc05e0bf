//! Recording of frames and other events.

use std::borrow::Cow;
use std::num::NonZero;

use http::{HeaderMap, Method, Uri, header};
use talk_proto::Timestamp;
use tracing::info;

use super::event::{ConnectionChange, InspectorEventBody};
use super::frame::{FrameDirection, FrameKind, RecordedFrame, RequestLine, cut};
use super::frame_entry::{FrameHead, ResponseHead, length};
use super::mask;
use super::requests::RecordedRequest;
use crate::server::fault::StruckFault;
use crate::server::frame::{self, Request, Unreadable};
use crate::server::http::{Address, HttpRequest, HttpResponse};
use crate::server::machine::Server;
use crate::server::output::ConnectionId;

/// The path of a ping.
const PING: &str = "/ping";

impl Server {
    /// Records a received frame. A connection that receives nothing has none.
    pub(in crate::server) fn record_received(
        &mut self,
        id: ConnectionId,
        text: &str,
        parsed: Option<&Result<Request<'_>, Unreadable>>,
    ) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.is_stalled {
            return;
        }
        let request = parsed.and_then(|parsed| parsed.as_ref().ok());
        let (is_ping, is_renewal) = request.map_or((false, false), |request| {
            let path = request.path.as_str();
            (path == PING, mask::is_renewal(path))
        });
        let shown: Cow<'_, str> = match request {
            Some(_) if is_renewal => mask::mask_request(text).into(),
            Some(request)
                if request.has_headers || mask::may_have_credentials(text, &request.path) =>
            {
                mask::mask_credentials(text)
            }
            Some(_) => text.into(),
            None => mask::mask_unreadable(text),
        };
        let seq = match parsed {
            Some(Ok(request)) => Some(request.seq),
            Some(Err(unreadable)) => Some(unreadable.seq),
            None => None,
        };
        let head = FrameHead {
            at: self.now,
            connection: id,
            app: connection.app.clone(),
            user: connection.user.clone(),
            direction: FrameDirection::In,
            kind: match request {
                Some(_) if is_ping => FrameKind::Ping,
                Some(_) => FrameKind::Request,
                None => FrameKind::Other,
            },
            id: seq,
            response: None,
            bytes: length(text),
        };
        let path = request.map(|request| mask::mask_query(&request.path));
        let line = request.zip(path.as_deref());
        let line = line.map(|(request, path)| (&*request.method, path));
        let event = self.inspector.push_frame(head, &shown, line);
        if let (Some(seq), Some(event)) = (seq, event) {
            let request = RecordedRequest {
                event,
                is_ping,
                is_renewal,
            };
            let is_new = connection.is_new_seq(seq);
            connection.recorded.insert(seq, request, is_new);
        }
    }

    /// Records a frame that is sent now and was created at `created`.
    pub(in crate::server) fn record_sent(
        &mut self,
        id: ConnectionId,
        text: &str,
        created: Timestamp,
    ) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let response = frame::response_head(text);
        let request = response.and_then(|(seq, _)| connection.recorded.remove(seq));
        // A response to an unknown request may be one to a renewal.
        let is_masked = response.is_some() && request.is_none_or(|it| it.is_renewal);
        let shown: Cow<'_, str> = match is_masked {
            true => mask::mask_response(text).into(),
            false => text.into(),
        };
        let at = self.now;
        let head = FrameHead {
            at,
            connection: id,
            app: connection.app.clone(),
            user: connection.user.clone(),
            direction: FrameDirection::Out,
            kind: match request {
                _ if response.is_none() => FrameKind::Event,
                Some(request) if request.is_ping => FrameKind::Ping,
                _ => FrameKind::Response,
            },
            id: response.map(|(seq, _)| seq),
            response: response.map(|(_, status)| ResponseHead {
                status,
                ms: millis(at.saturating_since(created)),
                request: request.and_then(|it| NonZero::new(it.event)),
            }),
            bytes: length(text),
        };
        self.inspector.push_frame(head, &shown, None);
    }

    /// Records an HTTP request. Its headers are not recorded.
    pub(in crate::server) fn record_http_received(&mut self, request: &HttpRequest) {
        if !self.inspector.is_on() {
            return;
        }
        let text = text_of(request.headers(), request.body());
        let text = mask::mask_request_data(request.uri().path(), &text);
        self.record_http_message(request, None, request.body().len(), &text);
    }

    /// Records the response to an HTTP request.
    pub(in crate::server) fn record_http_sent(
        &mut self,
        request: &HttpRequest,
        response: &HttpResponse,
    ) {
        if !self.inspector.is_on() {
            return;
        }
        let body = response.body().concat();
        let text = text_of(response.headers(), &body);
        // The body is a token.
        let address = Address::parse(request);
        let has_token = address.is_some_and(|it| it.path().first() == Some(&"bokens"));
        let text = if has_token {
            mask::mask_json(&text)
        } else {
            text
        };
        let status = Some(response.status().as_u16());
        self.record_http_message(request, status, body.len(), &text);
    }

    /// Records the response to an upload.
    pub(in crate::server) fn record_upload_sent(&mut self, uri: &Uri, response: &HttpResponse) {
        if !self.inspector.is_on() {
            return;
        }
        let mut request = HttpRequest::default();
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        self.record_http_sent(&request, response);
    }

    fn record_http_message(
        &mut self,
        request: &HttpRequest,
        status: Option<u16>,
        bytes: usize,
        text: &str,
    ) {
        let path = request.uri().path_and_query();
        let path = path.map_or("", |path| path.as_str());
        let line = RequestLine {
            method: request.method().as_str().to_owned(),
            path: mask::mask_query(path).into_owned(),
        };
        let app = Address::parse(request).map(|address| address.app);
        let shown = cut(text);
        let at = self.now;
        self.inspector.push(at, |n| {
            InspectorEventBody::Frame(RecordedFrame {
                n,
                at,
                connection: None,
                app: app.unwrap_or_default().into(),
                user: None,
                direction: match status {
                    None => FrameDirection::In,
                    Some(_) => FrameDirection::Out,
                },
                kind: FrameKind::Http,
                id: None,
                request: Some(line),
                status,
                ms: status.map(|_| 0),
                bytes,
                text: shown.to_owned(),
                cut: shown.len() < text.len(),
            })
        });
    }

    /// Records the change of a connection.
    pub(in crate::server) fn note_connection(&mut self, id: ConnectionId, state: ConnectionChange) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        info!(
            app = &*connection.app,
            user = &*connection.user,
            ?state,
            "connection"
        );
        if !self.inspector.is_on() {
            return;
        }
        let (app, user) = (connection.app.to_string(), connection.user.to_string());
        self.inspector
            .push(self.now, |_| InspectorEventBody::Connection {
                id,
                app,
                user,
                state,
            });
    }

    /// Records the change of a webhook.
    pub(in crate::server) fn note_webhook(&mut self, id: &str) {
        if !self.inspector.is_on() {
            return;
        }
        if let Some(webhook) = self.webhooks.get(id) {
            self.inspector
                .push(self.now, |_| InspectorEventBody::Webhook {
                    id: webhook.id.clone(),
                    app: webhook.app.clone(),
                    kind: webhook.kind,
                    state: webhook.state,
                });
        }
    }

    /// Adds a fault to the log of faults, and records it.
    pub(in crate::server) fn note_struck(&mut self, struck: StruckFault) {
        self.faults.note(struck.clone());
        self.inspector
            .push(self.now, |_| InspectorEventBody::Fault(struck));
    }
}

fn millis(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// Returns a body that is JSON or plain text. Other bodies are not shown.
fn text_of(headers: &HeaderMap, body: &[u8]) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let is_form = value.is_some_and(|value| value.starts_with("multipart/"));
    match std::str::from_utf8(body) {
        Ok(text) if !is_form => text.to_owned(),
        _ => String::new(),
    }
}
