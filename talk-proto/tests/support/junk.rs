//! Pages, maps and events of every kind, with one item or member replaced by junk.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use talk_proto::search::SearchKind;
use talk_proto::{Event, SubscriptionId, Topic};

use super::data;
use super::found::find;
use super::log::Request;
use super::script::Answer;
use super::{World, conversation, message, seconds, unpaced};

/// The number of items of each kind. The names of the items are `item-0`, `item-1`, `item-2`.
const ITEMS: usize = 3;
/// The placeholder for the junk.
const PLACE: &str = "the junk";

/// A response or publish with items, each of which is visible by its name.
struct Kind {
    topic: Topic,
    /// The path of the request for the items.
    path: &'static str,
    answer: Value,
    /// The answer before the events.
    earlier: Value,
    /// The events that change the earlier answer into the later one.
    events: Vec<Value>,
    /// The places to damage in the events, or in the answer if there are none, and their items.
    places: Vec<(String, usize)>,
}

fn name(n: usize) -> String {
    format!("item-{n}")
}

fn items(item: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..ITEMS).map(item).collect()
}

/// Returns an object with a member for each item.
fn map(value: impl Fn(usize) -> Value) -> Value {
    Value::Object((0..ITEMS).map(|n| (name(n), value(n))).collect())
}

fn page(item: impl Fn(usize) -> Value) -> Value {
    json!({"data": items(item), "cursor": null})
}

/// Returns a value with another value of one member.
fn with(mut value: Value, member: &str, other: Value) -> Value {
    value[member] = other;
    value
}

fn text(text: &str) -> Value {
    json!([{"type": "text", "children": [text]}])
}

/// Returns a message by a sender of its own.
fn message_of(n: usize) -> Value {
    let sender = json!(format!("sender-{n}"));
    with(
        data::message(&format!("m{n}"), 9 - n as u64),
        "senderId",
        sender,
    )
}

fn users(name_of: impl Fn(usize) -> String) -> Value {
    let user = |n| {
        let id = format!("sender-{n}");
        (id.clone(), with(data::user(&id), "name", json!(name_of(n))))
    };
    Value::Object((0..ITEMS).map(user).collect())
}

const MESSAGES: &str = "/me/conversations/c1/messages";
const CONVERSATIONS: &str = "/me/conversations";
const PARTICIPANTS: &str = "/me/conversations/c1/participants";
const REACTIONS: &str = "/me/conversations/c1/messages/m1/reactions/%F0%9F%91%8D";
const TYPING: &str = "/me/conversations/c1/typing";
const USERS: &str = "/users";

/// Returns a kind whose items are in the answer at a pointer.
fn in_answer(topic: Topic, path: &'static str, answer: Value, pointer: &str) -> Kind {
    let is_list = answer.pointer(pointer).is_some_and(Value::is_array);
    let place = |n: usize| {
        let key = if is_list { n.to_string() } else { name(n) };
        (format!("{pointer}/{key}"), n)
    };
    Kind {
        topic,
        path,
        earlier: answer.clone(),
        answer,
        events: Vec::new(),
        places: (0..ITEMS).map(place).collect(),
    }
}

/// Returns a kind with an event for each item, all of whose members except the type are damaged.
fn in_events(
    topic: Topic,
    path: &'static str,
    earlier: Value,
    answer: Value,
    event: impl Fn(usize) -> Value,
) -> Kind {
    let events = items(event);
    let mut places = Vec::new();
    for (n, event) in events.iter().enumerate() {
        places.push((format!("/{n}"), n));
        let members = event.as_object().into_iter().flat_map(|event| event.keys());
        let members = members.filter(|member| *member != "type");
        places.extend(members.map(|member| (format!("/{n}/{member}"), n)));
    }
    Kind {
        topic,
        path,
        answer,
        earlier,
        events,
        places,
    }
}

fn responses() -> Vec<Kind> {
    let c1 = || conversation("c1");
    let messages = || Topic::Messages { conversation: c1() };
    let conversations = || Topic::Conversations { filter: None };
    let message_with = |member: &str, value| {
        let message = with(data::message("m1", 1), member, value);
        json!({"data": [message], "cursor": null})
    };
    let welcome = json!([name(0), name(1), name(2)]);
    let conversation = Topic::Conversation { conversation: c1() };
    let participants = Topic::Participants { conversation: c1() };
    let typing = Topic::Typing { conversation: c1() };
    let reactions = Topic::Reactions {
        conversation: c1(),
        message: message("m1"),
        emoji: "👍".try_into().unwrap(),
    };
    let count = |n| json!({"count": 1, "currentUserReacted": false, "createdAt": n});
    vec![
        in_answer(
            messages(),
            MESSAGES,
            page(|n| data::message(&name(n), 9 - n as u64)),
            "/data",
        ),
        in_answer(
            conversations(),
            CONVERSATIONS,
            page(|n| data::side(&name(n))),
            "/data",
        ),
        in_answer(
            participants,
            PARTICIPANTS,
            page(|n| data::participant(&name(n), 9 - n as u64)),
            "/data",
        ),
        in_answer(
            reactions,
            REACTIONS,
            page(|n| json!({"userId": name(n), "createdAt": n})),
            "/data",
        ),
        in_answer(
            typing,
            TYPING,
            json!({"many": false, "usersTyping": map(|n| json!(n + 1))}),
            "/usersTyping",
        ),
        in_answer(
            messages(),
            MESSAGES,
            message_with("content", json!(items(|n| text(&name(n))[0].clone()))),
            "/data/0/content",
        ),
        in_answer(
            messages(),
            MESSAGES,
            message_with("reactions", map(count)),
            "/data/0/reactions",
        ),
        in_answer(
            messages(),
            MESSAGES,
            message_with("custom", map(|n| json!(name(n)))),
            "/data/0/custom",
        ),
        in_answer(
            conversation,
            "/me/conversations/c1",
            with(data::side("c1"), "welcomeMessages", welcome),
            "/welcomeMessages",
        ),
        Kind {
            places: (0..ITEMS).map(|n| (format!("/sender-{n}"), n)).collect(),
            ..in_answer(messages(), USERS, users(name), "")
        },
    ]
}

fn publishes() -> Vec<Kind> {
    let c1 = || conversation("c1");
    let messages = || Topic::Messages { conversation: c1() };
    let empty = || json!({"data": [], "cursor": null});
    let created = |n: usize| data::message(&name(n), 9 - n as u64);
    let edited = |n| {
        let message = with(message_of(n), "content", text(&name(n)));
        with(message, "editedAt", json!(5))
    };
    let participant = |n: usize| data::participant(&name(n), 9 - n as u64);
    let side = |n: usize| data::side(&format!("c{n}"));
    let reactions = Topic::Reactions {
        conversation: c1(),
        message: message("m1"),
        emoji: "👍".try_into().unwrap(),
    };
    let typing = json!({"many": false, "usersTyping": map(|n| json!(n + 1))});
    vec![
        in_events(
            messages(),
            MESSAGES,
            empty(),
            page(created),
            |n| json!({"type": "message.created", "conversationId": "c1", "state": created(n)}),
        ),
        in_events(messages(), MESSAGES, page(message_of), page(edited), |n| {
            json!({"type": "message.edited", "conversationId": "c1", "messageId": format!("m{n}"),
                   "diff": {"content": text(&name(n)), "editedAt": 5}})
        }),
        in_events(
            Topic::Participants { conversation: c1() },
            PARTICIPANTS,
            empty(),
            page(participant),
            |n| {
                json!({"type": "participant.created", "conversationId": "c1", "userId": name(n),
                       "state": participant(n)})
            },
        ),
        in_events(
            reactions,
            REACTIONS,
            empty(),
            page(|n| json!({"userId": name(n), "createdAt": n})),
            |n| {
                json!({"type": "reaction.added", "conversationId": "c1", "messageId": "m1",
                       "emoji": "👍", "userId": name(n), "createdAt": n})
            },
        ),
        in_events(
            Topic::Conversations { filter: None },
            CONVERSATIONS,
            empty(),
            page(|n| data::side(&name(n))),
            |n| {
                json!({"type": "side.created", "conversationId": name(n),
                       "state": data::side(&name(n))})
            },
        ),
        in_events(
            Topic::Conversations { filter: None },
            CONVERSATIONS,
            page(side),
            page(|n| with(side(n), "subject", json!(name(n)))),
            |n| {
                json!({"type": "conversation.edited", "conversationId": format!("c{n}"),
                       "diff": {"subject": name(n)}})
            },
        ),
        in_events(
            messages(),
            USERS,
            users(|_| "old".to_owned()),
            users(name),
            |n| {
                json!({"type": "user.edited", "userId": format!("sender-{n}"),
                       "diff": {"name": name(n)}})
            },
        ),
        Kind {
            events: vec![json!({"type": "typing.changed", "conversationId": "c1", "diff": typing})],
            places: (0..ITEMS)
                .map(|n| (format!("/0/diff/usersTyping/item-{n}"), n))
                .collect(),
            ..in_events(
                Topic::Typing { conversation: c1() },
                TYPING,
                json!({"many": false, "usersTyping": {}}),
                json!({"many": false, "usersTyping": map(|n| json!(n + 1))}),
                |_| json!({}),
            )
        },
    ]
}

/// Returns the places to damage: pairs for [`replace_item`].
pub(crate) fn places() -> Vec<(u8, u8)> {
    let kinds = responses().into_iter().chain(publishes());
    let counts = kinds.map(|kind| kind.places.len()).chain([ITEMS, ITEMS]);
    let mut places = Vec::new();
    for (kind, count) in (0..).zip(counts) {
        places.extend((0..).take(count).map(|place| (kind, place)));
    }
    places
}

/// Replaces one item, or a member of one event, by junk. Checks that all other items are shown as
/// without junk. Junk that could replace other items on purpose is ignored.
pub(crate) fn replace_item(kind: u8, place: u8, junk: &str) {
    let mut kinds = responses();
    let responses = kinds.len();
    kinds.extend(publishes());
    let kind = usize::from(kind) % (kinds.len() + 2);
    let is_event = (responses..kinds.len()).contains(&kind);
    if !is_fair(junk, is_event) {
        return;
    }
    let Some(kind) = kinds.get(kind) else {
        return search(kind - kinds.len(), usize::from(place) % ITEMS, junk);
    };
    let (pointer, damaged) = &kind.places[usize::from(place) % kind.places.len()];
    let whole = show(kind, None, junk);
    let shown = show(kind, Some(pointer), junk);
    for n in (0..ITEMS).filter(|n| n != damaged) {
        let at = format!("{} of {pointer} for {:?}", name(n), kind.topic);
        assert!(has(&shown, n), "{at}: {junk}: {shown}");
        if let Some(alone) = alone(&whole, n) {
            assert_eq!(Some(alone), self::alone(&shown, n), "{at}: {junk}");
        }
    }
}

/// Returns `true` for JSON that does not name an item, and that is no event if `is_event`.
fn is_fair(junk: &str, is_event: bool) -> bool {
    let decoded: Option<Value> = serde_json::from_str(junk).ok();
    let decoded = decoded.map_or_else(|| junk.to_owned(), |value| value.to_string());
    let is_json = serde_json::from_str::<&RawValue>(junk).is_ok();
    let names_item = ["item-", "sender-", "\"m", "\"c"];
    is_json
        && !names_item.iter().any(|name| decoded.contains(name))
        && !(is_event && decoded.contains("\"type\""))
}

/// Returns the snapshot of a kind, with the junk at a pointer.
fn show(kind: &Kind, pointer: Option<&str>, junk: &str) -> Value {
    let damage = |mut value: Value| {
        if let Some(place) = pointer.and_then(|pointer| value.pointer_mut(pointer)) {
            *place = json!(PLACE);
        }
        value.to_string().replace(&json!(PLACE).to_string(), junk)
    };
    let mut world = World::new(unpaced());
    world.invariants.publish(junk);
    world.script.add(|request| {
        let is_page = request.line() == format!("GET {MESSAGES}");
        is_page.then(|| Answer::Reply(200, page(message_of)))
    });
    let first = if kind.events.is_empty() {
        damage(kind.answer.clone())
    } else {
        kind.earlier.to_string()
    };
    let path = kind.path;
    world.script.add(move |request| {
        let is_asked = request.method == "GET" && request.path == path;
        is_asked.then(|| Answer::Raw(vec![format!("[{},200,{first}]", request.seq)]))
    });
    let subscription = world.subscribe(kind.topic.clone());
    world.run_for(seconds(1));
    if !kind.events.is_empty() {
        let answer = kind.answer.clone();
        world
            .script
            .add(move |request| held(&answer, path, request));
        let events = damage(Value::Array(kind.events.clone()));
        let events = events.strip_prefix('[').unwrap_or_default();
        world.receive(&format!("[1,\"PUBLISH\",{events}"));
        world.run_for(seconds(1));
    }
    last(&world, subscription)
}

/// Answers a request for the items or for one conversation of a list.
fn held(answer: &Value, path: &str, request: &Request) -> Option<Answer> {
    if request.method != "GET" {
        return None;
    }
    if request.path == path {
        return Some(Answer::Reply(200, answer.clone()));
    }
    let id = request.path.strip_prefix("/me/conversations/")?;
    let mut sides = answer["data"].as_array()?.iter();
    let side = sides.find(|side| side["id"] == id)?;
    Some(Answer::Reply(200, side.clone()))
}

/// Returns the last snapshot of a subscription, which must not have ended.
fn last(world: &World, subscription: SubscriptionId) -> Value {
    let mut shown = Value::Null;
    for (_, event) in &world.log.events {
        match event {
            Event::Updated {
                subscription: id,
                update,
            } if *id == subscription => {
                shown = serde_json::to_value(&update.snapshot).expect("it is JSON");
            }
            Event::SubscriptionEnded { error, .. } => panic!("it has ended: {error:?}"),
            _ => {}
        }
    }
    shown
}

/// Returns `true` if the name of an item appears.
fn has(shown: &Value, n: usize) -> bool {
    shown.to_string().contains(&json!(name(n)).to_string())
}

/// Returns the entry of a list in which this item appears and no other.
fn alone(shown: &Value, n: usize) -> Option<&Value> {
    let mut entries = shown.as_array()?.iter();
    let entry = entries.find(|entry| has(entry, n))?;
    let others = (0..ITEMS).filter(|other| *other != n);
    (!others.into_iter().any(|other| has(entry, other))).then_some(entry)
}

/// Searches with junk in the place of a result.
fn search(kind: usize, damaged: usize, junk: &str) {
    let kind = [SearchKind::Messages, SearchKind::Conversations][kind];
    let result = |n: usize| match kind {
        SearchKind::Messages => with(data::message(&name(n), 1), "conversationId", json!("c1")),
        _ => data::side(&name(n)),
    };
    let line = |n| {
        if n == damaged {
            junk.replace(['\n', '\r'], " ")
        } else {
            result(n).to_string()
        }
    };
    let lines: Vec<_> = (0..ITEMS).map(line).collect();
    let body = format!("{{\"data\":[\n{}\n]}}", lines.join("\n,"));
    let (shown, _) = find(kind, 1 << 20, body.as_bytes(), &[usize::MAX]);
    for n in (0..ITEMS).filter(|n| *n != damaged) {
        assert!(
            shown.contains(&json!(name(n)).to_string()),
            "{junk}: {shown}"
        );
    }
}
