//! The asynchronous API of Talk, a client for TalkJS chat: [`Session`] with its refs and
//! subscriptions, and the driver of [`talk_proto`].
//!
//! It works with any async runtime. An adapter crate such as `talk-tokio` implements the small
//! [`Runtime`] trait, re-exports this crate, and provides `get_talk_session`.
//!
//! ```no_run
//! use futures_util::StreamExt;
//! use talk_client::{Runtime, TalkOptions, UserParams, get_talk_session_on};
//!
//! async fn chat<R: Runtime>(runtime: R) -> Result<(), talk_client::Error> {
//!     let session = get_talk_session_on(&runtime, TalkOptions::new("my_app", "alice")?);
//!     session.current_user().set(UserParams::named("Alice")).await?;
//!     let lobby = session.conversation("lobby")?;
//!     lobby.create_if_not_exists(Default::default()).await?;
//!     lobby.send("Hello, *world*!").await?;
//!
//!     let mut messages = lobby.subscribe_messages();
//!     while let Some(update) = messages.next().await {
//!         for message in update.snapshot.iter().flat_map(|window| window.iter()) {
//!             println!("{}", message.plaintext());
//!         }
//!     }
//!     messages.terminated().await
//! }
//! ```
//!
//! The [`guide`] has a page for each task, from the first program to production, and a table from
//! the names of the JavaScript API.
//!
//! - **Calls** are futures. They wait for the connection, and are sent again if it is lost.
//!   Dropping one cancels it.
//! - **Refs** are IDs of entities, which need not exist, with the calls that concern them.
//! - **[Subscription]s** are streams of snapshots with the changes between them.
//! - **[`Error`]s** distinguish misuse, refusals of the server, failures of the network, and the
//!   end of the session.
//!
//! # Features
//!
//! - `native` (default): the transport over TCP, TLS, WebSocket and HTTP/1.1 for any async runtime.
//! - `store` (default): a durable store in a file; see `store::FileStore`.
//! - `token`: creates and checks user tokens, for back ends and tests.
//! - `rest`: the REST API and webhooks, for back ends; see `rest::RestClient`.
//! - `tracing`: spans and events of sessions and calls, without tokens and message texts.
//!   The dependencies that carry them log neither, at any level.
//! - `platform-verifier`: lets the operating system verify certificates; see
//!   `net::TlsOptions::platform_verifier`.
//! - `jiff`, `chrono`: conversions between [`Timestamp`] and the types of these crates.
//!
//! # Disclaimer
//!
//! Talk is an independent, unofficial client. TalkJS is a trademark of its owner. This project is
//! not affiliated with, endorsed or sponsored by it.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod driver;
mod error;
pub mod guide;
mod handle;
pub mod inbox;
#[cfg(feature = "native")]
pub mod net;
mod options;
pub mod outbox;
mod refs;
mod registry;
#[cfg(feature = "rest")]
pub mod rest;
mod search;
mod session;
#[cfg(all(test, shuttle))]
mod shuttle_tests;
pub mod store;
mod subscription;
mod sync;
mod token_fetch;
pub mod transport;
mod upload;

pub use error::{Error, NoRuntimeError};
pub use handle::CallFuture;
#[cfg(feature = "native")]
pub use net::Runtime;
pub use options::TalkOptions;
pub use refs::{
    ConversationRef, History, MessageRef, ParticipantRef, ReactionsRef, SendFileFuture,
    TypingGuard, UserRef,
};
pub use search::{Search, SearchPage, SearchUpdate};
#[cfg(feature = "native")]
pub use session::get_talk_session_on;
pub use session::{
    ConnectionStateStream, ErrorSubscription, Session, StoreStateStream, get_talk_session_over,
};
pub use subscription::{ListSnapshot, Subscription, SubscriptionState, Update};
pub use talk_proto as proto;
#[cfg(feature = "token")]
pub use talk_proto::token::{
    TokenCheck, TokenClaims, TokenProblem, TokenReport, is_user_signature, sign_user_id,
};
pub use talk_proto::{
    Addresses, CommandError, ConnectionState, Counters, Limits, Pacing, RequestError, RetrySafety,
    Secret, ServerError, SessionError, Timestamp, TransportError, Window, WindowIter,
    cache::Freshness,
    changes::{Changes, ListChanges, Removal, RemovalReason},
    command::{EditMessage, MessageBody, SendMessage, Translation},
    content::{
        Action, ContentBlock, FileBlock, FileSubtype, LocationBlock, RawJson, TextBlock, TextNode,
        UnknownFields,
    },
    filter::{ConversationFilter, CustomFilter, NumberFilter, SimpleFilter, StringFilter},
    model::{
        Access, AppId, ConversationId, ConversationParams, ConversationSnapshot, Custom,
        CustomPatch, Emoji, EmptyId, MessageId, MessageSnapshot, MessageType, Notify, OneOrMany,
        OnlineSnapshot, Origin, ParticipantParams, ParticipantSnapshot, Patch, ReactionCount,
        ReactionSnapshot, Reactions, ReactionsSummary, TypingSnapshot, UnknownName, User, UserId,
        UserParams,
    },
    search::{Hits, MessageHit, SearchStatus},
    upload::FileToken,
};
pub use token_fetch::{Retrying, TokenFetch, retrying};
pub use upload::{
    MediaKind, UploadFuture, UploadMetadata, UploadProgress, UploadProgressStream, UploadSource,
};
