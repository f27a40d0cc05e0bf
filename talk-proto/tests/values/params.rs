//! Values that are set with builders are sent.

use std::borrow::Cow;

use serde_json::{Value, json};
use talk_proto::{
    Call,
    command::{EditMessage, SendMessage},
    content::ContentBlock,
    model::{Access, ConversationParams, Notify, ParticipantParams, Patch, UserParams},
};

use crate::support::{World, conversation, message, unpaced, user};

/// Returns the frames of these calls as `[METHOD, path, data]`, without idempotency keys.
fn sent(calls: impl IntoIterator<Item = Call>) -> Vec<Value> {
    let mut world = World::ready(unpaced());
    for call in calls {
        world.call(call);
        world.run();
    }
    let frames = world.log.work();
    let frames = frames.map(|request| {
        let mut data = request.data.clone();
        if let Some(members) = data.as_object_mut() {
            members.remove("idempotencyKey");
        }
        json!([request.method, request.path, data])
    });
    frames.collect()
}

#[test]
fn user_params_are_sent() {
    let params = UserParams::named("Alice")
        .locale("nl-NL")
        .photo_url("https://example.com/alice.png")
        .role("admin")
        .custom("team", "blue")
        .custom("floor", "3")
        .email("alice@example.com")
        .phone(vec!["+31 1".to_owned(), "+31 2".to_owned()])
        .push_token("fcm:a")
        .push_token("apns:b");
    let expected = json!({
        "name": "Alice", "locale": "nl-NL", "photoUrl": "https://example.com/alice.png",
        "role": "admin", "custom": {"team": "blue", "floor": "3"},
        "email": ["alice@example.com"], "phone": ["+31 1", "+31 2"],
        "pushTokens": {"fcm:a": true, "apns:b": true},
    });
    let alice = || user("alice");
    let set = Call::SetUser {
        user: alice(),
        params,
    };
    assert_eq!(sent([set]), [json!(["PUT", "/users/alice", expected])]);

    let params = UserParams::default().locale(None).photo_url(Patch::Reset);
    let set = Call::SetUser {
        user: alice(),
        params,
    };
    let expected = json!({"locale": null, "photoUrl": null});
    assert_eq!(sent([set]), [json!(["PUT", "/users/alice", expected])]);
}

#[test]
fn user_params_accept_one_address_or_many() {
    let one = UserParams::default().email("a");
    assert_eq!(UserParams::default().email("a".to_owned()), one);
    assert_eq!(UserParams::default().email(["a"]), one);
    assert_eq!(UserParams::default().email(vec!["a".to_owned()]), one);
}

#[test]
fn conversation_params_are_sent() {
    let params = ConversationParams::default()
        .subject("Plans")
        .photo_url("https://example.com/c.png")
        .welcome_messages(["Hello".to_owned()])
        .custom("topic", "travel")
        .custom("year", "2026")
        .notify(Notify::MentionsOnly)
        .access(Access::Read);
    let expected = json!({
        "subject": "Plans", "photoUrl": "https://example.com/c.png",
        "welcomeMessages": ["Hello"], "custom": {"topic": "travel", "year": "2026"},
        "notify": "MentionsOnly", "access": "Read",
    });
    let set = Call::SetConversation {
        conversation: conversation("c"),
        params,
    };
    // Both requests contain all parameters, and the server uses those that belong to each.
    let action = json!({"id": "alice", "method": "PUT", "params": expected});
    let participation = json!({"actions": [action]});
    let frames = [
        json!(["PUT", "/conversations/c", expected]),
        json!(["POST", "/conversations/c/participants", participation]),
    ];
    assert_eq!(sent([set]), frames);
}

#[test]
fn participant_params_are_sent() {
    let params = ParticipantParams::default()
        .access(Access::ReadWrite)
        .notify(Notify::Never);
    let edit = Call::EditParticipant {
        conversation: conversation("c"),
        user: user("bob"),
        params,
    };
    let params = json!({"access": "ReadWrite", "notify": false});
    let data = json!({"actions": [{"id": "bob", "method": "PATCH", "params": params}]});
    let frame = json!(["POST", "/conversations/c/participants", data]);
    assert_eq!(sent([edit]), [frame]);
}

fn blocks() -> [ContentBlock; 3] {
    [
        ContentBlock::text(["hi ".to_owned().into()]),
        ContentBlock::file("token"),
        ContentBlock::location(52.37, 4.9),
    ]
}

fn blocks_sent() -> Value {
    json!([
        {"type": "text", "children": ["hi "]},
        {"type": "file", "fileToken": "token"},
        {"type": "location", "latitude": 52.37, "longitude": 4.9},
    ])
}

fn text_sent(text: &str) -> Value {
    json!([{"type": "text", "children": [text]}])
}

#[test]
fn send_message_is_sent() {
    let send = |message| Call::SendMessage {
        conversation: conversation("c"),
        message,
    };
    let sent = sent([
        send("a".into()),
        send("b".to_owned().into()),
        send((&"b".to_owned()).into()),
        send(Cow::from("b").into()),
        send(
            SendMessage::text("c")
                .custom("k", "v")
                .reply_to(message("m0")),
        ),
        send(SendMessage::content(blocks())),
    ]);
    let data = [
        json!({"content": text_sent("a")}),
        json!({"content": text_sent("b")}),
        json!({"content": text_sent("b")}),
        json!({"content": text_sent("b")}),
        json!({"content": text_sent("c"), "custom": {"k": "v"}, "referencedMessageId": "m0"}),
        json!({"content": blocks_sent()}),
    ];
    let expected = data.map(|data| json!(["POST", "/conversations/c/messages", data]));
    assert_eq!(sent, expected);
}

#[test]
fn edit_message_is_sent() {
    let edit = |edit| Call::EditMessage {
        conversation: conversation("c"),
        message: message("m"),
        edit,
    };
    let sent = sent([
        edit("a".into()),
        edit("b".to_owned().into()),
        edit(
            EditMessage::content(blocks())
                .custom("k", "v")
                .custom("l", "w"),
        ),
        edit(EditMessage::default().custom("k", "v")),
    ]);
    let data = [
        json!({"content": text_sent("a")}),
        json!({"content": text_sent("b")}),
        json!({"content": blocks_sent(), "custom": {"k": "v", "l": "w"}}),
        json!({"custom": {"k": "v"}}),
    ];
    let expected = data.map(|data| json!(["PATCH", "/conversations/c/messages/m", data]));
    assert_eq!(sent, expected);
}

/// `Debug` shows the kind of the call only.
#[test]
fn call_debug_is_its_kind() {
    let (c, u, m) = (|| conversation("c"), || user("u"), || message("m"));
    let emoji = || "e".try_into().unwrap();
    let calls = [
        (Call::GetUser { user: u() }, "get_user"),
        (
            Call::CreateUser {
                user: u(),
                params: UserParams::default(),
            },
            "create_user",
        ),
        (
            Call::SetUser {
                user: u(),
                params: UserParams::default(),
            },
            "set_user",
        ),
        (
            Call::GetConversation { conversation: c() },
            "get_conversation",
        ),
        (
            Call::CreateConversation {
                conversation: c(),
                params: ConversationParams::default(),
            },
            "create_conversation",
        ),
        (
            Call::SetConversation {
                conversation: c(),
                params: ConversationParams::default(),
            },
            "set_conversation",
        ),
        (Call::MarkAsRead { conversation: c() }, "mark_as_read"),
        (Call::MarkAsUnread { conversation: c() }, "mark_as_unread"),
        (Call::MarkAsTyping { conversation: c() }, "mark_as_typing"),
        (
            Call::SendMessage {
                conversation: c(),
                message: "hi".into(),
            },
            "send_message",
        ),
        (
            Call::GetParticipant {
                conversation: c(),
                user: u(),
            },
            "get_participant",
        ),
        (
            Call::CreateParticipant {
                conversation: c(),
                user: u(),
                params: ParticipantParams::default(),
            },
            "create_participant",
        ),
        (
            Call::SetParticipant {
                conversation: c(),
                user: u(),
                params: ParticipantParams::default(),
            },
            "set_participant",
        ),
        (
            Call::EditParticipant {
                conversation: c(),
                user: u(),
                params: ParticipantParams::default(),
            },
            "edit_participant",
        ),
        (
            Call::DeleteParticipant {
                conversation: c(),
                user: u(),
            },
            "delete_participant",
        ),
        (
            Call::GetMessage {
                conversation: c(),
                message: m(),
            },
            "get_message",
        ),
        (
            Call::EditMessage {
                conversation: c(),
                message: m(),
                edit: "hi".into(),
            },
            "edit_message",
        ),
        (
            Call::DeleteMessage {
                conversation: c(),
                message: m(),
            },
            "delete_message",
        ),
        (
            Call::TranslateMessage {
                conversation: c(),
                message: m(),
                language: "nl".to_owned(),
            },
            "translate_message",
        ),
        (
            Call::AddReaction {
                conversation: c(),
                message: m(),
                emoji: emoji(),
            },
            "add_reaction",
        ),
        (
            Call::RemoveReaction {
                conversation: c(),
                message: m(),
                emoji: emoji(),
            },
            "remove_reaction",
        ),
        (
            Call::GetFirstReactions {
                conversation: c(),
                message: m(),
                emoji: emoji(),
            },
            "get_first_reactions",
        ),
    ];
    for (call, kind) in calls {
        assert_eq!(call.kind(), kind);
        // The name is that of the variant.
        let shown = format!("{call:?}");
        let variant = shown.split([' ', '{']).next().unwrap();
        assert_eq!(kind.replace('_', ""), variant.to_lowercase());
    }
}
