//! Events of every kind, encoded as by a server and read back.

mod any;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::ServerEvent;
use crate::model::{ConversationSnapshot, MessageSnapshot};
use crate::wire::{EventError, Published, read_event};
use any::event;

/// A member that does not exist in any event, state or diff.
const UNKNOWN: &str = "unknownMember";

/// Reads an event whose members are sorted by name.
fn read(event: &Value) -> Result<ServerEvent, EventError> {
    read_event(&to_raw_value(event).unwrap())
}

/// Reads an event whose first member is the type.
fn read_type_first(event: &Value) -> Result<ServerEvent, EventError> {
    let mut members = event.as_object().unwrap().clone();
    let kind = members.remove("type").unwrap();
    let rest = Value::Object(members).to_string();
    let comma = if rest == "{}" { "" } else { "," };
    let text = format!("{{\"type\":{kind}{comma}{}", &rest[1..]);
    read_event(&RawValue::from_string(text).unwrap())
}

/// Returns a message in the shape of the server.
fn wire_message(message: &MessageSnapshot) -> Value {
    json!({
        "id": message.id, "type": message.message_type, "senderId": message.sender_id,
        "custom": message.custom, "createdAt": message.created_at, "editedAt": message.edited_at,
        "referencedMessageId": message.referenced_message_id, "origin": message.origin,
        "content": message.content, "reactions": message.reactions,
    })
}

/// Returns a conversation in the shape of the server.
fn wire_conversation(conversation: &ConversationSnapshot) -> Value {
    let mut json = json!(conversation);
    json.as_object_mut().unwrap().remove("lastMessage");
    json
}

/// Returns the JSON from which a server would produce the event.
fn to_json(event: &ServerEvent) -> Value {
    use ServerEvent as E;
    match event {
        E::UserCreated { user_id, state } => {
            json!({"type": "user.created", "userId": user_id, "state": state})
        }
        E::UserEdited { user_id, diff } => {
            json!({"type": "user.edited", "userId": user_id, "diff": diff})
        }
        E::UserOnlineChanged { user_id, diff } => {
            json!({"type": "user.online.changed", "userId": user_id, "diff": diff})
        }
        E::SideCreated {
            conversation_id: c,
            state,
        } => json!({
            "type": "side.created", "conversationId": c, "state": wire_conversation(state),
        }),
        E::SideEdited {
            conversation_id: c,
            diff,
        } => json!({"type": "side.edited", "conversationId": c, "diff": diff}),
        E::SideDeleted { conversation_id: c } => {
            json!({"type": "side.deleted", "conversationId": c})
        }
        E::ConversationEdited {
            conversation_id: c,
            diff,
        } => json!({"type": "conversation.edited", "conversationId": c, "diff": diff}),
        E::ConversationCleared { conversation_id: c } => {
            json!({"type": "conversation.cleared", "conversationId": c})
        }
        E::ParticipantCreated {
            conversation_id: c,
            user_id: u,
            state,
        } => json!({
            "type": "participant.created", "conversationId": c, "userId": u, "state": state,
        }),
        E::ParticipantEdited {
            conversation_id: c,
            user_id: u,
            diff,
        } => json!({
            "type": "participant.edited", "conversationId": c, "userId": u, "diff": diff,
        }),
        E::ParticipantDeleted {
            conversation_id: c,
            user_id: u,
        } => json!({"type": "participant.deleted", "conversationId": c, "userId": u}),
        E::MessageCreated {
            conversation_id: c,
            state,
        } => json!({
            "type": "message.created", "conversationId": c, "messageId": state.id,
            "state": wire_message(state),
        }),
        E::MessageEdited {
            conversation_id: c,
            message_id: m,
            diff,
        } => json!({
            "type": "message.edited", "conversationId": c, "messageId": m, "diff": diff,
        }),
        E::MessageDeleted {
            conversation_id: c,
            message_id: m,
            new_last_message,
        } => {
            let mut told = json!({"type": "message.deleted", "conversationId": c, "messageId": m});
            if let Some(last) = new_last_message {
                told["newLastMessage"] = json!(last.as_deref().map(wire_message));
            }
            told
        }
        E::TypingAvailable {
            conversation_id: c,
            state,
        } => json!({"type": "typing.available", "conversationId": c, "state": state}),
        E::TypingChanged {
            conversation_id: c,
            diff,
        } => json!({"type": "typing.changed", "conversationId": c, "diff": diff}),
        E::ReactionAdded {
            conversation_id: c,
            message_id: m,
            emoji,
            user_id: u,
            created_at,
        } => json!({
            "type": "reaction.added", "conversationId": c, "messageId": m, "emoji": emoji,
            "userId": u, "createdAt": created_at,
        }),
        E::ReactionRemoved {
            conversation_id: c,
            message_id: m,
            emoji,
            user_id: u,
        } => json!({
            "type": "reaction.removed", "conversationId": c, "messageId": m, "emoji": emoji,
            "userId": u,
        }),
        E::SessionExpired {} => json!({"type": "session.expired"}),
        E::UpstreamRestarting {} => json!({"type": "upstream.restarting"}),
    }
}

/// Returns the event with an additional unknown member, also in its state and diff.
fn with_unknown(event: &Value, value: &Value) -> Value {
    let mut event = event.clone();
    let insert = |members: Option<&mut Map<String, Value>>| {
        if let Some(members) = members {
            members.insert(UNKNOWN.to_owned(), value.clone());
        }
    };
    for member in ["state", "diff"] {
        insert(event.get_mut(member).and_then(Value::as_object_mut));
    }
    insert(event.as_object_mut());
    event
}

/// Returns a value of any JSON type.
fn any_value() -> impl Strategy<Value = Value> {
    select(vec![json!(null), json!(1), json!({"id": []}), json!(["x"])])
}

/// Larger values are moved by calls of `memcpy`, and an event is moved several times.
#[test]
fn published_event_has_at_most_128_bytes() {
    assert!(size_of::<Published>() <= 128);
}

#[test]
fn damaged_event_keeps_readable_members() {
    let text = r#"[5,"PUBLISH",
        {"type":"message.created","conversationId":"c","messageId":"m","state":{"id":"m",
            "createdAt":1,"content":[{"type":"text","children":["a\ud83d"]}]}},
        {"type":"message.created","conversationId":"c","messageId":"n","state":{"id":"n",
            "createdAt":2,"custom":[],"content":[{"type":"text","children":["b"]}]}},
        {"type":"user.edited","userId":"u","diff":{"name":5,"role":"r"}},
        {"type":"user.edited","userId":7,"diff":{"role":"r"}},
        {"type":"side.deleted","conversationId":"c"}]"#;
    let mut reader = crate::wire::FrameReader::default();
    let Some(crate::wire::ServerFrame::Publish { events, .. }) = reader.read(text) else {
        panic!("a publish");
    };
    let texts: Vec<_> = events
        .iter()
        .map(|event| match event {
            Ok(ServerEvent::MessageCreated { state, .. }) => state.plaintext(),
            Ok(ServerEvent::UserEdited { diff, .. }) => format!("{:?}", diff.role),
            Ok(_) => "other".to_owned(),
            Err(EventError::Unreadable(event)) => format!("unreadable {:?}", event.kind),
            Err(error) => format!("{error:?}"),
        })
        .collect();
    let expected = [
        "a\u{fffd}",
        "Malformed",
        "b",
        "Malformed",
        "Set(\"r\")",
        "unreadable UserEdited",
        "other",
    ];
    assert_eq!(texts, expected);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn event_of_any_kind_round_trips(event in event()) {
        let read = read(&event).unwrap();
        prop_assert_eq!(&read_type_first(&event).unwrap(), &read);
        prop_assert_eq!(to_json(&read), event);
    }

    #[test]
    fn event_unknown_members_are_ignored(
        event in event(),
        value in any_value(),
    ) {
        let known = read(&event).unwrap();
        prop_assert_eq!(read(&with_unknown(&event, &value)).unwrap(), known);
    }

    #[test]
    fn event_foreign_state_or_diff_is_ignored(
        event in event(),
        value in any_value(),
    ) {
        let known = read(&event).unwrap();
        let mut more = event;
        let members = more.as_object_mut().unwrap();
        for member in ["state", "diff"] {
            members.entry(member).or_insert_with(|| value.clone());
        }
        prop_assert_eq!(&read(&more).unwrap(), &known);
        prop_assert_eq!(&read_type_first(&more).unwrap(), &known);
    }

    #[test]
    fn event_without_a_member_is_an_error(event in event(), member: prop::sample::Index) {
        let members = event.as_object().unwrap();
        let names: Vec<_> = members.keys().filter(|name| *name != "newLastMessage").collect();
        let name = names[member.index(names.len())];
        let mut less = event.clone();
        less.as_object_mut().unwrap().remove(name);
        let error = read(&less).unwrap_err();
        let is_known = matches!(error, EventError::Unreadable(_));
        prop_assert!(is_known || name == "type" && error == EventError::Malformed, "{error:?}");
    }
}
