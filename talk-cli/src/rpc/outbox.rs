//! The calls of the outbox.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use talk_tokio::outbox::{Enqueue, EntryId, OutboxEntry};
use talk_tokio::{CommandError, ConversationRef, Error, Timestamp};

use super::action::Action;
use super::args::{Args, whole_number};
use super::output::json;
use super::state::Rpc;
use super::uploads::QueuedFile;
use crate::failure::Failure;

/// The options of an entry.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Params {
    dedup_key: Option<String>,
    /// Belongs to the key, and has no effect without one.
    at: Option<Timestamp>,
    /// The number of an inbox, and of the delivery to acknowledge.
    ack: Option<[Box<RawValue>; 2]>,
    #[serde(default)]
    files: Vec<QueuedFile>,
}

/// Enqueues a message, and acknowledges the delivery that it answers. The result has the ID of the
/// entry, and is returned when the entry is stored.
pub(super) fn enqueue(
    rpc: &Rpc,
    conversation: ConversationRef,
    args: &mut Args,
) -> Result<Action, Failure> {
    #[derive(Serialize)]
    struct Stored {
        entry: EntryId,
    }
    let mut message = Enqueue::from(args.message()?);
    let Params {
        dedup_key,
        at,
        ack,
        files,
    } = args.strict_params()?;
    for file in files {
        message = message.file(file.open()?);
    }
    if let Some(name) = dedup_key {
        message = message.dedup_key(name, at.unwrap_or_default());
    }
    if let Some([inbox, delivery]) = ack {
        let inbox = whole_number(&inbox, "inbox")?;
        let delivery = whole_number(&delivery, "delivery")?;
        let id = conversation.id();
        let replied = rpc.inboxes.reply(inbox, delivery, id, message)?;
        return Ok(Action::Call(Box::pin(async move {
            let entry = replied.await?;
            json(&Stored { entry })
        })));
    }
    Ok(Action::Call(Box::pin(async move {
        let entry = conversation.enqueue(message).stored().await?;
        json(&Stored { entry })
    })))
}

fn entry(rpc: &Rpc, args: &mut Args) -> Result<OutboxEntry, Failure> {
    let id = EntryId::new(args.text("entry")?)?;
    Ok(rpc.session.outbox_entry(id))
}

/// Changes an entry. The result is `false` if the state of the entry does not allow the change, or
/// if the entry is unknown.
pub(super) fn update<F>(
    rpc: &Rpc,
    args: &mut Args,
    read: impl FnOnce(&mut Args, OutboxEntry) -> Result<F, Failure>,
) -> Result<Action, Failure>
where
    F: Future<Output = Result<bool, Error>> + Send + 'static,
{
    let entry = entry(rpc, args)?;
    let update = read(args, entry)?;
    Ok(Action::Call(Box::pin(async move {
        match update.await {
            Err(Error::Usage(CommandError::UnknownEntry)) => json(&false),
            result => json(&result?),
        }
    })))
}

/// Edits the message of an entry as soon as it is sent. The message of an entry that has left the
/// outbox is edited at once.
pub(super) fn edit_after(rpc: &Rpc, args: &mut Args) -> Result<Action, Failure> {
    let entry = entry(rpc, args)?;
    let edit = args.edit()?;
    Ok(Action::Call(Box::pin(async move {
        if !entry.edit_after(edit.clone()).await? {
            entry.sent().await?.edit(edit).await?;
        }
        json(&())
    })))
}

/// Deletes the message of an entry like [`edit_after`].
pub(super) fn delete_after(rpc: &Rpc, args: &mut Args) -> Result<Action, Failure> {
    let entry = entry(rpc, args)?;
    Ok(Action::Call(Box::pin(async move {
        if !entry.delete_after().await? {
            entry.sent().await?.delete().await?;
        }
        json(&())
    })))
}

/// Waits until an entry is sent.
pub(super) fn sent(rpc: &Rpc, args: &mut Args) -> Result<Action, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent<'a> {
        message_ref: &'a str,
    }
    let entry = entry(rpc, args)?;
    Ok(Action::Call(Box::pin(async move {
        let message = entry.sent().await?;
        json(&Sent {
            message_ref: message.id().as_str(),
        })
    })))
}

/// Wraps a call without a result.
pub(super) fn done<F>(call: F) -> Result<Action, Failure>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    Ok(Action::Call(Box::pin(async move { json(&call.await?) })))
}
