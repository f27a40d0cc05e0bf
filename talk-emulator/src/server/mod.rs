//! A whole local TalkJS as one pure state machine: frames, HTTP requests and the time in,
//! frames and HTTP answers out.
//!
//! [`Server`] does no I/O and reads no clock; all it decides follows from its settings, its seed and
//! what is given to it, so the same inputs give the same outputs, byte for byte.
//!
//! Whoever runs a server, after any input or run of inputs, drains [`Server::poll_output`] until it
//! is `None` and then asks [`Server::poll_timeout`] when to call [`Server::tick`]. Inputs never
//! fail and never panic: bad frames are skipped, bad requests are refused on the wire, and what
//! names a connection that is gone changes nothing.

mod fault;
mod http;
mod output;
mod settings;
mod time;

pub use fault::{Fault, FaultKind};
pub use http::{Download, FileMetadata, HttpRequest, HttpResponse, StoredFile, UploadPermit};
pub use output::{ConnectionId, Output};
pub use settings::Settings;
pub use time::Time;

/// A local TalkJS with all its apps.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
}

impl Server {
    /// A server that holds nothing yet. Apps appear as they are used.
    ///
    /// `seed` decides message ids and file tokens; `now` is where its time starts.
    pub fn new(settings: Settings, seed: u64, now: Time) -> Self {
        let _ = (seed, now);
        Self { settings }
    }

    /// A socket was opened for `user` of `app` (both percent-decoded).
    ///
    /// The id must not name a connection that is still open; if it does, the old one is forgotten.
    pub fn open(&mut self, now: Time, connection: ConnectionId, app: &str, user: &str) {
        let _ = (now, connection, app, user);
    }

    /// A text message came in on a connection.
    pub fn handle_frame(&mut self, now: Time, connection: ConnectionId, text: &str) {
        let _ = (now, connection, text);
    }

    /// A connection is gone, whoever closed it.
    pub fn closed(&mut self, now: Time, connection: ConnectionId) {
        let _ = (now, connection);
    }

    /// Time has passed: do what is due. Early or repeated ticks change nothing.
    pub fn tick(&mut self, now: Time) {
        let _ = now;
    }

    /// The next thing to do, in order, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }

    /// When to call [`Server::tick`] next, if ever.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Answers an HTTP request on any of the three bases, uploads and downloads aside.
    ///
    /// CORS headers are the caller's to add, and preflights the caller's to answer.
    pub fn http(&mut self, now: Time, request: &HttpRequest) -> HttpResponse {
        let _ = (now, request);
        http::not_found()
    }

    /// Whether the upload that `request` starts may go on, before its body is read.
    ///
    /// # Errors
    ///
    /// The answer to give instead: no valid token, or the app does not exist.
    pub fn begin_upload(
        &mut self,
        now: Time,
        request: &HttpRequest,
    ) -> Result<UploadPermit, Box<HttpResponse>> {
        let _ = (now, request);
        Err(Box::new(http::not_found()))
    }

    /// An upload is complete: its file gets a token, under which the caller keeps the bytes.
    ///
    /// # Errors
    ///
    /// The answer to give instead (too large, a type that is not allowed); the caller drops the bytes.
    pub fn finish_upload(
        &mut self,
        now: Time,
        permit: &UploadPermit,
        file: FileMetadata,
    ) -> Result<StoredFile, Box<HttpResponse>> {
        let _ = (now, permit, file);
        Err(Box::new(http::not_found()))
    }

    /// The file that a `GET` asks for, to be served from where the caller keeps the bytes; `None`
    /// when the request is no download or the file is unknown (then [`Server::http`] answers 404).
    pub fn download(&self, request: &HttpRequest) -> Option<Download> {
        let _ = request;
        None
    }

    /// What is in force now.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Replaces the settings; they hold from the next request on.
    pub fn set_settings(&mut self, now: Time, settings: Settings) {
        let _ = now;
        self.settings = settings;
    }

    /// Lets something go wrong, `fault.times` times.
    pub fn inject(&mut self, now: Time, fault: Fault) {
        let _ = (now, fault);
    }
}
