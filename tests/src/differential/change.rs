//! The kinds of changes in a history.

use anyhow::{Context, Result};
use fastrand::Rng;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use talk_tokio::{CallFuture, Error, ParticipantRef, Session};

use super::random::{pick, pick_weighted};
use super::world::{self, Reaction, Sent, SentMessages};

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Send,
    SendWithCustom,
    SendLocation,
    Reply,
    EditText,
    EditCustom,
    Delete,
    React,
    Unreact,
    Typing,
    MarkRead,
    MarkUnread,
    SetSubject,
    SetPhoto,
    SetCustom,
    SetWelcome,
    SetOwnParticipation,
    CreateConversation,
    AddParticipant,
    EditParticipant,
    RemoveParticipant,
    Leave,
    Rejoin,
    SetSelf,
    SetUser,
    CreateUser,
}

/// The kinds with their weights.
const WEIGHTS: [(Kind, usize); 26] = [
    (Kind::Send, 14),
    (Kind::SendWithCustom, 3),
    (Kind::SendLocation, 1),
    (Kind::Reply, 6),
    (Kind::EditText, 5),
    (Kind::EditCustom, 3),
    (Kind::Delete, 6),
    (Kind::React, 12),
    (Kind::Unreact, 5),
    (Kind::Typing, 4),
    (Kind::MarkRead, 5),
    (Kind::MarkUnread, 3),
    (Kind::SetSubject, 3),
    (Kind::SetPhoto, 2),
    (Kind::SetCustom, 4),
    (Kind::SetWelcome, 1),
    (Kind::SetOwnParticipation, 2),
    (Kind::CreateConversation, 5),
    (Kind::AddParticipant, 5),
    (Kind::EditParticipant, 4),
    (Kind::RemoveParticipant, 3),
    (Kind::Leave, 2),
    (Kind::Rejoin, 4),
    (Kind::SetSelf, 3),
    (Kind::SetUser, 3),
    (Kind::CreateUser, 2),
];

/// A change in flight.
pub(super) struct Change {
    /// The call, as a line of the log.
    pub(super) text: String,
    pub(super) result: BoxFuture<'static, Result<(), Error>>,
}

impl Kind {
    /// Returns all kinds.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        WEIGHTS.into_iter().map(|(kind, _)| kind)
    }

    pub(super) fn choose(rng: &mut Rng) -> Self {
        pick_weighted(rng, &WEIGHTS)
    }

    /// Starts a change of this kind. Returns `None` if nothing exists that it could change.
    pub(super) fn start(
        self,
        rng: &mut Rng,
        session: &Session,
        sent: &SentMessages,
    ) -> Result<Option<Change>> {
        match self {
            Self::Send => {
                let message = json!(text(rng));
                self.send(rng, session, sent, message)
            }
            Self::SendWithCustom => {
                let message = json!({ "text": text(rng), "custom": { key(rng): value(rng) } });
                self.send(rng, session, sent, message)
            }
            Self::SendLocation => {
                let place = json!({
                    "type": "location",
                    "latitude": f64::from(rng.i32(-90..=90)),
                    "longitude": f64::from(rng.i32(-180..=180)) / 8.0,
                });
                self.send(rng, session, sent, json!({ "content": [place] }))
            }
            Self::Reply => self.reply(rng, session, sent),
            Self::EditText | Self::EditCustom | Self::Delete => {
                self.change_message(rng, session, sent)
            }
            Self::React => self.react(rng, session, sent),
            Self::Unreact => self.unreact(rng, session, sent),
            Self::SetSelf | Self::SetUser | Self::CreateUser => self.change_user(rng, session),
            Self::Typing
            | Self::MarkRead
            | Self::MarkUnread
            | Self::SetSubject
            | Self::SetPhoto
            | Self::SetCustom
            | Self::SetWelcome
            | Self::SetOwnParticipation
            | Self::CreateConversation
            | Self::Rejoin => self.change_conversation(rng, session),
            Self::AddParticipant
            | Self::EditParticipant
            | Self::RemoveParticipant
            | Self::Leave => self.change_participant(rng, session),
        }
    }

    fn reply(
        self,
        rng: &mut Rng,
        session: &Session,
        sent: &SentMessages,
    ) -> Result<Option<Change>> {
        let Some(quoted) = sent.pick(rng) else {
            return Ok(None);
        };
        let message = json!({ "text": text(rng), "referencedMessage": quoted.message });
        Ok(Some(self.send_to(
            quoted.conversation,
            session,
            sent,
            message,
        )?))
    }

    fn send(
        self,
        rng: &mut Rng,
        session: &Session,
        sent: &SentMessages,
        message: Value,
    ) -> Result<Option<Change>> {
        let conversation = world::conversation(rng);
        Ok(Some(self.send_to(conversation, session, sent, message)?))
    }

    fn send_to(
        self,
        conversation: String,
        session: &Session,
        sent: &SentMessages,
        message: Value,
    ) -> Result<Change> {
        let text = format!("{conversation}: {message}");
        let call = session
            .conversation(conversation.as_str())?
            .send(params::<talk_tokio::SendMessage>(message)?);
        let sent = sent.clone();
        let sender = session.user_id().to_string();
        let result = async move {
            let message = call.await?.id().to_string();
            sent.push(Sent {
                conversation,
                message,
                sender,
            });
            Ok(())
        };
        Ok(Change {
            text,
            result: result.boxed(),
        })
    }

    fn change_message(
        self,
        rng: &mut Rng,
        session: &Session,
        sent: &SentMessages,
    ) -> Result<Option<Change>> {
        let Some(at) = sent.pick_own(rng, session.user_id().as_str()) else {
            return Ok(None);
        };
        let message = session
            .conversation(at.conversation.as_str())?
            .message(at.message.as_str())?;
        let (what, call) = match self {
            Self::Delete => (Value::Null, message.delete()),
            _ => {
                let edit = if self == Self::EditText {
                    json!(text(rng))
                } else {
                    json!({ "custom": custom(rng) })
                };
                let call = message.edit(params::<talk_tokio::EditMessage>(edit.clone())?);
                (edit, call)
            }
        };
        let text = format!("{}: {} {what}", at.conversation, at.message);
        Ok(Some(Change::new(text, call)))
    }

    fn react(
        self,
        rng: &mut Rng,
        session: &Session,
        sent: &SentMessages,
    ) -> Result<Option<Change>> {
        let Some(at) = sent.pick_popular(rng) else {
            return Ok(None);
        };
        let reaction = Reaction {
            at,
            emoji: world::emoji(rng),
            user: session.user_id().to_string(),
        };
        let call = reaction.of(session)?.add();
        let text = reaction.to_string();
        let sent = sent.clone();
        let result = async move {
            call.await?;
            sent.push_reaction(reaction);
            Ok(())
        };
        Ok(Some(Change {
            text,
            result: result.boxed(),
        }))
    }

    fn unreact(
        self,
        rng: &mut Rng,
        session: &Session,
        sent: &SentMessages,
    ) -> Result<Option<Change>> {
        let Some(reaction) = sent.pick_own_reaction(rng, session.user_id().as_str()) else {
            return Ok(None);
        };
        let call = reaction.of(session)?.remove();
        Ok(Some(Change::new(reaction.to_string(), call)))
    }

    fn change_conversation(self, rng: &mut Rng, session: &Session) -> Result<Option<Change>> {
        let id = match self {
            Self::CreateConversation => world::quiet_conversation(rng),
            _ => world::conversation(rng),
        };
        let conversation = session.conversation(id.as_str())?;
        let set = match self {
            Self::SetSubject => json!({ "subject": optional(rng, "About ") }),
            Self::SetPhoto => json!({ "photoUrl": optional(rng, "https://example.com/") }),
            Self::SetCustom => json!({ "custom": custom(rng) }),
            Self::SetWelcome => json!({ "welcomeMessages": [value(rng), value(rng)] }),
            Self::SetOwnParticipation => participation(rng),
            Self::CreateConversation => {
                json!({ "subject": optional(rng, "New "), "custom": { key(rng): value(rng) } })
            }
            _ => Value::Null,
        };
        let text = format!("{id}: {set}");
        let call = match self {
            Self::Typing => conversation.mark_as_typing(),
            Self::MarkRead => conversation.mark_as_read(),
            Self::MarkUnread => conversation.mark_as_unread(),
            Self::Rejoin => conversation.create_if_not_exists(Default::default()),
            Self::CreateConversation => conversation.create_if_not_exists(params(set)?),
            _ => conversation.set(params(set)?),
        };
        Ok(Some(Change::new(text, call)))
    }

    fn change_participant(self, rng: &mut Rng, session: &Session) -> Result<Option<Change>> {
        let conversation = world::conversation(rng);
        let user = match self {
            Self::Leave => session.user_id().to_string(),
            _ => world::user(rng),
        };
        let participant: ParticipantRef = session
            .conversation(conversation.as_str())?
            .participant(user.as_str())?;
        let set = participation(rng);
        let text = format!("{conversation}: {user} {set}");
        let call = match self {
            Self::AddParticipant if rng.bool() => participant.set(params(set)?),
            Self::AddParticipant => participant.create_if_not_exists(params(set)?),
            Self::EditParticipant => participant.edit(params(set)?),
            _ => participant.delete(),
        };
        Ok(Some(Change::new(text, call)))
    }

    fn change_user(self, rng: &mut Rng, session: &Session) -> Result<Option<Change>> {
        let id = match self {
            Self::SetSelf => session.user_id().to_string(),
            Self::SetUser => world::user(rng),
            _ => world::extra_user(rng),
        };
        let set = match rng.u8(..4) {
            0 => json!({ "name": value(rng), "photoUrl": optional(rng, "https://example.com/") }),
            1 => json!({ "name": value(rng), "custom": custom(rng) }),
            2 => json!({ "name": value(rng), "welcomeMessage": optional(rng, "Hi ") }),
            _ => json!({ "name": value(rng), "locale": optional(rng, "x-") }),
        };
        let text = format!("{id}: {set}");
        let user = session.user(id)?;
        let call = if self == Self::CreateUser {
            user.create_if_not_exists(params(set)?)
        } else {
            user.set(params(set)?)
        };
        Ok(Some(Change::new(text, call)))
    }
}

impl Change {
    pub(super) fn new(text: String, call: CallFuture<()>) -> Self {
        let result = call.boxed();
        Self { text, result }
    }
}

fn params<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value.clone()).with_context(|| format!("no arguments: {value}"))
}

fn text(rng: &mut Rng) -> String {
    let n = rng.u16(..);
    match rng.u8(..5) {
        0 => format!("*bold {n}* and _italic_"),
        1 => format!("- one\n- https://example.com/{n}"),
        2 => format!("é😀 {n}"),
        _ => format!("text {n}"),
    }
}

pub(super) fn key(rng: &mut Rng) -> &'static str {
    pick::<&str>(rng, &["color", "state", "search"])
}

pub(super) fn value(rng: &mut Rng) -> String {
    format!("v{}", rng.u8(..6))
}

/// Returns a change of custom data: a few keys, the removal of a key, or null.
fn custom(rng: &mut Rng) -> Value {
    match rng.u8(..6) {
        0 => Value::Null,
        1 | 2 => json!({ key(rng): null }),
        3 => json!({ key(rng): value(rng), "other": value(rng) }),
        _ => json!({ key(rng): value(rng) }),
    }
}

pub(super) fn optional(rng: &mut Rng, before: &str) -> Value {
    if rng.u8(..4) == 0 {
        Value::Null
    } else {
        json!(format!("{before}{}", value(rng)))
    }
}

/// Returns access and notify. Access is mostly `ReadWrite`, because users without it cannot send.
fn participation(rng: &mut Rng) -> Value {
    let access = if rng.u8(..6) == 0 {
        "Read"
    } else {
        "ReadWrite"
    };
    let choices = [json!(true), json!(false), json!("MentionsOnly")];
    let notify = pick(rng, &choices);
    match rng.u8(..3) {
        0 => json!({ "access": access }),
        1 => json!({ "notify": notify }),
        _ => json!({ "access": access, "notify": notify }),
    }
}
