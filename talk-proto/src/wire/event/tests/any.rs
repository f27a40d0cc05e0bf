//! Strategies for arbitrary events in the shape of the server.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z\"\\\\\n]{0,4}"]
}

fn id() -> impl Strategy<Value = String> {
    "[^\u{0}]{1,6}"
}

fn millis() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), 0..2_000_000_000_000_i64]
}

fn nullable(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    option::of(value).prop_map(|value| value.unwrap_or(Value::Null))
}

fn json_of<T: serde::Serialize>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Value> {
    value.prop_map(|value| json!(value)).boxed()
}

fn text_or_null() -> BoxedStrategy<Value> {
    nullable(json_of(text())).boxed()
}

fn custom() -> BoxedStrategy<Value> {
    json_of(btree_map(text(), text(), 0..3))
}

/// Returns changed keys, or a reset of all keys.
fn custom_diff() -> BoxedStrategy<Value> {
    nullable(json_of(btree_map(text(), option::of(text()), 0..3))).boxed()
}

fn access() -> BoxedStrategy<Value> {
    json_of(select(vec!["Read", "ReadWrite", "Unheard"]))
}

fn notify() -> BoxedStrategy<Value> {
    select(vec![json!(true), json!(false), json!("MentionsOnly")]).boxed()
}

fn reactions() -> BoxedStrategy<Value> {
    let count = (millis(), any::<u32>(), any::<bool>()).prop_map(|(created_at, count, reacted)| {
        json!({"createdAt": created_at, "count": count, "currentUserReacted": reacted})
    });
    json_of(btree_map(id(), count, 0..3))
}

fn content() -> BoxedStrategy<Value> {
    let node = prop_oneof![
        json_of(text()),
        text().prop_map(|text| json!({"type": "bold", "children": [text]})),
        (text(), text()).prop_map(|(id, text)| json!({"type": "mention", "id": id, "text": text})),
        text().prop_map(|text| json!({"type": "unheardOf", "says": text})),
    ];
    let block = vec(node, 0..3).prop_map(|children| json!({"type": "text", "children": children}));
    let place = Just(json!({"type": "location", "latitude": 52.5, "longitude": 4.25}));
    json_of(vec(
        prop_oneof![3 => block.boxed(), 1 => place.boxed()],
        0..3,
    ))
}

/// Returns an object with all of these members.
fn all_of(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    let object = move |values: Vec<Value>| {
        let names = names.iter().map(|&name| name.to_owned());
        Value::Object(names.zip(values).collect())
    };
    values.prop_map(object).boxed()
}

/// Returns an object with some of these members.
fn some_of(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let given = vec(any::<bool>(), members.len());
    (all_of(members), given)
        .prop_map(|(object, given)| {
            let members = object.as_object().cloned().unwrap_or_default();
            let given = members.into_iter().zip(given).filter(|(_, given)| *given);
            Value::Object(given.map(|(member, _)| member).collect())
        })
        .boxed()
}

fn user() -> BoxedStrategy<Value> {
    all_of(vec![
        ("id", json_of(id())),
        ("name", json_of(text())),
        ("custom", custom()),
        ("locale", text_or_null()),
        ("photoUrl", text_or_null()),
        ("role", json_of(text())),
        ("welcomeMessage", text_or_null()),
    ])
}

fn user_diff() -> BoxedStrategy<Value> {
    some_of(vec![
        ("name", json_of(text())),
        ("custom", custom_diff()),
        ("locale", text_or_null()),
        ("photoUrl", text_or_null()),
        ("role", json_of(text())),
        ("welcomeMessage", text_or_null()),
    ])
}

fn side() -> BoxedStrategy<Value> {
    all_of(vec![
        ("id", json_of(id())),
        ("subject", text_or_null()),
        ("photoUrl", text_or_null()),
        ("welcomeMessages", json_of(vec(text(), 0..3))),
        ("custom", custom()),
        ("createdAt", json_of(millis())),
        ("joinedAt", json_of(millis())),
        ("lastMessageAt", json_of(millis())),
        ("unreadMessageCount", json_of(any::<u32>())),
        ("isUnread", json_of(any::<bool>())),
        ("readUntil", json_of(millis())),
        ("everyoneReadUntil", json_of(millis())),
        ("access", access()),
        ("notify", notify()),
    ])
}

fn side_diff() -> BoxedStrategy<Value> {
    some_of(vec![
        ("lastMessageAt", json_of(millis())),
        ("unreadMessageCount", json_of(any::<u32>())),
        ("isUnread", json_of(any::<bool>())),
        ("readUntil", json_of(millis())),
        ("everyoneReadUntil", json_of(millis())),
    ])
}

fn conversation_diff() -> BoxedStrategy<Value> {
    some_of(vec![
        ("subject", text_or_null()),
        ("photoUrl", text_or_null()),
        ("welcomeMessages", json_of(vec(text(), 0..3))),
        ("custom", custom_diff()),
    ])
}

fn participant() -> BoxedStrategy<Value> {
    all_of(vec![
        ("id", json_of(id())),
        ("access", access()),
        ("notify", notify()),
        ("joinedAt", json_of(millis())),
    ])
}

fn message() -> BoxedStrategy<Value> {
    all_of(vec![
        ("id", json_of(id())),
        (
            "type",
            json_of(select(vec!["UserMessage", "SystemMessage", "Unheard"])),
        ),
        ("senderId", nullable(json_of(id())).boxed()),
        ("custom", custom()),
        ("createdAt", json_of(millis())),
        ("editedAt", nullable(json_of(millis())).boxed()),
        ("referencedMessageId", nullable(json_of(id())).boxed()),
        (
            "origin",
            json_of(select(vec!["web", "rest", "import", "email", "fax"])),
        ),
        ("content", content()),
        ("reactions", reactions()),
    ])
}

fn message_diff() -> BoxedStrategy<Value> {
    let reactions = json_of(btree_map(
        id(),
        nullable(some_of(vec![
            ("createdAt", json_of(millis())),
            ("count", json_of(any::<u32>())),
            ("currentUserReacted", json_of(any::<bool>())),
        ])),
        0..3,
    ));
    some_of(vec![
        ("content", content()),
        ("custom", custom_diff()),
        ("editedAt", nullable(json_of(millis())).boxed()),
        ("reactions", reactions),
    ])
}

fn online() -> BoxedStrategy<Value> {
    all_of(vec![("isConnected", json_of(any::<bool>()))])
}

/// Returns an event of any kind: its type, and its members by name.
pub(super) fn event() -> impl Strategy<Value = Value> {
    let of = |kind: &'static str, members: Vec<(&'static str, BoxedStrategy<Value>)>| {
        let kind = vec![("type", Just(json!(kind)).boxed())];
        all_of(kind.into_iter().chain(members).collect())
    };
    let in_conversation = |kind, members: Vec<_>| {
        let conversation = vec![("conversationId", json_of(id()))];
        of(kind, conversation.into_iter().chain(members).collect())
    };
    let user_id = || ("userId", json_of(id()));
    let message_id = || ("messageId", json_of(id()));
    let emoji = || ("emoji", json_of(id()));
    let typing = |value| json_of(btree_map(id(), value, 0..3));
    let typers = || ("usersTyping", typing(json_of(millis())));
    let typers_diff = || ("usersTyping", typing(nullable(json_of(millis())).boxed()));
    let many = |many: bool| ("many", Just(json!(many)).boxed());
    let last = || ("newLastMessage", nullable(message()).boxed());
    let state = |state| ("state", state);
    let diff = |diff| ("diff", diff);
    proptest::strategy::Union::new([
        of("user.created", vec![user_id(), state(user())]),
        of("user.edited", vec![user_id(), diff(user_diff())]),
        of("user.online.changed", vec![user_id(), diff(online())]),
        in_conversation("side.created", vec![state(side())]),
        in_conversation("side.edited", vec![diff(side_diff())]),
        in_conversation("side.deleted", vec![]),
        in_conversation("conversation.edited", vec![diff(conversation_diff())]),
        in_conversation("conversation.cleared", vec![]),
        in_conversation("participant.created", vec![user_id(), state(participant())]),
        in_conversation(
            "participant.edited",
            vec![
                user_id(),
                diff(some_of(vec![("access", access()), ("notify", notify())])),
            ],
        ),
        in_conversation("participant.deleted", vec![user_id()]),
        in_conversation("message.created", vec![message_id(), state(message())]),
        in_conversation("message.edited", vec![message_id(), diff(message_diff())]),
        in_conversation("message.deleted", vec![message_id()]),
        in_conversation("message.deleted", vec![message_id(), last()]),
        in_conversation("typing.available", vec![state(all_of(vec![many(true)]))]),
        in_conversation(
            "typing.available",
            vec![state(all_of(vec![many(false), typers()]))],
        ),
        in_conversation("typing.changed", vec![diff(all_of(vec![many(true)]))]),
        in_conversation("typing.changed", vec![diff(all_of(vec![typers_diff()]))]),
        in_conversation(
            "typing.changed",
            vec![diff(all_of(vec![many(false), typers()]))],
        ),
        in_conversation(
            "reaction.added",
            vec![
                message_id(),
                emoji(),
                user_id(),
                ("createdAt", json_of(millis())),
            ],
        ),
        in_conversation("reaction.removed", vec![message_id(), emoji(), user_id()]),
        of("session.expired", vec![]),
        of("upstream.restarting", vec![]),
    ])
    .prop_map(of_itself)
}

/// Sets the ID of a created entity to the ID that the event names.
fn of_itself(mut event: Value) -> Value {
    let name = match event["type"].as_str() {
        Some("user.created") => "userId",
        Some("side.created") => "conversationId",
        Some("message.created") => "messageId",
        _ => return event,
    };
    event["state"]["id"] = event[name].clone();
    event
}
