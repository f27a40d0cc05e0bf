#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod batch;
mod call;
mod endpoint;
mod error;
mod json;
mod list;
mod message_keys;
pub mod model;
mod one_on_one;
mod params;
mod path;
mod version;
pub mod webhook;

pub use api::{Api, Credentials};
pub use batch::{Batch, BatchAnswers, Handle};
pub use call::Call;
pub use endpoint::{
    ConversationEndpoint, FileUpload, Import, MessageEndpoint, ParticipantEndpoint, PresenceQuery,
    UserEndpoint, app, conversation, conversations, presences, put_users, upload_file, user, users,
};
pub use error::{HiddenBody, InvalidCall, Reason, Refusal, RestError};
pub use list::{Direction, List, ListItem, OrderBy, Page, Pages};
pub use message_keys::MessageKeys;
pub use one_on_one::unconfirmed_one_on_one_id;
pub use params::{
    ConversationParams, EditMessage, ImportedMessage, NewMessage, ParticipantParams,
    ParticipantPatch, ReadUntil, UserParams,
};
pub use talk_proto::{
    Addresses, RetrySafety, Secret, Timestamp,
    content::{ContentBlock, RawJson, TextNode, UnknownFields},
    filter::{ConversationFilter, CustomFilter, NumberFilter, SimpleFilter, StringFilter},
    model::{
        AppId, ConversationId, Custom, CustomPatch, Emoji, EmptyId, MessageId, MessageType, Notify,
        Origin, Patch, UserId,
    },
    upload::{FileToken, UploadKind},
};
pub use version::ApiVersion;
