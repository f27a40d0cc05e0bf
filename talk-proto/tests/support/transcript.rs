//! A record of all inputs and outputs, to replay a run or to compare two runs.

use std::fmt::Write as _;

use talk_proto::{Event, HttpBody, Input, Output, Timestamp};

/// The inputs and outputs of a session, one line each.
///
/// A transcript contains tokens and message texts. Two runs are equal if their transcripts are
/// equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transcript(String);

// Writing to a String cannot fail.
impl Transcript {
    /// Creates an empty transcript.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Returns the recorded lines.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Records an input and its time.
    pub(crate) fn input(&mut self, now: Timestamp, input: &Input<'_>) {
        let _ = write!(self.0, "{} < ", now.as_millis());
        let _ = match input {
            Input::SocketFrame { socket, text } => writeln!(self.0, "frame {socket:?} {text}"),
            Input::Token { fetch, result } => match result {
                Ok(token) => writeln!(self.0, "token {fetch:?} {}", token.expose()),
                Err(reason) => writeln!(self.0, "no token {fetch:?} {reason}"),
            },
            Input::HttpChunk { http, chunk } => {
                writeln!(self.0, "http {http:?} {}", chunk.escape_ascii())
            }
            Input::HttpFailed { http, failure } => {
                writeln!(self.0, "http {http:?} failed: {failure}")
            }
            other => writeln!(self.0, "{other:?}"),
        };
    }

    /// Records an output.
    pub(crate) fn output(&mut self, output: &Output) {
        let _ = match output {
            Output::OpenSocket { socket, url } => writeln!(self.0, "> open {socket:?} {url}"),
            Output::SendFrame { socket, frame } => {
                writeln!(self.0, "> frame {socket:?} {}", frame.as_str())
            }
            Output::SendHttp { http, request } => {
                let (method, uri) = (request.method(), request.uri());
                let _ = write!(self.0, "> http {http:?} {method} {uri}");
                for (name, value) in request.headers() {
                    let _ = write!(self.0, " {name}: {}", value.as_bytes().escape_ascii());
                }
                self.body(request.body());
                writeln!(self.0)
            }
            Output::Event(event) => {
                self.event(event);
                Ok(())
            }
            other => writeln!(self.0, "> {other:?}"),
        };
    }

    fn body(&mut self, body: &HttpBody) {
        let _ = match body {
            HttpBody::Empty => Ok(()),
            HttpBody::Bytes(bytes) => write!(self.0, " {}", bytes.escape_ascii()),
            HttpBody::Upload {
                request,
                source: _,
                preamble,
                length,
                epilogue,
            } => write!(
                self.0,
                " {}({length} bytes of {request:?}){}",
                preamble.escape_ascii(),
                epilogue.escape_ascii(),
            ),
        };
    }

    fn event(&mut self, event: &Event) {
        let _ = match event {
            Event::Resolved {
                request,
                result: Ok(reply),
            } => writeln!(self.0, "> {request:?} {}", json(reply)),
            Event::Updated {
                subscription,
                update,
            } => {
                let (id, changes) = (subscription, &update.changes);
                writeln!(self.0, "> {id:?} {changes:?} {}", json(&update.snapshot))
            }
            other => writeln!(self.0, "> {other:?}"),
        };
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}
