//! `POST /import/conversations/{c}/messages`

use serde_json::{Map, Value};
use tracing::warn;

use super::call::Call;
use super::members::{self, Members};
use super::new_message::{NewMessage, objects};
use super::send::Created;
use crate::server::message::{Message, Origin};
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, reply};
use crate::server::request_cx::RequestCx;

/// The maximum number of messages in a request (our choice). Documentation and scripts disagree.
const MAX_MESSAGES: usize = 1000;

/// The maximum number in the newest documented script. More are logged.
const DOCUMENTED_MESSAGES: usize = 100;

struct Imported {
    message: NewMessage,
    created_at: u64,
    read_by: Vec<String>,
}

/// Imports messages with their times. Nothing is deduplicated, and no client is notified.
pub(super) fn import(cx: &mut RequestCx<'_>, id: &str, call: &Call) -> Reply {
    let list = objects(call, MAX_MESSAGES)?;
    if list.len() > DOCUMENTED_MESSAGES {
        warn!("the service may refuse an import of more than {DOCUMENTED_MESSAGES} messages");
    }
    let all = list
        .iter()
        .map(|object| Imported::read(cx, object))
        .collect::<Result<Vec<_>, _>>()?;
    cx.store.conversation(id)?;
    for imported in &all {
        imported.message.check_sender(cx, id)?;
    }
    let mut created = Vec::new();
    for imported in all {
        let message = imported.message.create(cx, imported.created_at);
        created.push(Created {
            id: message.id.clone(),
        });
        insert(cx, id, message, &imported.read_by)?;
    }
    reply(&created)
}

impl Imported {
    fn read(cx: &RequestCx<'_>, object: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut members = Members::new(object);
        let expected = "a time in unix milliseconds";
        let created_at: Option<u64> = members.optional("createdAt", expected);
        let timestamp: Option<u64> = members.optional("timestamp", expected);
        let read_by: Option<Vec<String>> = members.optional("readBy", "a list of user ids");
        let created_at = created_at.or(timestamp);
        if created_at.is_none() {
            members.refuse("createdAt: is required");
        }
        let (created_at, read_by) = members
            .finish((created_at.unwrap_or_default(), read_by.unwrap_or_default()))
            .map_err(|reasons| members::refuse("INVALID_MESSAGE", &reasons))?;
        Ok(Self {
            message: NewMessage::read(cx, object)?,
            // A time in the future becomes now (our choice). Later messages would sort before it.
            created_at: created_at.min(cx.millis()),
            read_by,
        })
    }
}

/// Inserts a message. The readers' positions move forward to it.
fn insert(
    cx: &mut RequestCx<'_>,
    id: &str,
    mut message: Message,
    read_by: &[String],
) -> Result<(), Refusal> {
    message.origin = Origin::Import;
    let created_at = message.created_at;
    let conversation = cx.store.conversation_mut(id)?;
    for (user, participation) in &mut conversation.participants {
        if message.is_unread_by(user, participation.read_until) {
            participation.unread += 1;
        }
    }
    cx.store.change_activity(id, |conversation| {
        conversation.messages.insert(message);
        for user in read_by {
            let read_until = conversation.participants.get(user).map(|it| it.read_until);
            if read_until.is_some_and(|read_until| read_until < created_at) {
                conversation.set_read_until(user, created_at);
            }
        }
    });
    Ok(())
}
