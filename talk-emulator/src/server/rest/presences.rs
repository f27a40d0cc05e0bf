//! Requests about the online state of users.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::call::Call;
use super::members::{self, Members};
use crate::server::patch::Patch;
use crate::server::reply::{Reply, reply};
use crate::server::request_cx::RequestCx;

/// The presence of an online user. An authenticated connection is a background session; with a
/// subscription to typing users it is a widget of that conversation, with focus (our choice).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Presence {
    status: &'static str,
    background_sessions: Vec<Value>,
    widgets: Vec<Widget>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Widget {
    session_id: String,
    selected_conversation_id: String,
    has_focus: bool,
    is_typing: bool,
    custom: BTreeMap<String, String>,
}

/// The members of the request that select widgets.
struct WidgetFilter {
    conversation: Patch<String>,
    has_focus: Option<bool>,
    is_typing: Option<bool>,
}

/// `POST /presences`. The map holds online users only.
pub(super) fn list(cx: &RequestCx<'_>, call: &Call) -> Reply {
    let object = call.object("INVALID_PRESENCE")?;
    let mut members = Members::new(&object);
    let ids: Option<BTreeSet<String>> = members.optional("userIds", "a list of user ids");
    let with_background: Option<bool> =
        members.optional("includeBackgroundSessions", "true or false");
    let filter = WidgetFilter {
        conversation: members.string("selectedConversationId"),
        has_focus: members.optional("hasFocus", "true or false"),
        is_typing: members.optional("isTyping", "true or false"),
    };
    let (ids, filter) = members
        .finish((ids, filter))
        .map_err(|reasons| members::refuse("INVALID_PRESENCE", &reasons))?;

    let ids = ids.unwrap_or_else(|| cx.store.users.keys().cloned().collect());
    let online = ids
        .iter()
        .filter(|id| cx.store.users.contains_key(id.as_str()) && cx.subscribers.is_connected(id));
    let mut data = BTreeMap::new();
    for id in online {
        let widgets: Vec<Widget> = widgets(cx, id)
            .filter(|widget| filter.matches(widget))
            .collect();
        let with_background = with_background == Some(true) && filter.is_unset();
        if !widgets.is_empty() || (with_background && has_background_session(cx, id)) {
            let presence = Presence {
                status: "online",
                background_sessions: Vec::new(),
                widgets,
            };
            data.insert(id, presence);
        }
    }
    reply(&json!({ "data": data }))
}

/// `GET /users/{id}/sessions`, an old form with one session for each connection.
pub(super) fn sessions(cx: &RequestCx<'_>, user: &str) -> Reply {
    cx.store.user(user)?;
    let sessions = cx.subscribers.typing_topics(user);
    let sessions = sessions.map(|(_, conversation)| {
        let is_typing = conversation.is_some_and(|it| cx.typing.is_typing(it, user));
        json!({ "isTyping": is_typing, "currentConversationId": conversation })
    });
    reply(&sessions.collect::<Vec<_>>())
}

fn has_background_session(cx: &RequestCx<'_>, user: &str) -> bool {
    let mut sessions = cx.subscribers.typing_topics(user);
    sessions.any(|(_, conversation)| conversation.is_none())
}

fn widgets<'a>(cx: &'a RequestCx<'_>, user: &'a str) -> impl Iterator<Item = Widget> {
    let sessions = cx.subscribers.typing_topics(user);
    sessions.filter_map(move |(connection, conversation)| {
        let conversation = conversation?;
        Some(Widget {
            session_id: format!("s{}", connection.0),
            selected_conversation_id: conversation.to_owned(),
            has_focus: true,
            is_typing: cx.typing.is_typing(conversation, user),
            custom: BTreeMap::new(),
        })
    })
}

impl WidgetFilter {
    /// Returns `true` if sessions without a widget match too.
    fn is_unset(&self) -> bool {
        let needs_widget = self.has_focus == Some(true) || self.is_typing == Some(true);
        !needs_widget && !matches!(self.conversation, Patch::Set(_))
    }

    fn matches(&self, widget: &Widget) -> bool {
        let has_conversation = match &self.conversation {
            Patch::Keep => true,
            // No conversation is open.
            Patch::Reset => false,
            Patch::Set(id) => *id == widget.selected_conversation_id,
        };
        has_conversation
            && self.has_focus.is_none_or(|it| it == widget.has_focus)
            && self.is_typing.is_none_or(|it| it == widget.is_typing)
    }
}
