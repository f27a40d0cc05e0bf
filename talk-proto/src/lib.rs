//! The TalkJS chat protocol as a pure state machine.

mod addresses;
mod collections;
mod command;
mod connection;
mod content;
mod error;
mod io;
mod live;
mod model;
mod options;
mod secret;
mod session;
mod snapshot;
mod time;
mod wire;

pub use addresses::Addresses;
pub use collections::{HashMap, HashSet};
pub use command::{
    Call, EditMessage, MessageBody, Reply, RequestId, SendMessage, SubscriptionId, Translation,
};
pub use content::{
    ContentBlock, Extra, FileBlock, FileSubtype, ForWire, LocationBlock, MAX_NESTING, RawJson,
    TextBlock, TextNode,
};
pub use error::{CommandError, Refused, RequestError, SessionError, TransportError};
pub use io::{
    ConnectionState, Event, Frame, HttpBody, HttpFailure, HttpId, Input, Output, Skipped,
    SocketClosed, SocketId, TokenFetchId,
};
pub use model::{
    Access, AppId, ConversationDiff, ConversationId, ConversationParams, ConversationSnapshot,
    Custom, CustomPatch, DEFAULT_ROLE, Emoji, EmptyId, Message, MessageDiff, MessageId,
    MessageSnapshot, MessageType, Millis, Notify, OneOrMany, Online, OnlineSnapshot, Origin,
    Participant, ParticipantDiff, ParticipantParams, ParticipantSnapshot, Patch, Reaction,
    ReactionCount, ReactionCountDiff, ReactionSnapshot, Reactions, ReactionsSummary,
    ReferencedMessageSnapshot, Side, SideDiff, Typing, TypingDiff, TypingSnapshot, User, UserDiff,
    UserId, UserParams,
};
pub use options::{Authentication, Limits, Pacing, SessionOptions};
pub use secret::Secret;
pub use session::Session;
pub use snapshot::{Changes, ListChanges, Snapshot, Topic, Update, Window};
pub use time::Time;
pub use wire::ServerEvent;
