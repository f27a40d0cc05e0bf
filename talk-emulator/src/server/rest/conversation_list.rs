//! The lists of conversations: all of the app, and those of a user.

use std::collections::BTreeMap;

use tracing::warn;

use super::answer::invalid;
use super::call::Call;
use super::conversation_filter;
use super::list::{self, Order, PageQuery};
use crate::server::conversation::{Access, Conversation, Participation};
use crate::server::filter::Filter;
use crate::server::participants::DEFAULT_NOTIFY;
use crate::server::refusal::Refusal;
use crate::server::reply::Reply;
use crate::server::request_cx::RequestCx;
use crate::server::rest_version::RestVersion;
use crate::server::views::{ConversationView, UserConversationView};

/// The maximum length of a page on the service. Longer ones are logged, so that no script loses
/// items silently.
const DOCUMENTED_LIMIT: usize = 30;

/// The parameters of a list besides the page.
struct ListQuery {
    key: SortKey,
    order: Order,
    /// The list starts after this time, in the direction of the order (our choice).
    offset: Option<u64>,
    last_message_after: Option<u64>,
    last_message_before: Option<u64>,
    only_unread: bool,
    filter: Filter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SortKey {
    LastActivity,
    CreatedAt,
}

/// `GET /conversations`
pub(super) fn list(cx: &RequestCx<'_>, call: &Call) -> Reply {
    let query = ListQuery::read(call, false)?;
    let conversations = &cx.store.conversations;
    let all = conversations.iter().map(|(id, it)| Candidate {
        id,
        conversation: it,
        joined: without_user(it),
        access: None,
    });
    let found = query.find(call, all.collect())?;
    list::data(found.map(|it| ConversationView::new(it.id, it.conversation)))
}

/// `GET /users/{id}/conversations`. Conversations without access are included (our choice).
pub(super) fn list_of_user(cx: &RequestCx<'_>, user: &str, call: &Call) -> Reply {
    if call.version < RestVersion::V2024_01_01 && !cx.store.users.contains_key(user) {
        return list::data(std::iter::empty::<ConversationView<'_>>());
    }
    let query = ListQuery::read(call, true)?;
    PageQuery::read(&call.query)?;
    cx.store.user(user)?;
    let mine = cx.store.conversations.iter().filter_map(|(id, it)| {
        let participant = it.participants.get(user);
        let joined = participant.or_else(|| it.suspended.get(user));
        Some(Candidate {
            id,
            conversation: it,
            joined: joined?.clone(),
            access: participant.map(|it| it.access),
        })
    });
    let found = query.find(call, mine.collect())?;
    list::data(found.map(|it| UserConversationView::new(it.id, it.conversation, user, &it.joined)))
}

/// Returns a participation that stands for no user: its join time is the time of
/// creation, which is the last activity of a conversation without messages (our choice).
fn without_user(conversation: &Conversation) -> Participation {
    Participation::new(
        Access::ReadWrite,
        DEFAULT_NOTIFY,
        conversation.created_at,
        0,
    )
}

/// A conversation that may be in the list.
struct Candidate<'a> {
    id: &'a str,
    conversation: &'a Conversation,
    joined: Participation,
    /// The access of the user; absent without a user, and for a user without access.
    access: Option<Access>,
}

impl ListQuery {
    fn read(call: &Call, is_of_user: bool) -> Result<Self, Refusal> {
        // The first version has one order and no offset.
        let is_first = call.version < RestVersion::V2021_02_09;
        let get = |name| call.query.get(name).filter(|_| !is_first);
        let key = match get("orderBy") {
            None if is_first => SortKey::CreatedAt,
            None | Some("lastActivity") => SortKey::LastActivity,
            Some("createdAt") => SortKey::CreatedAt,
            Some(_) => {
                let reason = "`orderBy` is lastActivity or createdAt.";
                return Err(invalid("INVALID_ORDER", reason));
            }
        };
        let order = match get("orderDirection") {
            None | Some("DESC") => Order::Descending,
            Some("ASC") => Order::Ascending,
            Some(_) => {
                let reason = "`orderDirection` is ASC or DESC.";
                return Err(invalid("INVALID_ORDER", reason));
            }
        };
        let time = |name: &'static str| {
            let time = call.query.get(name).map(str::parse::<u64>).transpose();
            let reason = format!("`{name}` is a time in unix milliseconds.");
            time.map_err(|_| invalid("INVALID_TIME", reason))
        };
        let has_offset = !is_first && call.query.get("startingAfter").is_none();
        Ok(Self {
            key,
            order,
            offset: time("offsetTs")?.filter(|_| has_offset),
            last_message_after: time("lastMessageAfter")?,
            last_message_before: time("lastMessageBefore")?,
            only_unread: is_of_user && call.query.get("unreadsOnly") == Some("true"),
            filter: conversation_filter::read(call.query.get("filter"), is_of_user)?,
        })
    }

    /// Returns a page of the conversations that match.
    fn find<'a>(
        &self,
        call: &Call,
        all: Vec<Candidate<'a>>,
    ) -> Result<impl Iterator<Item = Candidate<'a>> + use<'a>, Refusal> {
        let page = PageQuery::read(&call.query)?;
        if page.limit > DOCUMENTED_LIMIT {
            warn!("the service lists at most {DOCUMENTED_LIMIT} conversations at a time");
        }
        let mut all: BTreeMap<&str, Candidate<'a>> =
            all.into_iter().map(|it| (it.id, it)).collect();
        let after = page.after(|id| {
            let candidate = all.get(id)?;
            Some((self.sort_value(candidate), candidate.id))
        })?;
        let matching = all.values().filter(|candidate| self.matches(candidate));
        let keys = matching.map(|it| (self.sort_value(it), it.id)).collect();
        let page = page.take(keys, self.order, after.as_ref());
        Ok(page.filter_map(move |(_, id)| all.remove(id)))
    }

    fn sort_value(&self, it: &Candidate<'_>) -> u64 {
        match self.key {
            SortKey::LastActivity => it.conversation.last_message_at(&it.joined),
            SortKey::CreatedAt => it.conversation.created_at,
        }
    }

    fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let Candidate {
            id,
            conversation,
            joined,
            access,
        } = candidate;
        let value = self.sort_value(candidate);
        let is_beyond_offset = self.offset.is_none_or(|offset| match self.order {
            Order::Ascending => value > offset,
            Order::Descending => value < offset,
        });
        // Exclusive, and conversations without messages do not match (our choice).
        let last = conversation.messages.last().map(|last| last.created_at);
        let is_after = |after| last.is_some_and(|last| last > after);
        let is_before = |before| last.is_some_and(|last| last < before);
        is_beyond_offset
            && self.last_message_after.is_none_or(is_after)
            && self.last_message_before.is_none_or(is_before)
            && (!self.only_unread || joined.unread > 0 || joined.marked_unread)
            && self
                .filter
                .matches_with(&conversation.side(id, joined), *access)
    }
}
