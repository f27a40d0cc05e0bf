//! The TalkJS chat protocol as a pure state machine.

mod addresses;
mod changes;
mod collections;
mod command;
mod connection;
mod content;
mod error;
mod filter;
mod io;
mod live;
mod model;
mod options;
mod search;
mod secret;
mod session;
mod snapshot;
mod time;
#[cfg(feature = "testing")]
mod transcript;
mod upload;
mod wire;

pub use addresses::Addresses;
pub use changes::{Changes, ListChanges};
pub use collections::{HashMap, HashSet};
pub use command::{
    Call, EditMessage, MessageBody, Reply, RequestId, SendMessage, SubscriptionId, Translation,
};
pub use content::{
    ContentBlock, Extra, FileBlock, FileSubtype, ForWire, LocationBlock, MAX_NESTING, MarkupSource,
    RawJson, TextBlock, TextNode, parse_markup, plaintext,
};
pub use error::{CommandError, Refused, RequestError, SessionError, TransportError};
pub use filter::{
    ConversationFilter, CustomFilter, CustomValues, FilterSubject, NumberFilter, SimpleFilter,
    StringFilter,
};
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
pub use search::{FoundMessage, SearchId, SearchKind, SearchResults, SearchStatus};
pub use secret::Secret;
pub use session::Session;
pub use snapshot::{Snapshot, Topic, Update, Window};
pub use time::Time;
#[cfg(feature = "testing")]
pub use transcript::Transcript;
pub use upload::{FileToken, Upload, UploadKind};
pub use wire::ServerEvent;
