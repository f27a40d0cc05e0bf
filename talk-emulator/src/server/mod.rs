//! A local TalkJS server as one pure state machine: frames, HTTP requests and time in, frames and
//! HTTP responses out.
//!
//! [`Server`] does no I/O and reads no clock. Its decisions depend only on its settings, its seed
//! and its inputs, so the same inputs give the same outputs, byte for byte.
//!
//! After an input, or a batch of inputs, the caller drains [`Server::poll_output`] until it is
//! `None`, then schedules the next [`Server::tick`] with [`Server::poll_timeout`]. Inputs never
//! fail and never panic: texts that are not requests are skipped, invalid requests are refused on
//! the wire, and inputs for closed connections are ignored.
//!
//! ```
//! use talk_emulator::server::{ConnectionId, Output, Server, Settings};
//! use talk_proto::Timestamp;
//!
//! let now = Timestamp::from_millis(1_700_000_000_000);
//! let mut server = Server::new(Settings::default(), 1, now);
//! let alice = ConnectionId(1);
//! server.open(now, alice, "app", "alice");
//! server.handle_frame(now, alice, r#"[0,"POST","/session/renew",{"token":"any"},{}]"#);
//! let answer = r#"[0,200,{"expiresInSeconds":null}]"#.to_owned();
//! assert_eq!(server.poll_output(), Some(Output::SendFrame { connection: alice, text: answer }));
//! assert_eq!(server.poll_output(), None);
//! assert_eq!(server.poll_timeout(), None);
//! ```
//!
//! To persist the data, create the server with [`Server::restore`] and store the result of
//! [`Server::take_changes`] before handling the outputs.

mod act;
mod auth;
mod auto_link;
mod connection;
mod connections;
mod content;
mod conversation;
mod conversations;
mod dirty_map;
mod emoji;
mod event_queue;
mod events;
mod fault;
mod fault_injection;
mod file;
mod files;
mod filter;
mod find;
mod frame;
mod http;
mod http_routes;
mod idempotency;
mod inspector;
mod loopback;
mod machine;
mod message;
mod messages;
mod object_only;
mod output;
mod page;
mod participants;
mod patch;
mod persistence;
mod presence;
mod random;
mod rate_limit;
mod reactions;
mod read_state;
mod reads;
mod record;
mod refusal;
mod reply;
mod request_cx;
mod request_log;
mod rest;
mod rest_version;
mod restore;
mod routes;
mod search;
mod search_terms;
mod seed;
mod seen_tokens;
mod session;
mod settings;
mod snapshot;
mod store;
mod subscribers;
mod system_message;
mod timers;
mod translate;
mod typing;
mod typing_users;
mod user;
mod users;
mod views;
mod webhooks;

pub use connections::ConnectionInfo;
pub use fault::{Fault, FaultKind, HttpFault, StruckFault, UploadFault};
pub use file::FileMetadata;
pub use find::{FindKind, NotFound};
pub use http::{
    BodyTooLarge, Download, HttpRequest, HttpResponse, StoredFile, UploadPermit, WithoutCors,
};
pub(crate) use http::{has_json, parse_query, refusal_response};
pub use inspector::{
    ConnectionChange, FrameDirection, FrameKind, InspectorEvent, InspectorEventBody,
    InspectorEvents, RecordedFrame, RequestLine,
};
pub(crate) use loopback::{is_loopback, is_loopback_origin};
pub use machine::Server;
pub use output::{ConnectionId, Output};
pub use reads::{StoredConversation, StoredParticipant};
pub use record::{Change, Key, Unreadable};
pub(crate) use refusal::printable;
pub use request_log::ReceivedRequest;
pub(crate) use request_log::logged_method;
#[cfg(test)]
pub(crate) use rest::rest_routes;
pub use rest_version::RestVersion;
pub(crate) use restore::{StoredMessages, StoredPart};
pub use seed::{Seed, SeedConversation, SeedError, SeedMessage, SeedUser};
pub use settings::{ClientSync, Limits, Role, Scope, Settings};
pub use snapshot::Snapshot;
pub use talk_proto::Timestamp;
pub use webhooks::{
    UnknownWebhookKind, WebhookAnswer, WebhookAttempt, WebhookAttemptId, WebhookDelivery,
    WebhookKind, WebhookRequest, WebhookSettings, WebhookState,
};
