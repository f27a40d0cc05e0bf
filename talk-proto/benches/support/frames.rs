//! Frames that a server publishes for a busy conversation.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// The conversation of all events.
pub(crate) const CONVERSATION: &str = "conversation_0001";
/// The number of users that send messages.
const USERS: u64 = 8;
/// A user that sent only the first message.
const RARE: &str = "user_rare";
/// The time of the first message, in unix milliseconds.
const START: u64 = 1_700_000_000_000;

/// The start of a message's text. With it a frame has about 400 bytes.
const TEXT: &str = "The kettle is on, there is cake. No. ";

pub(crate) fn user_id(n: u64) -> String {
    format!("user_{:04}", n % USERS)
}

pub(crate) fn message_id(n: u64) -> String {
    format!("msg_{n:020}")
}

pub(crate) fn user(id: &str) -> Value {
    json!({"id": id, "name": format!("Name of {id}"), "custom": {}, "locale": null,
        "photoUrl": format!("https://example.com/{id}.jpg"), "role": "default",
        "welcomeMessage": null})
}

/// Returns the text of message `n`.
pub(crate) fn text(n: u64) -> String {
    format!("{TEXT}{n}")
}

/// Returns the time of message `n`, in unix milliseconds.
pub(crate) fn message_at(n: u64) -> u64 {
    START + n * 1_000
}

/// Returns message `n` of the conversation, a plain text of typical length.
pub(crate) fn message(n: u64) -> Value {
    let sender = if n == 0 { RARE.to_owned() } else { user_id(n) };
    json!({"id": message_id(n), "type": "UserMessage", "senderId": sender, "custom": {},
        "createdAt": message_at(n), "editedAt": null, "referencedMessageId": null,
        "origin": "rest",
        "content": [{"type": "text", "children": [text(n)]}], "reactions": {}})
}

/// Returns a conversation of the user's list. Higher numbers are newer.
pub(crate) fn listed(n: u64) -> Value {
    let at = START + n * 1_000;
    json!({"id": listed_id(n), "subject": format!("Question {n}"), "photoUrl": null,
        "welcomeMessages": [], "custom": {"category": "support"}, "createdAt": START,
        "joinedAt": START, "lastMessageAt": at, "unreadMessageCount": 0, "isUnread": false,
        "readUntil": at, "everyoneReadUntil": at, "access": "ReadWrite", "notify": true})
}

fn listed_id(n: u64) -> String {
    format!("listed_{n:08}")
}

/// Returns the number in the ID of a conversation of the list.
pub(crate) fn listed_number(id: &str) -> Option<u64> {
    id.strip_prefix("listed_")?.parse().ok()
}

/// Returns a conversation that a search finds.
pub(crate) fn found(n: u64) -> Value {
    json!({"id": format!("found_{n:06}"), "subject": null, "photoUrl": null,
        "welcomeMessages": [], "custom": {}, "createdAt": n, "joinedAt": n,
        "lastMessageAt": n, "unreadMessageCount": 0, "isUnread": false,
        "readUntil": n, "everyoneReadUntil": n, "access": "ReadWrite", "notify": true})
}

/// Returns the number in the ID of a conversation that a search finds.
pub(crate) fn found_number(id: &str) -> Option<u64> {
    id.strip_prefix("found_")?.parse().ok()
}

/// Returns a participant of the busy conversation. Higher numbers have joined later.
pub(crate) fn participant(n: u64) -> Value {
    json!({"id": participant_id(n), "access": "ReadWrite", "notify": true, "joinedAt": START + n})
}

fn participant_id(n: u64) -> String {
    format!("participant_{n:05}")
}

/// Returns the events of a message to one of `count` conversations in a list.
pub(crate) fn message_in_list(k: u64, count: u64) -> [Value; 2] {
    let conversation = listed_id(random(k, count));
    // Newer than all conversations of the list.
    let n = 1_000_000 + k;
    let at = START + n * 1_000;
    [
        json!({"type": "message.created", "conversationId": conversation,
            "messageId": message_id(n), "state": message(n)}),
        json!({"type": "side.edited", "conversationId": conversation,
            "diff": {"lastMessageAt": at, "unreadMessageCount": 1, "isUnread": true}}),
    ]
}

/// Returns a change of the subject or the read state of one of `count` conversations in a list.
pub(crate) fn edit_in_list(k: u64, count: u64) -> [Value; 1] {
    let conversation = listed_id(random(k, count));
    [if k.is_multiple_of(2) {
        json!({"type": "conversation.edited", "conversationId": conversation,
            "diff": {"subject": format!("Answer {k}")}})
    } else {
        json!({"type": "side.edited", "conversationId": conversation,
            "diff": {"unreadMessageCount": k, "isUnread": true}})
    }]
}

/// Returns a name change of a user.
fn renamed(user: &str, k: u64) -> [Value; 1] {
    [json!({"type": "user.edited", "userId": user, "diff": {"name": format!("Name {k}")}})]
}

/// Returns a name change of one of `count` participants.
pub(crate) fn participant_renamed(k: u64, count: u64) -> [Value; 1] {
    renamed(&participant_id(random(k, count)), k)
}

/// Returns a name change of a user that sent every eighth message.
pub(crate) fn frequent_renamed(k: u64) -> [Value; 1] {
    renamed(&user_id(1), k)
}

/// Returns a name change of a user that sent only the first message.
pub(crate) fn rare_renamed(k: u64) -> [Value; 1] {
    renamed(RARE, k)
}

/// Returns events in the middle of `count` messages. Of every four events, one adds a message in
/// front, and the others edit a message, add a reaction to it and delete it.
pub(crate) fn in_the_middle(events: u64, count: u64) -> Vec<Value> {
    let mut messages: VecDeque<u64> = (0..count).collect();
    let mut event = |k: u64| {
        let middle = messages.len() / 2;
        let n = messages[middle];
        let at = START + k;
        match k % 4 {
            0 => {
                messages.push_back(count + k);
                created(count + k)
            }
            1 => about(
                n,
                json!({"type": "message.edited", "diff": {"editedAt": at,
                    "content": [{"type": "text", "children": ["No cake."]}]}}),
            ),
            2 => about(
                n,
                json!({"type": "message.edited", "diff": {"reactions":
                    {"👍": {"createdAt": at, "count": 1, "currentUserReacted": false}}}}),
            ),
            _ => {
                messages.remove(middle);
                about(n, json!({"type": "message.deleted"}))
            }
        }
    };
    (0..events).map(&mut event).collect()
}

/// Returns a number below `count` that is evenly spread over `k`.
fn random(k: u64, count: u64) -> u64 {
    (k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % count
}

/// Returns publish frames with one event each, numbered from 1. Messages start at number `first`.
pub(crate) fn publishes(first: u64, count: u64, event: fn(u64) -> Value) -> Vec<String> {
    (1..=count)
        .map(|number| publish(number, [event(first + number - 1)]))
        .collect()
}

/// Returns a frame as servers write it, with the type of each event first.
pub(crate) fn publish(number: u64, events: impl IntoIterator<Item = Value>) -> String {
    let mut frame = format!("[{number},\"PUBLISH\"");
    for mut event in events {
        let members = event.as_object_mut();
        let kind = members.and_then(|members| members.remove("type"));
        let kind = kind.unwrap_or_default();
        let rest = event.to_string();
        frame.push_str(&format!(",{{\"type\":{kind},{}", &rest[1..]));
    }
    frame.push(']');
    frame
}

pub(crate) fn created(n: u64) -> Value {
    about(n, json!({"type": "message.created", "state": message(n)}))
}

/// Returns every kind of event in turn. Every second one is a message.
pub(crate) fn any(n: u64) -> Value {
    if n.is_multiple_of(2) {
        return created(n);
    }
    // The message before the last one.
    let known = n - 1;
    let user_id = user_id(n);
    let now = START + n * 1_000;
    match n / 2 % 15 {
        0 => about(
            known,
            json!({"type": "message.edited", "diff": {"editedAt": now,
            "content": [{"type": "text", "children": [
                "It was ", {"type": "bold", "children": ["not"]}, " cake.",
            ]}]}}),
        ),
        1 => about(
            known,
            json!({"type": "message.edited",
            "diff": {"reactions": {
                "👍": {"createdAt": now, "count": 1, "currentUserReacted": false},
            }}}),
        ),
        2 => about(known, json!({"type": "message.deleted"})),
        3 => about(
            known,
            json!({"type": "reaction.added", "emoji": "👍", "userId": user_id, "createdAt": now}),
        ),
        4 => about(
            known,
            json!({"type": "reaction.removed", "emoji": "👍", "userId": user_id}),
        ),
        5 => here(json!({"type": "typing.changed", "diff": {"usersTyping": {user_id: now}}})),
        6 => here(json!({"type": "typing.changed", "diff": {"usersTyping": {user_id: null}}})),
        7 => here(
            json!({"type": "side.edited", "diff": {"lastMessageAt": now, "unreadMessageCount": n,
                "isUnread": true}}),
        ),
        8 => here(
            json!({"type": "side.edited", "diff": {"readUntil": now, "everyoneReadUntil": now}}),
        ),
        9 => here(
            json!({"type": "conversation.edited", "diff": {"subject": format!("Cake {n}"),
                "custom": {"category": "food"}}}),
        ),
        10 => here(json!({"type": "participant.created", "userId": user_id,
            "state": {"id": user_id, "access": "ReadWrite", "notify": true, "joinedAt": now}})),
        11 => here(
            json!({"type": "participant.edited", "userId": user_id, "diff": {"access": "Read"}}),
        ),
        12 => here(json!({"type": "participant.deleted", "userId": user_id})),
        13 => json!({"type": "user.edited", "userId": RARE,
            "diff": {"name": format!("Name {n}"), "custom": {"mood": "hungry"}}}),
        _ => json!({"type": "user.online.changed", "userId": user_id,
            "diff": {"isConnected": n.is_multiple_of(4)}}),
    }
}

fn here(mut event: Value) -> Value {
    event["conversationId"] = CONVERSATION.into();
    event
}

fn about(n: u64, event: Value) -> Value {
    let mut event = here(event);
    event["messageId"] = message_id(n).into();
    event
}
