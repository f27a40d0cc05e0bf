//! Events.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use talk_proto::Timestamp;
use talk_proto::content::{RawJson, UnknownFields};
use talk_proto::model::UserId;

use crate::json::{self, null_default, unknown};
use crate::model::{Conversation, Message, User};

/// A verified event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The ID by which a receiver recognises a repetition.
    pub id: Option<String>,
    /// The type, such as `message.sent`.
    pub event_type: String,
    /// The time of the event: a number of milliseconds, digits, or RFC 3339 on the wire (our
    /// choice: the service does not document it).
    pub created_at: Option<Timestamp>,
    /// The data.
    pub data: EventData,
    /// The members that this version does not know.
    pub unknown_fields: UnknownFields,
}

/// The data of an event. The objects are those of the REST API.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventData {
    /// `user.created`: a user was created.
    UserCreated(Box<UserEvent>),
    /// `user.updated`: a user was changed.
    UserUpdated(Box<UserEvent>),
    /// `message.sent`: a message was sent.
    MessageSent(Box<MessageEvent>),
    /// `message.read`: another participant has seen a message.
    MessageRead(Box<MessageReadEvent>),
    /// `message.updated`: the content or the custom data of a message was changed.
    MessageUpdated(Box<MessageEvent>),
    /// `message.deleted`: a message was deleted.
    MessageDeleted(Box<MessageEvent>),
    /// `conversation.deleted`: a back end deleted a conversation.
    ConversationDeleted(Box<ConversationEvent>),
    /// `notification.triggered`: a notification is due.
    NotificationTriggered(Box<NotificationEvent>),
    /// An event of a type that this version does not know, or with data that it cannot read.
    Other {
        /// The type.
        event_type: String,
        /// The data as received.
        data: RawJson,
    },
}

/// The data of an event about a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserEvent {
    /// The user.
    pub user: User,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// The data of an event about a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MessageEvent {
    /// The sender; `None` for system messages.
    #[serde(default)]
    pub sender: Option<User>,
    /// The conversation.
    #[serde(default)]
    pub conversation: Option<Conversation>,
    /// The message. A deleted message is as it was before.
    pub message: Message,
    /// The users that a sent message mentions.
    #[serde(default, deserialize_with = "null_default")]
    pub mentioned_user_ids: Vec<UserId>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// The data of an event about a user that has read a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MessageReadEvent {
    /// The reader.
    pub recipient: User,
    /// The sender (our choice: not documented).
    #[serde(default)]
    pub sender: Option<User>,
    /// The conversation (our choice: not documented).
    #[serde(default)]
    pub conversation: Option<Conversation>,
    /// The message.
    pub message: Message,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// The data of an event about a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConversationEvent {
    /// The conversation as it was before.
    pub conversation: Conversation,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

/// The data of an event about a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NotificationEvent {
    /// The notification's ID.
    #[serde(default)]
    pub notification_id: Option<String>,
    /// The user to notify.
    #[serde(default)]
    pub recipient: Option<User>,
    /// The sender of the messages.
    #[serde(default)]
    pub sender: Option<User>,
    /// The conversation.
    #[serde(default)]
    pub conversation: Option<Conversation>,
    /// The messages.
    #[serde(default, deserialize_with = "null_default")]
    pub messages: Vec<Message>,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}

impl Event {
    /// Reads the body of a webhook.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let json = json::parse(body)?;
        let Value::Object(mut envelope) = json else {
            return Err("it is not a JSON object".to_owned());
        };
        let Some(Value::String(event_type)) = envelope.remove("type") else {
            return Err("it has no `type`".to_owned());
        };
        let data = envelope.remove("data").unwrap_or_default();
        Ok(Self {
            id: take_id(&mut envelope),
            created_at: take_time(&mut envelope),
            data: EventData::read(&event_type, data),
            event_type,
            unknown_fields: envelope.into(),
        })
    }
}

/// Takes the ID, if it is a string or a number.
fn take_id(envelope: &mut Map<String, Value>) -> Option<String> {
    let id = match envelope.get("id")? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    envelope.remove("id");
    Some(id)
}

/// Takes the time, if it is readable.
fn take_time(envelope: &mut Map<String, Value>) -> Option<Timestamp> {
    let time = match envelope.get("createdAt")? {
        Value::String(text) => match text.parse::<i64>() {
            Ok(millis) => Timestamp::from_millis(millis),
            Err(_) => {
                let time: jiff::Timestamp = text.parse().ok()?;
                Timestamp::from_millis(time.as_millisecond())
            }
        },
        // The cast saturates.
        number => Timestamp::from_millis(number.as_f64()? as i64),
    };
    envelope.remove("createdAt");
    Some(time)
}

impl EventData {
    fn read(event_type: &str, data: Value) -> Self {
        fn typed<T: DeserializeOwned>(data: &Value, to: fn(T) -> EventData) -> Option<EventData> {
            T::deserialize(data).ok().map(to)
        }
        let known = match event_type {
            "user.created" => typed(&data, Self::UserCreated),
            "user.updated" => typed(&data, Self::UserUpdated),
            "message.sent" => typed(&data, Self::MessageSent),
            "message.read" => typed(&data, Self::MessageRead),
            "message.updated" => typed(&data, Self::MessageUpdated),
            "message.deleted" => typed(&data, Self::MessageDeleted),
            "conversation.deleted" => typed(&data, Self::ConversationDeleted),
            "notification.triggered" => typed(&data, Self::NotificationTriggered),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Other {
            event_type: event_type.to_owned(),
            data: data.into(),
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.event_type)?;
        match &self.id {
            Some(id) => write!(f, " {id}"),
            None => Ok(()),
        }
    }
}
