//! The TalkJS chat protocol as a pure state machine: no I/O, no async, no threads, no clock.
//!
//! A driver passes [`Input`]s to a [`Session`] and performs the [`Output`]s that it returns. The
//! driver owns the sockets and the clock. The crates for async runtimes contain a driver; use this
//! crate directly to run a session in an event loop of your own. It builds for
//! `wasm32-unknown-unknown`, because no dependency needs an operating system.
//!
//! # A driver, step by step
//!
//! The example `threads` contains a complete driver: one thread owns the session, and the
//! application sends it commands from another thread over a channel. The driver starts with a
//! session and a seed. The seed must be random, because the idempotency keys of calls are derived
//! from it. A session without a token requests an anonymous one over HTTP before it connects. This
//! driver has no HTTP, so the session has a token. An emulator without a secret accepts any.
//!
//! ```
//! use std::hash::{BuildHasher, RandomState};
//! use talk_proto::{Addresses, Session, SessionOptions, Timestamp};
//!
//! fn session(host: &str, now: Timestamp) -> Result<Session, talk_proto::model::EmptyId> {
//!     let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
//!     options.addresses = Addresses::of_host(host);
//!     options.authentication.token = Some("a JWT".into());
//!     // Every hasher of the standard library has keys from the system's randomness.
//!     Ok(Session::new(options, RandomState::new().hash_one("seed"), now))
//! }
//! # session("127.0.0.1:4000", Timestamp::from_millis(1_700_000_000_000))?;
//! # Ok::<(), talk_proto::model::EmptyId>(())
//! ```
//!
//! The driver then runs a loop. It waits for a frame, a command, or the time that
//! [`Session::poll_timeout`] returned, passes it to the session together with all commands that are
//! waiting, and performs the outputs of [`Session::poll_output`] until that returns `None`:
//!
//! ```
//! # use talk_proto::{Event, Input, Output, Session, SocketClosed, SocketId, Timestamp};
//! # struct Socket;
//! # impl Socket {
//! #     fn connect(_: &str) -> Result<Self, String> { Err("a page of documentation".to_owned()) }
//! #     fn send(&mut self, _: &str) {}
//! # }
//! # fn no_http(http: talk_proto::HttpId) -> Input<'static> {
//! #     let failure = talk_proto::HttpFailure::Network(String::new());
//! #     Input::HttpFailed { http, failure }
//! # }
//! fn drain(
//!     session: &mut Session,
//!     open: &mut Option<(SocketId, Socket)>,
//!     now: Timestamp,
//!     mut notify: impl FnMut(Event),
//! ) {
//!     while let Some(output) = session.poll_output() {
//!         match output {
//!             Output::OpenSocket { socket, url } => match Socket::connect(&url) {
//!                 Ok(opened) => {
//!                     *open = Some((socket, opened));
//!                     session.handle_input(now, Input::SocketOpened { socket });
//!                 }
//!                 Err(reason) => {
//!                     let cause = SocketClosed::ConnectFailed(reason);
//!                     session.handle_input(now, Input::SocketClosed { socket, cause });
//!                 }
//!             },
//!             Output::SendFrame { frame, .. } => {
//!                 if let Some((_, socket)) = open {
//!                     socket.send(frame.as_str());
//!                 }
//!             }
//!             Output::CloseSocket { .. } => *open = None,
//!             // Uploads, searches and tokens for anonymous users go over HTTP.
//!             Output::SendHttp { http, .. } => session.handle_input(now, no_http(http)),
//!             // Only a session with a store emits batches.
//!             Output::CancelHttp { .. } | Output::FetchToken { .. } => {}
//!             Output::Store { .. } | Output::CheckFile { .. } => {}
//!             Output::Event(event) => notify(event),
//!         }
//!     }
//! }
//! ```
//!
//! The driver reports a WebSocket message as [`Input::SocketFrame`], a closed socket as
//! [`Input::SocketClosed`], an HTTP response in parts, and the time of the timeout as
//! [`Input::Tick`]. The session accepts every input: late, repeated and malformed ones have no
//! effect. The session reconnects, retries, paces requests and refreshes tokens by itself.
//!
//! The application calls [`Session::call`], [`Session::subscribe`] and the other commands. They
//! return misuse as an error at once. Everything else is reported by an [`Event`]: the result of a
//! call exactly once, and the snapshots of a subscription whenever they change.
//!
//! The other examples, `many_sessions` (mio) and `frames` (the loop of a game), differ only in how
//! they wait. `virtual_time` in `talk-emulator` runs client and service in one thread without a
//! clock, to test code that is built on this crate.
//!
//! # Exhaustive types
//!
//! Enums are `#[non_exhaustive]`, because the service and this crate add variants: errors, events,
//! snapshots, filters, the kinds of a file. Two kinds of enums are exhaustive: those that a program
//! must handle completely ([`Input`], [`Output`], [`HttpBody`] and [`outbox::FileSource`]), and
//! [`model::Patch`], whose variants are complete by their meaning. Structs with public fields are
//! `#[non_exhaustive]`. The crate returns them, or they have a constructor or a default value.
//! Their fields can be set.
//!
//! # Features
//!
//! No feature is enabled by default.
//!
//! - `token`: creates tokens and checks those of users, for back ends and tests.
//! - `jiff`, `chrono`: conversions between [`Timestamp`] and the types of these crates.
//!
//! # Disclaimer
//!
//! Talk is an independent, unofficial client. TalkJS is a trademark of its owner. This project is
//! not affiliated with, endorsed or sponsored by it.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod addresses;
pub mod cache;
pub mod changes;
mod collections;
pub mod command;
mod connection;
pub mod content;
mod counters;
mod error;
mod fault_injection;
pub mod filter;
mod http;
pub mod inbox;
mod io;
mod json;
mod key;
mod live;
pub mod model;
mod options;
pub mod outbox;
mod requests;
pub mod search;
mod secret;
mod session;
mod snapshot;
pub mod storage;
mod timestamp;
#[cfg(feature = "token")]
pub mod token;
pub mod upload;
mod wire;

pub use addresses::Addresses;
#[doc(inline)]
pub use command::{Call, Reply, RequestId, SubscriptionId};
pub use counters::Counters;
pub use error::{
    CommandError, RequestError, RetrySafety, ServerError, SessionError, TransportError,
};
#[cfg(talk_fault_injection)]
pub use fault_injection::FaultInjection;
pub use io::{
    ConnectionState, Event, Frame, HttpBody, HttpFailure, HttpId, Input, Output, ProtocolWarning,
    SocketClosed, SocketId, TokenFetchId,
};
pub use key::idempotency_key_at;
pub use options::{Authentication, Limits, Pacing, SessionOptions};
pub use secret::Secret;
pub use session::Session;
pub use snapshot::{Snapshot, Topic, Update, Window, WindowIter};
pub use timestamp::Timestamp;
pub use wire::{encode_component, replace_lone_surrogates};
