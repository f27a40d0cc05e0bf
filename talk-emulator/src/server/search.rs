//! Search requests for messages and conversations.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::iter::Peekable;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

use super::conversation::SideView;
use super::filter::Filter;
use super::http::{self, HttpRequest, HttpResponse};
use super::message::{Message, MessageKind, MessageView, Place};
use super::page::{self, Cursor, ListPlace, Page, PageRequest};
use super::refusal::Refusal;
use super::request_cx::RequestCx;
use super::search_terms::{self, SearchTerms};

/// A parsed search request.
#[derive(Debug)]
struct Query {
    text: String,
    terms: SearchTerms,
    filter: Option<Value>,
    matches: Filter,
    /// The end of the previous page.
    before: Option<ListPlace>,
    size: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageHit<'a> {
    conversation_id: &'a str,
    #[serde(flatten)]
    message: MessageView<'a>,
}

/// `GET …/me/messages/search`, newest first.
pub(super) fn messages(cx: &RequestCx<'_>, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
    let query = Query::read(cx, request)?;
    let by_conversation = query.sides(cx).map(|side| {
        let messages = cx.store.conversations.get(side.id).map(|it| &it.messages);
        let before = query.place_in(side.id);
        let messages = messages.into_iter().flat_map(move |it| it.before(before));
        messages.map(move |message| (side.id, message))
    });
    let found = NewestFirst::new(by_conversation)
        .filter(|(_, message)| query.finds(message))
        .map(|(conversation_id, message)| {
            let found = MessageHit {
                conversation_id,
                message: message.view(cx.me),
            };
            (
                ListPlace::of_message(message.place(), conversation_id),
                found,
            )
        });
    Ok(query.answer(found))
}

/// `GET …/me/conversations/search`, latest activity first.
pub(super) fn conversations(
    cx: &RequestCx<'_>,
    request: &HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let query = Query::read(cx, request)?;
    let found = query
        .sides(cx)
        .map(|side| {
            let at = side.state.last_message_at;
            (ListPlace::of_conversation(at, side.id), side)
        })
        .filter(|(place, side)| {
            let custom = side.custom.get("search").map(String::as_str);
            let mut fields = side.subject.into_iter().chain(custom);
            query.is_ahead(place) && fields.any(|field| query.terms.match_text(field))
        });
    Ok(query.answer(found))
}

impl Query {
    fn read(cx: &RequestCx<'_>, request: &HttpRequest) -> Result<Self, Refusal> {
        if !cx.settings.limits.search {
            return Err(Refusal::forbidden(
                "SEARCH_NOT_AVAILABLE",
                "Your plan has no search.",
            ));
        }
        let limit = http::query(request, "limit");
        let limit = limit.map(|limit| limit.parse().map_or(Value::Null, |limit: u64| limit.into()));
        let page = PageRequest {
            limit,
            cursor: http::query(request, "cursor"),
            filter: None,
        };
        let size = page.size(page::SEARCH)?;
        let cursor = page.cursor()?;
        let before = cursor.as_ref().map(|cursor| cursor.after.clone());
        let cursor = match cursor {
            Some(cursor) => cursor,
            None => Cursor {
                after: ListPlace::default(),
                filter: filter_of(request)?,
                // Clients encode the parameter twice.
                search: http::query(request, "searchString")
                    .map(|text| percent_decode_str(&text).decode_utf8_lossy().into_owned()),
            },
        };
        let text = cursor.search.ok_or_else(|| {
            Refusal::invalid("INVALID_SEARCH_STRING", "There is nothing to search for.")
        })?;
        Ok(Self {
            terms: SearchTerms::parse(&text),
            matches: Filter::read(cursor.filter.as_ref())?,
            text,
            filter: cursor.filter,
            before,
            size,
        })
    }

    /// Returns the place before which the messages of a conversation follow the previous page.
    /// Messages with equal times are ordered by conversation.
    fn place_in(&self, conversation: &str) -> Option<Place> {
        let end = self.before.as_ref()?;
        Some(match conversation.cmp(&end.id) {
            Ordering::Less => Place {
                at: end.at.saturating_add(1),
                order: 0,
            },
            Ordering::Equal => end.place(),
            Ordering::Greater => Place {
                at: end.at,
                order: 0,
            },
        })
    }

    /// Returns `true` if a conversation follows the previous page.
    fn is_ahead(&self, place: &ListPlace) -> bool {
        let key = |place: &ListPlace| (place.at, place.id.clone());
        self.before.as_ref().is_none_or(|end| key(place) < key(end))
    }

    /// Iterates over the conversations that match the filter.
    fn sides<'a>(&'a self, cx: &'a RequestCx<'_>) -> impl Iterator<Item = SideView<'a>> {
        cx.store
            .inbox(cx.me, u64::MAX.into())
            .filter_map(|(_, id)| {
                let (conversation, participation) = cx.store.joined(id, cx.me).ok()?;
                Some(conversation.side(id, participation))
            })
            .filter(|side| self.matches.matches(side))
    }

    fn finds(&self, message: &Message) -> bool {
        message.kind == MessageKind::UserMessage
            && self
                .terms
                .match_text(&search_terms::plain_text(&message.content))
    }

    /// Returns the results, one line each, as the service streams them.
    fn answer<T: Serialize>(&self, found: impl Iterator<Item = (ListPlace, T)>) -> HttpResponse {
        let page = Page::collect(found, self.size, |after| Cursor {
            after,
            filter: self.filter.clone(),
            search: Some(self.text.clone()),
        });
        let mut lines = vec![Bytes::from_static(b"{\"data\":[\n")];
        for (at, result) in page.data.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            lines.push(format!("{comma}{result}\n").into());
        }
        lines.push(match page.cursor {
            Some(cursor) => format!("],\"cursor\":\"{cursor}\"}}").into(),
            None => Bytes::from_static(b"]}"),
        });
        http::chunks(200, lines)
    }
}

fn filter_of(request: &HttpRequest) -> Result<Option<Value>, Refusal> {
    let json = http::query(request, "conversationFilter");
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|_| Refusal::invalid("INVALID_FILTER", "This is no filter of conversations."))
}

type Head<'a> = ((u64, &'a str, u64), usize);

/// Merges the messages of several conversations into one list, newest first.
struct NewestFirst<'a, I: Iterator> {
    lists: Vec<Peekable<I>>,
    /// The place of the next message of each list, with its conversation and the list's index.
    heads: BinaryHeap<Head<'a>>,
}

fn head<'a>((conversation, message): (&'a str, &Message)) -> (u64, &'a str, u64) {
    let Place { at, order } = message.place();
    (at, conversation, order)
}

impl<'a, I: Iterator<Item = (&'a str, &'a Message)>> NewestFirst<'a, I> {
    fn new(lists: impl Iterator<Item = I>) -> Self {
        let mut lists: Vec<Peekable<I>> = lists.map(Iterator::peekable).collect();
        let heads = lists.iter_mut().enumerate();
        let heads = heads
            .filter_map(|(at, list)| Some((head(*list.peek()?), at)))
            .collect();
        Self { lists, heads }
    }
}

impl<'a, I: Iterator<Item = (&'a str, &'a Message)>> Iterator for NewestFirst<'a, I> {
    type Item = (&'a str, &'a Message);

    fn next(&mut self) -> Option<Self::Item> {
        let (_, at) = self.heads.pop()?;
        let list = self.lists.get_mut(at)?;
        let first = list.next();
        if let Some(next) = list.peek() {
            self.heads.push((head(*next), at));
        }
        first
    }
}
