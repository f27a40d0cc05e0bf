//! Requests about the participants of a conversation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::conversation::{Access, Notify, Participation};
use super::events::{Event, ParticipantDiff};
use super::output::ConnectionId;
use super::page::{self, Cursor, Page, PageRequest};
use super::patch::{Diff, Patch};
use super::read_state;
use super::refusal::{Refusal, RefusalBody};
use super::reply::{Body, Reply, done, reply};
use super::request_cx::RequestCx;
use super::subscribers::{Part, Topic};
use super::typing;

/// The maximum number of actions in a request.
const MAX_ACTIONS: usize = 100;

pub(super) const DEFAULT_NOTIFY: Notify = Notify::Always(true);

#[derive(Debug, Deserialize)]
struct Batch {
    actions: Vec<Action>,
}

#[derive(Debug, Deserialize)]
struct Action {
    id: String,
    method: ActionMethod,
    #[serde(default)]
    params: ParticipantParams,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum ActionMethod {
    /// Joins. Refused for a participant.
    Post,
    /// Edits, or joins.
    Put,
    /// Edits. Refused for other users.
    Patch,
}

/// Other members are ignored: clients send the attributes of the conversation here too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ParticipantParams {
    pub(super) access: Patch<Access>,
    pub(super) notify: Patch<Notify>,
}

#[derive(Debug, Serialize)]
struct Responses<'a> {
    responses: Vec<Response<'a>>,
}

#[derive(Debug, Serialize)]
struct Response<'a> {
    status: u16,
    #[serde(flatten)]
    refusal: Option<RefusalBody<'a>>,
}

/// `GET /me/conversations/{c}/participants`
pub(super) fn list(cx: &RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let request: PageRequest = body.parse()?;
    let size = request.size(page::PARTICIPANTS)?;
    let before = request.cursor()?.map_or(u64::MAX, |cursor| cursor.after.at);
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let participants = conversation
        .by_joined
        .range(..before)
        .rev()
        .filter_map(|(at, user)| Some((*at, conversation.participants.get(user)?.view(user))));
    reply(&Page::collect(participants, size, Cursor::at))
}

/// `GET /me/conversations/{c}/participants/{u}`
pub(super) fn get(cx: &RequestCx<'_>, id: &str, user: &str) -> Reply {
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let participation = conversation
        .participants
        .get(user)
        .ok_or_else(Refusal::participant_not_found)?;
    reply(&participation.view(user))
}

/// `POST /conversations/{c}/participants`. Each action has its own response.
pub(super) fn batch(cx: &mut RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let Batch { actions } = body.parse()?;
    if actions.len() > MAX_ACTIONS {
        let reason = format!(
            "At most {MAX_ACTIONS} actions at a time, not {}.",
            actions.len()
        );
        return Err(Refusal::invalid("INVALID_REQUEST", reason));
    }
    let results: Vec<Result<(), Refusal>> = actions
        .into_iter()
        .map(|action| act(cx, id, action))
        .collect();
    let responses = results.iter().map(|result| match result {
        Ok(()) => Response {
            status: 200,
            refusal: None,
        },
        Err(refusal) => Response {
            status: refusal.status,
            refusal: Some(refusal.body()),
        },
    });
    reply(&Responses {
        responses: responses.collect(),
    })
}

fn act(cx: &mut RequestCx<'_>, id: &str, action: Action) -> Result<(), Refusal> {
    let Action {
        id: user,
        method,
        params,
    } = action;
    let is_in = cx
        .store
        .conversations
        .get(id)
        .is_some_and(|conversation| conversation.participants.contains_key(&user));
    if !is_in {
        if !matches!(method, ActionMethod::Patch) {
            cx.store.user(&user)?;
        }
        cx.store.conversation(id)?;
    }
    match method {
        ActionMethod::Post if is_in => Err(Refusal::new(
            409,
            "PARTICIPANT_ALREADY_EXISTS",
            "This user is a participant of the conversation.",
        )),
        ActionMethod::Patch if !is_in => Err(Refusal::participant_not_found()),
        _ if is_in => {
            check_sync(cx, &user, Some(&params))?;
            edit(cx, id, &user, params)
        }
        _ => {
            check_sync(cx, &user, None)?;
            join(cx, id, &user, params)
        }
    }
}

/// Refuses changes of participants if conversation sync is off. Participants may then still change
/// their own `notify`.
fn check_sync(
    cx: &RequestCx<'_>,
    user: &str,
    params: Option<&ParticipantParams>,
) -> Result<(), Refusal> {
    let only_mine = params.is_some_and(|params| user == cx.me && !params.access.is_given());
    if cx.settings.sync.conversations || only_mine {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "UNAUTHORIZED_TO_EDIT_PARTICIPANT",
        "Clients may not change the participants of conversations of this app.",
    ))
}

/// Edits a participant.
pub(super) fn edit(
    cx: &mut RequestCx<'_>,
    id: &str,
    user: &str,
    params: ParticipantParams,
) -> Result<(), Refusal> {
    let conversation = cx.store.conversation_mut(id)?;
    let participation = conversation
        .participants
        .get_mut(user)
        .ok_or_else(Refusal::participant_not_found)?;
    let diff = ParticipantDiff {
        access: params
            .access
            .apply_or(&mut participation.access, Access::ReadWrite),
        notify: params
            .notify
            .apply_or(&mut participation.notify, DEFAULT_NOTIFY),
    };
    if !diff.is_empty() {
        let mut to = watchers(cx, id, user);
        to.extend(cx.subscribers.for_side(id, user));
        cx.events.push(
            to,
            &Event::ParticipantEdited {
                conversation_id: id,
                user_id: user,
                diff,
            },
        );
    }
    Ok(())
}

/// Adds a user with the default rights.
pub(super) fn add(cx: &mut RequestCx<'_>, id: &str, user: &str) -> Result<(), Refusal> {
    cx.store.user(user)?;
    join(cx, id, user, ParticipantParams::default())
}

/// Adds a user. The user must not be a participant yet.
pub(super) fn join(
    cx: &mut RequestCx<'_>,
    id: &str,
    user: &str,
    params: ParticipantParams,
) -> Result<(), Refusal> {
    let max = cx.settings.limits.participants;
    if cx.store.conversation(id)?.participants.len() >= max {
        let reason = format!("A conversation has at most {max} participants.");
        return Err(Refusal::forbidden("TOO_MANY_PARTICIPANTS", reason));
    }
    let (mut access, mut notify) = (Access::ReadWrite, DEFAULT_NOTIFY);
    params.access.apply_or(&mut access, Access::ReadWrite);
    params.notify.apply_or(&mut notify, DEFAULT_NOTIFY);

    let before = read_state::snapshot(cx, id);
    let joined_at = cx.store.clock.stamp(cx.millis());
    cx.store
        .conversation_mut(id)?
        .join(user, access, notify, joined_at);
    cx.store.add_to_inbox(id, user);
    publish_joined(cx, id, user);
    read_state::publish_changes(cx, id, before);
    Ok(())
}

/// Notifies the new participant of the conversation, and the others of the participant.
fn publish_joined(cx: &mut RequestCx<'_>, id: &str, user: &str) {
    let Ok((conversation, participation)) = cx.store.joined(id, user) else {
        return;
    };
    let state = conversation.side(id, participation);
    let to = cx.subscribers.for_any_part(id, user);
    cx.events.push(
        to,
        &Event::SideCreated {
            conversation_id: id,
            state,
        },
    );

    let typing = cx
        .subscribers
        .for_topic(&Topic::part(id, Part::Typing))
        .filter(|(_, receiver)| ***receiver == *user)
        .map(|(connection, _)| connection);
    let state = cx.typing.view(id, user);
    cx.events.push(
        typing,
        &Event::TypingAvailable {
            conversation_id: id,
            state,
        },
    );

    let state = participation.view(user);
    let event = Event::ParticipantCreated {
        conversation_id: id,
        user_id: user,
        state,
    };
    let mut to = watchers(cx, id, user);
    to.retain(|connection| !cx.subscribers.belongs_to(*connection, user));
    cx.events.push(to, &event);
}

/// `DELETE /conversations/{c}/participants/{u}`
pub(super) fn remove(cx: &mut RequestCx<'_>, id: &str, user: &str) -> Reply {
    let conversation = cx.store.conversation(id)?;
    if !conversation.participants.contains_key(user) {
        return Err(Refusal::participant_not_found());
    }
    check_sync(cx, user, None)?;
    if user == cx.me {
        cx.allow(|role| role.leave, "leave conversations")?;
    }
    leave(cx, id, user)?;
    done()
}

/// Removes a participant. Returns the participation, if there was one.
pub(super) fn leave(
    cx: &mut RequestCx<'_>,
    id: &str,
    user: &str,
) -> Result<Option<Participation>, Refusal> {
    typing::stop(cx, id, user);
    let before = read_state::snapshot(cx, id);
    cx.store.remove_from_inbox(id, user);
    let left = cx.store.conversation_mut(id)?.leave(user);
    if left.is_none() {
        return Ok(None);
    }

    let to = cx.subscribers.for_any_part(id, user);
    cx.events.push(
        to,
        &Event::SideDeleted {
            conversation_id: id,
        },
    );
    let event = Event::ParticipantDeleted {
        conversation_id: id,
        user_id: user,
    };
    cx.events.push(watchers(cx, id, user), &event);
    read_state::publish_changes(cx, id, before);
    Ok(left)
}

/// Removes a participant, and keeps the join time and the read position for a return.
pub(super) fn suspend(cx: &mut RequestCx<'_>, id: &str, user: &str) -> Result<(), Refusal> {
    if let Some(left) = leave(cx, id, user)? {
        let conversation = cx.store.conversation_mut(id)?;
        conversation.suspended.insert(user.to_owned(), left);
    }
    Ok(())
}

/// Returns the connections of participants that are subscribed to this participant.
fn watchers(cx: &RequestCx<'_>, id: &str, user: &str) -> BTreeSet<ConnectionId> {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return BTreeSet::new();
    };
    let all = cx
        .subscribers
        .for_part(id, Part::Participants, conversation);
    let one = cx
        .subscribers
        .for_part(id, Part::Participant(user.to_owned()), conversation);
    all.chain(one).map(|(connection, _)| connection).collect()
}
