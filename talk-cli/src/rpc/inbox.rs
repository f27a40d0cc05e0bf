//! The calls of inboxes.

use serde::Deserialize;
use serde_json::value::RawValue;
use talk_tokio::inbox::{InboxBuilder, InboxStart};
use talk_tokio::{ConversationFilter, Session};

use super::action::Action;
use super::args::{Args, whole_number};
use super::state::Rpc;
use crate::failure::Failure;

/// The options of an inbox.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Params {
    conversation: Option<String>,
    filter: Option<ConversationFilter>,
    start: Option<Box<RawValue>>,
    own: Option<bool>,
    system: Option<bool>,
    max_unacked: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StartName {
    Now,
    Beginning,
}

/// Reads the name and the options of an inbox.
fn builder(session: &Session, args: &mut Args) -> Result<InboxBuilder, Failure> {
    let name = args.text("name")?;
    let params: Params = args.strict_params()?;
    let mut inbox = match params.conversation {
        Some(id) => session.conversation(id)?.inbox(name),
        None => session.inbox(name),
    };
    if let Some(filter) = params.filter {
        inbox = inbox.filter(filter);
    }
    if let Some(given) = params.start {
        inbox = inbox.start(start(&given)?);
    }
    if let Some(own) = params.own {
        inbox = inbox.own(own);
    }
    if let Some(system) = params.system {
        inbox = inbox.system(system);
    }
    if let Some(count) = params.max_unacked {
        let count = whole_number(&count, "maxUnacked")?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        // A caller that names a number expects so many deliveries, also of one conversation.
        inbox = inbox.max_unacked(count).max_per_conversation(count);
    }
    Ok(inbox)
}

fn start(given: &RawValue) -> Result<InboxStart, Failure> {
    match serde_json::from_str(given.get()) {
        Ok(StartName::Now) => Ok(InboxStart::Now),
        Ok(StartName::Beginning) => Ok(InboxStart::Beginning),
        // Not an untagged enum, which refuses a time that is written as a float.
        Err(_) => match serde_json::from_str(given.get()) {
            Ok(time) => Ok(InboxStart::At(time)),
            Err(_) => Err(Failure::usage(
                "start must be \"now\", \"beginning\" or a time in milliseconds",
            )),
        },
    }
}

/// Opens an inbox. The result has the number of the inbox, and is returned when its start position
/// is stored.
pub(super) fn open(rpc: &Rpc, args: &mut Args) -> Result<Action, Failure> {
    let inbox = builder(&rpc.session, args)?;
    Ok(Action::Start(Box::new(move |rpc, id| {
        rpc.inboxes.start(id, inbox);
    })))
}

/// Acknowledges a delivery.
pub(super) fn ack(rpc: &Rpc, args: &mut Args) -> Result<Action, Failure> {
    let number = args.number("inbox")?;
    let delivery = args.number("delivery")?;
    Ok(Action::Call(rpc.inboxes.ack(number, delivery)?))
}
