//! `POST /conversations/{c}/messages`

use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::invalid;
use super::call::Call;
use super::members::{self, Members};
use super::new_message::{NewMessage, objects};
use crate::server::messages::{self, MAX_KEY};
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, reply};
use crate::server::request_cx::RequestCx;
use crate::server::typing;

/// The maximum number of messages in a request.
const MAX_MESSAGES: usize = 10;

/// The ID of a new message.
#[derive(Debug, Serialize)]
pub(super) struct Created {
    pub(super) id: String,
}

/// A message with the members that imports do not have.
struct Send {
    message: NewMessage,
    referenced: Option<String>,
    key: Option<String>,
}

/// Sends the messages in order. The list is checked as a whole before the first one is sent (our
/// choice). Access, roles and sync do not restrict it (our choice).
pub(super) fn send(cx: &mut RequestCx<'_>, id: &str, call: &Call) -> Reply {
    let list = objects(call, MAX_MESSAGES)?;
    cx.store.conversation(id)?;
    let all = list
        .iter()
        .map(|object| Send::read(cx, id, object))
        .collect::<Result<Vec<_>, _>>()?;
    let created = all
        .into_iter()
        .map(|send| send.run(cx, id))
        .collect::<Result<Vec<_>, _>>()?;
    reply(&created)
}

impl Send {
    fn read(cx: &RequestCx<'_>, id: &str, object: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut members = Members::new(object);
        let referenced: Option<String> = members.optional("referencedMessageId", "a string");
        let key: Option<String> = members.optional("idempotencyKey", "a string");
        if key.as_ref().is_some_and(|key| key.len() > MAX_KEY) {
            members.refuse(format!("idempotencyKey: must have at most {MAX_KEY} bytes"));
        }
        let (referenced, key) = members
            .finish((referenced, key))
            .map_err(|reasons| members::refuse("INVALID_MESSAGE", &reasons))?;
        let message = NewMessage::read(cx, id, object)?;
        if referenced.is_some() && message.sender.is_none() {
            return Err(invalid(
                "INVALID_REFERENCED_MESSAGE",
                "A system message references no message.",
            ));
        }
        messages::check_reference(cx, id, referenced.as_deref())?;
        Ok(Self {
            message,
            referenced,
            key,
        })
    }

    /// Sends the message. A repeated key returns the first message; its scope is the conversation
    /// and the sender, or the conversation for system messages (our choice).
    fn run(self, cx: &mut RequestCx<'_>, id: &str) -> Result<Created, Refusal> {
        let now = cx.millis();
        let sender = self.message.sender.clone();
        let scope = sender.clone().unwrap_or_default();
        if let Some(key) = &self.key {
            let keys = &mut cx.store.conversation_mut(id)?.keys;
            if let Some(first) = keys.find(now, &scope, key) {
                return Ok(Created {
                    id: first.to_owned(),
                });
            }
        }
        let created_at = cx.store.clock.stamp(now);
        let mut message = self.message.create(cx, created_at);
        message.referenced = self.referenced;
        let created = Created {
            id: message.id.clone(),
        };
        if let Some(key) = self.key {
            let keys = &mut cx.store.conversation_mut(id)?.keys;
            keys.insert(now, &scope, key, &message.id);
        }
        messages::post(cx, id, message)?;
        if let Some(sender) = sender {
            typing::stop(cx, id, &sender);
        }
        Ok(created)
    }
}
