//! Requests about participants and their read positions.

use serde::Deserialize;

use super::answer::invalid;
use super::call::Call;
use super::members::{self, Members};
use crate::server::conversation::{Access, Notify};
use crate::server::participants::{self, DEFAULT_NOTIFY, ParticipantParams};
use crate::server::patch::Patch;
use crate::server::read_state;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, done};
use crate::server::request_cx::RequestCx;
use crate::server::rest_version::RestVersion;

/// The access of a participant, with the value that only this API has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum RestAccess {
    ReadWrite,
    Read,
    None,
}

/// A read position: a time, or the last message.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum ReadUntil {
    At(u64),
    Sent(Sent),
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Sent {
    #[serde(rename = "sent")]
    Sent,
}

const ACCESS: &str = "ReadWrite or Read";
const NOTIFY: &str = "true, false or MentionsOnly";

/// `PUT /conversations/{c}/participants/{u}`: joins, or overwrites. An absent member returns to its
/// default, so the request differs from that of the socket.
pub(super) fn put(cx: &mut RequestCx<'_>, id: &str, user: &str, call: &Call) -> Reply {
    let object = call.object("INVALID_PARTICIPANT")?;
    let mut members = Members::new(&object);
    let params = ParticipantParams {
        access: set_or_reset(members.read::<Access>("access", ACCESS)),
        notify: set_or_reset(members.read::<Notify>("notify", NOTIFY)),
    };
    let params = members.finish(params).map_err(refuse)?;
    cx.store.conversation(id)?;
    cx.store.user(user)?;
    join_or_edit(cx, id, user, params)?;
    done()
}

fn set_or_reset<T>(patch: Patch<T>) -> Patch<T> {
    match patch {
        Patch::Set(value) => Patch::Set(value),
        Patch::Keep | Patch::Reset => Patch::Reset,
    }
}

fn join_or_edit(
    cx: &mut RequestCx<'_>,
    id: &str,
    user: &str,
    params: ParticipantParams,
) -> Result<(), Refusal> {
    if cx.store.conversation(id)?.participants.contains_key(user) {
        participants::edit(cx, id, user, params)
    } else {
        participants::join(cx, id, user, params)
    }
}

/// `PATCH /conversations/{c}/participants/{u}`. A user whose access was `None` returns with any
/// other access.
pub(super) fn patch(cx: &mut RequestCx<'_>, id: &str, user: &str, call: &Call) -> Reply {
    let object = call.object("INVALID_PARTICIPANT")?;
    let mut members = Members::new(&object);
    let access = members.read::<RestAccess>("access", "ReadWrite, Read or None");
    let notify = members.read::<Notify>("notify", NOTIFY);
    let read_until = members.optional::<u64>("readUntil", "a time in unix milliseconds");
    let (access, notify) = members.finish((access, notify)).map_err(refuse)?;

    let conversation = cx.store.conversation(id)?;
    let suspended = conversation.suspended.get(user).map(|it| it.notify);
    if !conversation.participants.contains_key(user) {
        let Some(before) = suspended else {
            return Err(Refusal::participant_not_found());
        };
        if matches!(access, Patch::Keep | Patch::Set(RestAccess::None)) {
            return patch_suspended(cx, id, user, notify);
        }
        let params = ParticipantParams {
            access: access_of(&access),
            notify: match notify {
                Patch::Keep => Patch::Set(before),
                notify => notify,
            },
        };
        participants::join(cx, id, user, params)?;
    } else {
        let params = ParticipantParams {
            access: access_of(&access),
            notify,
        };
        participants::edit(cx, id, user, params)?;
    }
    if let Some(at) = read_until {
        read_state::set_read_until(cx, id, user, at)?;
    }
    if access == Patch::Set(RestAccess::None) {
        participants::suspend(cx, id, user)?;
    }
    done()
}

fn access_of(access: &Patch<RestAccess>) -> Patch<Access> {
    match access {
        Patch::Reset => Patch::Reset,
        Patch::Set(RestAccess::ReadWrite) => Patch::Set(Access::ReadWrite),
        Patch::Set(RestAccess::Read) => Patch::Set(Access::Read),
        Patch::Keep | Patch::Set(RestAccess::None) => Patch::Keep,
    }
}

/// Changes the notification setting of a user without access. The view is frozen, so the read
/// position stays (our choice).
fn patch_suspended(cx: &mut RequestCx<'_>, id: &str, user: &str, notify: Patch<Notify>) -> Reply {
    let conversation = cx.store.conversation_mut(id)?;
    if let Some(suspended) = conversation.suspended.get_mut(user) {
        notify.apply_or(&mut suspended.notify, DEFAULT_NOTIFY);
    }
    done()
}

/// `DELETE /conversations/{c}/participants/{u}`, also for users that are no participants.
pub(super) fn delete(cx: &mut RequestCx<'_>, id: &str, user: &str, call: &Call) -> Reply {
    cx.store.conversation(id)?;
    cx.store.user(user)?;
    if call.version < RestVersion::V2021_07_30 {
        // The conversation stays in the user's list (our choice: as without access).
        participants::suspend(cx, id, user)?;
        return done();
    }
    participants::leave(cx, id, user)?;
    let conversation = cx.store.conversation(id)?;
    if conversation.suspended.contains_key(user) {
        cx.store.conversation_mut(id)?.suspended.remove(user);
    }
    done()
}

/// `PATCH /users/{u}/conversations/{c}`
pub(super) fn patch_read_until(cx: &mut RequestCx<'_>, user: &str, id: &str, call: &Call) -> Reply {
    let object = call.object("INVALID_PARTICIPANT")?;
    let mut members = Members::new(&object);
    let expected = "a time in unix milliseconds, or sent";
    let read_until = members.optional::<ReadUntil>("readUntil", expected);
    let read_until = members.finish(read_until).map_err(refuse)?;
    let read_until = read_until.ok_or_else(|| {
        let reason = "readUntil: is required";
        invalid("INVALID_PARTICIPANT", reason)
    })?;
    cx.store.user(user)?;
    check_participant(cx, id, user)?;
    match read_until {
        ReadUntil::At(at) => read_state::set_read_until(cx, id, user, at)?,
        ReadUntil::Sent(Sent::Sent) => {
            cx.acting_as(user, |cx| read_state::mark_read(cx, id))?;
        }
    }
    done()
}

/// `POST /conversations/{c}/readBy/{u}`
pub(super) fn read_by(cx: &mut RequestCx<'_>, id: &str, user: &str) -> Reply {
    cx.store.user(user)?;
    check_participant(cx, id, user)?;
    cx.acting_as(user, |cx| read_state::mark_read(cx, id))
}

fn check_participant(cx: &RequestCx<'_>, id: &str, user: &str) -> Result<(), Refusal> {
    let is_in = cx.store.conversation(id)?.participants.contains_key(user);
    is_in
        .then_some(())
        .ok_or_else(Refusal::participant_not_found)
}

fn refuse(reasons: Vec<String>) -> Refusal {
    members::refuse("INVALID_PARTICIPANT", &reasons)
}
