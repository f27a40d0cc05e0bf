//! The values that the numbers in a step select.

use serde_json::{Value, json};
use talk_proto::{
    Call, SocketClosed, Topic,
    command::SendMessage,
    filter::ConversationFilter,
    model::{ConversationParams, Emoji, ParticipantParams, UserParams},
};

use crate::support::script::Answer;
use crate::support::{conversation, data, message, millis, send, user};

pub(super) fn pick<T: Copy>(items: &[T], which: u8) -> Option<T> {
    items.get(usize::from(which) % items.len().max(1)).copied()
}

pub(super) fn cause(kind: u8) -> SocketClosed {
    match kind % 8 {
        0 => SocketClosed::FrameTooLarge,
        1 => SocketClosed::Lost("broken".to_owned()),
        n => SocketClosed::ByServer {
            code: (n % 2 == 0).then_some(1006),
        },
    }
}

pub(super) fn answer(kind: u8) -> Answer {
    match kind % 16 {
        0 => Answer::Silence,
        1 => Answer::Drop,
        2 => Answer::Late(millis(u64::from(kind) * 50), 200, json!({"id": "late"})),
        3 => Answer::Raw(vec!["[".to_owned(), "garbage".to_owned()]),
        4 => Answer::Reply(200, json!([1, 2, 3])),
        5 => Answer::Reply(200, Value::Null),
        6 | 7 => Answer::refuse(401, "UNAUTHORIZED"),
        8 | 9 => Answer::refuse(429, "LATER"),
        10 | 11 => Answer::refuse(500, "BROKEN"),
        12 => Answer::refuse(403, "NOT_A_PARTICIPANT"),
        13 => Answer::refuse(404, "CONVERSATION_NOT_FOUND"),
        14 => Answer::refuse(418, "TEAPOT"),
        _ => Answer::refuse(u16::from(kind) + 400, "ANY"),
    }
}

pub(super) fn call(kind: u8, id: u8) -> Call {
    let c = conversation(["c1", "c2", "c/3"][usize::from(id) % 3]);
    let u = user(["alice", "bob", "carol"][usize::from(id / 3) % 3]);
    let m = message(["m1", "m2"][usize::from(id / 9) % 2]);
    match kind % 26 {
        0..=3 => send(c.as_str(), &format!("text number {id}")),
        4 => Call::MarkAsRead { conversation: c },
        5 => Call::MarkAsTyping { conversation: c },
        6 => Call::CreateConversation {
            conversation: c,
            params: ConversationParams::default(),
        },
        7 => Call::SetConversation {
            conversation: c,
            params: ConversationParams::default(),
        },
        8 => Call::CreateParticipant {
            conversation: c,
            user: u,
            params: ParticipantParams::default(),
        },
        9 => Call::EditParticipant {
            conversation: c,
            user: u,
            params: ParticipantParams::default(),
        },
        10 => Call::DeleteParticipant {
            conversation: c,
            user: u,
        },
        11 => Call::TranslateMessage {
            conversation: c,
            message: m,
            language: "nl".to_owned(),
        },
        12 => Call::DeleteMessage {
            conversation: c,
            message: m,
        },
        13 => Call::AddReaction {
            conversation: c,
            message: m,
            emoji: emoji(),
        },
        14 => Call::EditMessage {
            conversation: c,
            message: m,
            edit: "edited".into(),
        },
        15 => Call::GetUser { user: u },
        16 => Call::GetConversation { conversation: c },
        17 => Call::GetParticipant {
            conversation: c,
            user: u,
        },
        18 => Call::GetMessage {
            conversation: c,
            message: m,
        },
        19 => Call::GetFirstReactions {
            conversation: c,
            message: m,
            emoji: emoji(),
        },
        20 => Call::CreateUser {
            user: u,
            params: UserParams::named("the name"),
        },
        21 => Call::SetUser {
            user: u,
            params: UserParams::named("the name"),
        },
        22 => Call::MarkAsUnread { conversation: c },
        23 => Call::SetParticipant {
            conversation: c,
            user: u,
            params: ParticipantParams::default(),
        },
        24 => Call::RemoveReaction {
            conversation: c,
            message: m,
            emoji: emoji(),
        },
        _ => Call::SendMessage {
            conversation: c,
            message: SendMessage::text("a *reply*").custom("k", "v").reply_to(m),
        },
    }
}

pub(super) fn topic(kind: u8, id: u8) -> Topic {
    let c = conversation(["c1", "c2"][usize::from(id) % 2]);
    let u = user(["alice", "bob"][usize::from(id) % 2]);
    match kind % 12 {
        0 => Topic::User { user: u },
        1 | 2 => Topic::Conversation { conversation: c },
        3 | 4 => Topic::Messages { conversation: c },
        5 => Topic::Participants { conversation: c },
        6 => Topic::Participant {
            conversation: c,
            user: u,
        },
        7 => Topic::Typing { conversation: c },
        8 => Topic::Reactions {
            conversation: c,
            message: message("m1"),
            emoji: emoji(),
        },
        9 => Topic::Online { user: u },
        10 => Topic::Conversations { filter: None },
        _ => Topic::Conversations {
            filter: Some(filter(id)),
        },
    }
}

fn emoji() -> Emoji {
    ":x:".try_into().expect("an emoji")
}

fn filter(id: u8) -> ConversationFilter {
    let filters = [
        json!({"isUnread": true}),
        json!({"custom": {"k": "exists"}}),
        json!({"subject": ["oneOf", ["m1", null]]}),
        json!(["any", [{"access": ["==", "Read"]}, {"custom": {"k": ["!=", "v"]}}]]),
    ];
    let filter = filters[usize::from(id / 2) % filters.len()].clone();
    serde_json::from_value(filter).expect("a filter")
}

pub(super) fn event(kind: u8, id: u8) -> Value {
    let c = ["c1", "c2"][usize::from(id) % 2];
    let m = format!("m{}", id % 8);
    match kind % 26 {
        0 => json!({"type": "session.expired"}),
        1 => json!({"type": "upstream.restarting"}),
        2 => json!({"type": "user.edited", "userId": "bob", "diff": {"name": format!("Bob {id}")}}),
        3 => json!({"type": "user.created", "userId": "bob", "state": data::user("bob")}),
        4 => json!({"type": "side.created", "conversationId": c, "state": data::side(c)}),
        5 => {
            json!({"type": "side.edited", "conversationId": c, "diff": {"unreadMessageCount": id}})
        }
        6 => json!({"type": "side.deleted", "conversationId": c}),
        7 => json!({"type": "conversation.edited", "conversationId": c, "diff": {"subject": m}}),
        8 => json!({"type": "conversation.cleared", "conversationId": c}),
        9 | 10 => json!({
            "type": "message.created", "conversationId": c, "messageId": m,
            "state": data::message(&m, 10 + u64::from(id)),
        }),
        11 => json!({
            "type": "message.edited", "conversationId": c, "messageId": m,
            "diff": {"custom": {"k": "v"}},
        }),
        12 => json!({"type": "message.deleted", "conversationId": c, "messageId": m}),
        13 => json!({
            "type": "participant.edited", "conversationId": c, "userId": "alice",
            "diff": {"access": "Read"},
        }),
        14 => json!({"type": "message.created", "conversationId": c}),
        15 => json!({"type": "no.such.thing"}),
        16 => {
            let diff = json!({"isConnected": id.is_multiple_of(2)});
            json!({"type": "user.online.changed", "userId": "bob", "diff": diff})
        }
        17 => json!({
            "type": "participant.created", "conversationId": c, "userId": m,
            "state": data::participant(&m, 10 + u64::from(id)),
        }),
        18 => json!({"type": "participant.deleted", "conversationId": c, "userId": "bob"}),
        19 => json!({
            "type": "typing.available", "conversationId": c,
            "state": {"many": false, "usersTyping": {"bob": id}},
        }),
        20 => {
            let since = if id.is_multiple_of(2) {
                json!(id)
            } else {
                Value::Null
            };
            json!({
                "type": "typing.changed", "conversationId": c,
                "diff": {"usersTyping": {"bob": since}},
            })
        }
        21 => json!({"type": "typing.changed", "conversationId": c, "diff": {"many": true}}),
        22 => json!({
            "type": "reaction.added", "conversationId": c, "messageId": "m1", "emoji": ":x:",
            "userId": m, "createdAt": id,
        }),
        23 => json!({
            "type": "reaction.removed", "conversationId": c, "messageId": "m1", "emoji": ":x:",
            "userId": "bob",
        }),
        24 => json!({
            "type": "message.edited", "conversationId": c, "messageId": m,
            "diff": {"reactions": {
                ":x:": {"createdAt": 1, "count": id, "currentUserReacted": true},
            }},
        }),
        _ => json!({
            "type": "message.deleted", "conversationId": c, "messageId": m,
            "newLastMessage": data::message("m0", 1),
        }),
    }
}
