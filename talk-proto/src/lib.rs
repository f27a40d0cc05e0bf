//! The TalkJS chat protocol as a pure state machine: no I/O, no async, no threads, no clock.
//!
//! A [`Session`] is told what happens and says what to do about it. A driver around it moves bytes
//! and waits. The adapters for async runtimes have one; this crate is for an event loop of your
//! own. It builds for `wasm32-unknown-unknown`: none of what it depends on needs an operating
//! system.
//!
//! # A driver, step by step
//!
//! The example `threads` is a whole driver: a thread that owns the session, and an application on
//! another that sends it commands over a channel. It begins with a session and a seed. The seed
//! must be random, for idempotency keys come from it.
//!
//! ```
//! use std::hash::{BuildHasher, RandomState};
//! use talk_proto::{Addresses, Session, SessionOptions, Timestamp};
//!
//! fn session(host: &str, now: Timestamp) -> Result<Session, talk_proto::model::EmptyId> {
//!     let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
//!     options.addresses = Addresses::of_host(host);
//!     // Every hasher of the standard library has keys from the system's randomness.
//!     Ok(Session::new(options, RandomState::new().hash_one("seed"), now))
//! }
//! # session("127.0.0.1:4000", Timestamp::from_millis(1_700_000_000_000))?;
//! # Ok::<(), talk_proto::model::EmptyId>(())
//! ```
//!
//! Then it goes round and round. It waits until something happens: a frame, a command, or the time
//! that [`Session::poll_timeout`] gave. It tells the session, gives it every command that waits,
//! and does what [`Session::poll_output`] says until that has no more to say:
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
//!     mut tell: impl FnMut(Event),
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
//!             Output::CancelHttp { .. } | Output::FetchToken { .. } => {}
//!             Output::Event(event) => tell(event),
//!         }
//!     }
//! }
//! ```
//!
//! What comes in goes the other way: a text message as [`Input::SocketFrame`], a socket that is
//! gone as [`Input::SocketClosed`], the answer to an HTTP request in pieces, and [`Input::Tick`]
//! when the time has come. No input is wrong: what comes late, twice or broken does no harm.
//! Reconnecting, retrying, pacing and refreshing tokens are the session's affair.
//!
//! The application asks with [`Session::call`], [`Session::subscribe`] and the like. Misuse is
//! refused there and then. All else comes as an [`Event`]: the outcome of a call exactly once, and
//! the snapshots of a subscription as they change.
//!
//! The other examples, `many_sessions` (mio) and `frames` (a game's loop), differ only in how they
//! wait. `virtual_time` in `talk-emulator` runs client and service in one thread without a clock,
//! to test what is built on this crate.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `token`: creates and checks user tokens, for back ends and tests.
//! - `jiff`, `chrono`: conversions between [`Timestamp`] and the types of these crates.
//! - `testing`: transcripts of a session with tokens and message texts, for tests only.
//!
//! # Disclaimer
//!
//! Talk is an independent, unofficial client. TalkJS is a trademark of its owner. This project is
//! not affiliated with, endorsed or sponsored by it.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod addresses;
pub mod changes;
pub mod collections;
pub mod command;
mod connection;
pub mod content;
mod counters;
mod error;
mod fault_injection;
pub mod filter;
mod http;
mod io;
mod json;
mod live;
pub mod model;
mod options;
pub mod registry;
mod requests;
pub mod search;
mod secret;
mod session;
mod snapshot;
mod timestamp;
#[cfg(feature = "token")]
pub mod token;
#[cfg(feature = "testing")]
pub mod transcript;
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
pub use options::{Authentication, Limits, Pacing, SessionOptions};
pub use secret::Secret;
pub use session::Session;
pub use snapshot::{Snapshot, Topic, Update, Window, WindowIter};
pub use timestamp::Timestamp;
pub use wire::replace_lone_surrogates;
