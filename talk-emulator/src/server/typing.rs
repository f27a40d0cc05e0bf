//! Who is typing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use talk_proto::Time;

use super::context::{Context, role_of};
use super::dispatch::{Reply, done, reply};
use super::events::{Event, TypingDiff};
use super::subscribers::Part;
use super::timers::Timer;

/// How long somebody counts as typing.
const LASTS: Duration = Duration::from_secs(10);

/// How many are told by name.
const MAX_LISTED: usize = 5;

/// Who is typing in each conversation of an app. Not kept when the server stops.
#[derive(Debug, Default)]
pub(super) struct TypingNow {
    conversations: BTreeMap<String, BTreeMap<String, Typist>>,
}

#[derive(Debug, Clone, Copy)]
struct Typist {
    since: u64,
    until: Time,
}

/// Who is typing, as one receiver sees it: `{many: false, usersTyping}` or `{many: true}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypingView {
    many: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    users_typing: Option<BTreeMap<String, u64>>,
}

impl TypingNow {
    /// Who is typing, the receiver aside.
    pub(super) fn view(&self, conversation: &str, receiver: &str) -> TypingView {
        let others: BTreeMap<String, u64> = self
            .others(conversation, receiver)
            .map(|(user, typist)| (user.clone(), typist.since))
            .collect();
        let many = others.len() > MAX_LISTED;
        TypingView {
            many,
            users_typing: (!many).then_some(others),
        }
    }

    fn others<'a>(
        &'a self,
        conversation: &str,
        receiver: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Typist)> + use<'a> {
        self.conversations
            .get(conversation)
            .into_iter()
            .flatten()
            .filter(move |(user, _)| user.as_str() != receiver)
    }

    /// What tells this receiver that `user` has just started; `None` if nothing needs telling.
    fn started<'a>(
        &'a self,
        conversation: &str,
        user: &'a str,
        receiver: &'a str,
    ) -> Option<TypingDiff<'a>> {
        let typist = self.conversations.get(conversation)?.get(user)?;
        match self.others(conversation, receiver).count() {
            0..=MAX_LISTED => Some(TypingDiff {
                many: None,
                users_typing: Some(BTreeMap::from([(user, Some(typist.since))])),
            }),
            count if count == MAX_LISTED + 1 => Some(TypingDiff {
                many: Some(true),
                users_typing: None,
            }),
            _ => None,
        }
    }

    /// What tells this receiver that `user` has just stopped; `None` if nothing needs telling.
    fn stopped<'a>(
        &'a self,
        conversation: &str,
        user: &'a str,
        receiver: &'a str,
    ) -> Option<TypingDiff<'a>> {
        match self.others(conversation, receiver).count() {
            0..MAX_LISTED => Some(TypingDiff {
                many: None,
                users_typing: Some(BTreeMap::from([(user, None)])),
            }),
            MAX_LISTED => {
                let listed = self.others(conversation, receiver);
                Some(TypingDiff {
                    many: Some(false),
                    users_typing: Some(
                        listed
                            .map(|(user, typist)| (user.as_str(), Some(typist.since)))
                            .collect(),
                    ),
                })
            }
            _ => None,
        }
    }
}

/// `GET /me/conversations/{c}/typing`
pub(super) fn get(cx: &Context<'_>, conversation: &str) -> Reply {
    cx.store.joined(conversation, cx.me)?;
    cx.allow(|role| role.typing_indicators, "see who is typing")?;
    reply(&cx.typing.view(conversation, cx.me))
}

/// `POST /me/conversations/{c}/typing`
pub(super) fn start(cx: &mut Context<'_>, conversation: &str) -> Reply {
    cx.store.joined(conversation, cx.me)?;
    cx.allow(|role| role.typing_indicators, "be shown as typing")?;
    let until = cx.now + LASTS;
    let typists = cx
        .typing
        .conversations
        .entry(conversation.to_owned())
        .or_default();
    let timer = Timer::TypingEnds {
        app: cx.app.to_owned(),
        conversation: conversation.to_owned(),
        user: cx.me.to_owned(),
    };
    cx.timers.set(until, timer.clone());
    if let Some(typist) = typists.get_mut(cx.me) {
        let before = std::mem::replace(&mut typist.until, until);
        if before != until {
            cx.timers.cancel(before, timer);
        }
    } else {
        let since = cx.store.clock.stamp(cx.now.as_millis());
        typists.insert(cx.me.to_owned(), Typist { since, until });
        tell(cx, conversation, cx.me, TypingNow::started);
    }
    done()
}

/// `user` is not typing any more: the time is over, they have sent something, or they left.
pub(super) fn stop(cx: &mut Context<'_>, conversation: &str, user: &str) {
    let Some(typists) = cx.typing.conversations.get_mut(conversation) else {
        return;
    };
    let Some(typist) = typists.remove(user) else {
        return;
    };
    if typists.is_empty() {
        cx.typing.conversations.remove(conversation);
    }
    let timer = Timer::TypingEnds {
        app: cx.app.to_owned(),
        conversation: conversation.to_owned(),
        user: user.to_owned(),
    };
    cx.timers.cancel(typist.until, timer);
    tell(cx, conversation, user, TypingNow::stopped);
}

type Change = for<'a> fn(&'a TypingNow, &str, &'a str, &'a str) -> Option<TypingDiff<'a>>;

/// Tells every receiver what a change of `user` is to them.
fn tell(cx: &mut Context<'_>, id: &str, user: &str, change: Change) {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return;
    };
    for (connection, receiver) in cx.subscribers.of_part(id, Part::Typing, conversation) {
        if **receiver == *user || !role_of(cx.store, cx.settings, receiver).typing_indicators {
            continue;
        }
        if let Some(diff) = change(cx.typing, id, user, receiver) {
            cx.outbox.tell(
                [connection],
                &Event::TypingChanged {
                    conversation_id: id,
                    diff,
                },
            );
        }
    }
}
