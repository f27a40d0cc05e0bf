//! The records of cached windows.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::items::CachedItems;
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot};
use crate::storage::{Record, StorageEvent, versioned};
use crate::timestamp::Timestamp;

/// The prefix of the keys of all records of the cache.
const PREFIX: &str = "cache/";

/// Returns `true` if a record belongs to the cache.
pub(crate) fn is_cache_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// The list that a window shows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ListKey {
    /// The messages of a conversation.
    Messages(ConversationId),
    /// The conversations that match a filter, as JSON in its normal form.
    Conversations(String),
}

impl ListKey {
    /// Returns the key of the record. Filters may be long, and conversations have any name.
    pub(super) fn record_key(&self) -> String {
        let (kind, name) = match self {
            Self::Messages(conversation) => ("messages", conversation.as_str()),
            Self::Conversations(filter) => ("conversations", filter.as_str()),
        };
        let hash = Sha256::digest(name);
        format!("{PREFIX}{kind}/{}", HEXLOWER.encode(&hash[..16]))
    }
}

/// The items of a window, newest first.
#[derive(Clone)]
pub(super) enum CachedList {
    Messages(Vec<Arc<MessageSnapshot>>),
    Conversations(Vec<Arc<ConversationSnapshot>>),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    list: ListKey,
    at: Timestamp,
    items: Vec<Value>,
}

/// Returns the value of the record of a window.
pub(super) fn encode(list: ListKey, at: Timestamp, window: &CachedList) -> String {
    let items = match window {
        CachedList::Messages(messages) => {
            let messages = messages.iter();
            messages.map(|message| message_json(message)).collect()
        }
        CachedList::Conversations(conversations) => {
            let conversations = conversations.iter();
            conversations.map(|it| conversation_json(it)).collect()
        }
    };
    versioned::encode(&Stored { list, at, items })
}

/// Reads a window, and adds its items to `shared`.
pub(super) fn decode(
    record: &Record,
    shared: &mut CachedItems,
) -> Result<(ListKey, Timestamp, CachedList), StorageEvent> {
    let is_valid = |stored: &Stored| stored.list.record_key() == record.key;
    let stored = versioned::decode(&record.key, &record.value, is_valid)?;
    let window = match &stored.list {
        ListKey::Messages(_) => {
            let mut messages: Vec<MessageSnapshot> = readable(stored.items);
            messages.iter_mut().for_each(|it| shared.share_users(it));
            let messages: Vec<_> = messages.into_iter().map(Arc::new).collect();
            for message in &messages {
                let message = (message.id.clone(), Arc::clone(message));
                shared.messages.extend([message]);
            }
            CachedList::Messages(messages)
        }
        ListKey::Conversations(_) => {
            let mut conversations: Vec<ConversationSnapshot> = readable(stored.items);
            for conversation in &mut conversations {
                if let Some(message) = &mut conversation.last_message {
                    shared.share_users(Arc::make_mut(message));
                }
            }
            let conversations: Vec<_> = conversations.into_iter().map(Arc::new).collect();
            for conversation in &conversations {
                let conversation = (conversation.id.clone(), Arc::clone(conversation));
                shared.conversations.extend([conversation]);
            }
            CachedList::Conversations(conversations)
        }
    };
    Ok((stored.list, stored.at, window))
}

/// Skips unreadable items.
fn readable<T: DeserializeOwned>(items: Vec<Value>) -> Vec<T> {
    // Items are read from text, as events are. With a second instance for `Value`, the compiler
    // does not inline the reading of events, which makes each event 4 % more expensive.
    let items = items.iter().map(Value::to_string);
    let items = items.map(|json| serde_json::from_str(&json));
    items.filter_map(Result::ok).collect()
}

/// Returns all data of a message. The documented shape lacks the times of reactions and the IDs of
/// absent users and messages.
fn message_json(message: &MessageSnapshot) -> Value {
    let mut json = value(message);
    if let Value::Object(members) = &mut json {
        members.remove("plaintext");
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("reactions", value(&message.reactions));
        put("senderId", value(&message.sender_id));
        put("referencedMessageId", value(&message.referenced_message_id));
        if let Some(quote) = &message.referenced_message {
            put("referencedMessage", message_json(quote));
        }
    }
    json
}

fn conversation_json(conversation: &ConversationSnapshot) -> Value {
    let mut json = value(conversation);
    if let (Value::Object(members), Some(message)) = (&mut json, &conversation.last_message) {
        members.insert("lastMessage".to_owned(), message_json(message));
    }
    json
}

/// Serialises a snapshot, which cannot fail.
fn value(snapshot: &impl Serialize) -> Value {
    serde_json::to_value(snapshot).unwrap_or_default()
}
