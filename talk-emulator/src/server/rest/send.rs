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

/// A message of the list that is to be sent.
enum Send {
    /// The ID of the message that was sent with the same key.
    Repeat(Created),
    New(NewSend),
}

/// A message with the members that imports do not have. Its body is valid.
struct NewSend {
    message: NewMessage,
    referenced: Option<String>,
    key: Option<String>,
}

/// Sends the messages in order. The list is checked as a whole before the first one is sent (our
/// choice), and its form before the conversation. Access, roles and sync do not restrict it (our
/// choice).
pub(super) fn send(cx: &mut RequestCx<'_>, id: &str, call: &Call) -> Reply {
    let list = objects(call, MAX_MESSAGES)?;
    let all = list
        .iter()
        .map(|object| NewSend::read(cx, object))
        .collect::<Result<Vec<_>, _>>()?;
    cx.store.conversation(id)?;
    let all = all
        .into_iter()
        .map(|new| new.check(cx, id))
        .collect::<Result<Vec<_>, _>>()?;
    let created = all
        .into_iter()
        .map(|send| send.run(cx, id))
        .collect::<Result<Vec<_>, _>>()?;
    reply(&created)
}

impl Send {
    fn run(self, cx: &mut RequestCx<'_>, id: &str) -> Result<Created, Refusal> {
        match self {
            Self::Repeat(first) => Ok(first),
            Self::New(new) => new.run(cx, id),
        }
    }
}

/// Returns the message that was sent with a key. The scope of a key is the conversation and the
/// sender, or the conversation for system messages (our choice).
fn repeated(
    cx: &mut RequestCx<'_>,
    id: &str,
    sender: Option<&str>,
    key: &str,
) -> Result<Option<Created>, Refusal> {
    let now = cx.millis();
    let keys = &mut cx.store.conversation_mut(id)?.keys;
    let first = keys.find(now, sender.unwrap_or_default(), key);
    Ok(first.map(|id| Created { id: id.to_owned() }))
}

impl NewSend {
    fn read(cx: &RequestCx<'_>, object: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut members = Members::new(object);
        let referenced: Option<String> = members.optional("referencedMessageId", "a string");
        let key: Option<String> = members.optional("idempotencyKey", "a string");
        if key
            .as_ref()
            .is_some_and(|key| key.is_empty() || key.len() > MAX_KEY)
        {
            members.refuse(format!("idempotencyKey: must have 1 to {MAX_KEY} bytes"));
        }
        let (referenced, key) = members
            .finish((referenced, key))
            .map_err(|reasons| members::refuse("INVALID_MESSAGE", &reasons))?;
        let message = NewMessage::read(cx, object)?;
        if referenced.is_some() && message.sender.is_none() {
            return Err(invalid(
                "INVALID_REFERENCED_MESSAGE",
                "A system message references no message.",
            ));
        }
        Ok(Self {
            message,
            referenced,
            key,
        })
    }

    /// Checks the message in its conversation.
    fn check(self, cx: &mut RequestCx<'_>, id: &str) -> Result<Send, Refusal> {
        // A repeated key returns the first result, even if the conversation has changed since.
        let sender = self.message.sender.as_deref();
        if let Some(key) = &self.key
            && let Some(first) = repeated(cx, id, sender, key)?
        {
            return Ok(Send::Repeat(first));
        }
        self.message.check_sender(cx, id)?;
        messages::check_reference(cx, id, self.referenced.as_deref())?;
        Ok(Send::New(self))
    }

    /// Sends the message, unless an earlier message of the list has the same key.
    fn run(self, cx: &mut RequestCx<'_>, id: &str) -> Result<Created, Refusal> {
        let now = cx.millis();
        let sender = self.message.sender.clone();
        let scope = sender.clone().unwrap_or_default();
        if let Some(key) = &self.key
            && let Some(first) = repeated(cx, id, sender.as_deref(), key)?
        {
            return Ok(first);
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
