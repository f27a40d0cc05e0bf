//! Recorded calls of the published client, replayed frame by frame on the core.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use talk_proto::{
    Call, Reply, RequestError, RequestId,
    model::{ConversationId, ParticipantParams, UserId},
};

use crate::support::{Answer, World, options, send};

const CALLS: &str = include_str!("../../tests/vectors/calls.jsonl");

/// A recorded case.
#[derive(Deserialize)]
struct Case {
    call: String,
    args: Vec<Value>,
    /// `METHOD /path` → `[status, body]`.
    replies: BTreeMap<String, (u16, Value)>,
    frames: Vec<Value>,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    rejects: bool,
}

fn cases() -> impl Iterator<Item = Case> {
    let case = |line| serde_json::from_str(line).expect("a vector is a case");
    CALLS.lines().map(case)
}

#[test]
fn calls_match_recorded_frames_and_outcomes() {
    let mut played = 0;
    for (index, case) in cases().enumerate() {
        let mut world = world_of(&case);
        let requests = make_calls(&mut world, &case);
        world.run();
        let name = format!("line {}: {} {:?}", index + 1, case.call, case.args);
        let frames: Vec<_> = world.log.work().map(|r| without_key(r.frame())).collect();
        assert_eq!(frames, case.frames, "{name}");
        for request in requests {
            check_outcome(world.outcome(request), &case, &name);
        }
        played += 1;
    }
    assert_eq!(played, 84, "every line was played");
}

#[test]
fn calls_on_ready_connection_match_recorded_frames() {
    for (index, case) in cases().enumerate() {
        let mut world = world_of(&case);
        world.call(crate::support::mark_as_read("warm up"));
        world.run();
        world.log.requests.clear();
        make_calls(&mut world, &case);
        world.run();
        let frames: Vec<_> = world.log.work().map(|r| without_key(r.frame())).collect();
        assert_eq!(frames, case.frames, "line {}: {}", index + 1, case.call);
    }
}

fn world_of(case: &Case) -> World {
    let mut world = World::new(options());
    let replies = case.replies.clone();
    world.script.add(move |request| {
        let (status, body) = replies.get(&request.line())?;
        Some(Answer::Reply(*status, body.clone()))
    });
    world.script.add_http(|_| None);
    world
}

fn make_calls(world: &mut World, case: &Case) -> Vec<RequestId> {
    let calls = match case.call.strip_prefix("batch: ") {
        Some(batch) => batch_of(batch, &case.args),
        None => vec![call_of(&case.call, &case.args)],
    };
    calls.into_iter().map(|call| world.call(call)).collect()
}

fn check_outcome(outcome: &Result<Reply, RequestError>, case: &Case, name: &str) {
    match outcome {
        Ok(reply) => {
            assert!(!case.rejects, "{name}: {reply:?}");
            // A `batch:` row only records that no error occurred.
            if !case.call.starts_with("batch: ") {
                let reply = serde_json::to_value(reply).expect("a reply is JSON");
                assert_eq!(reply, case.result, "{name}");
            }
        }
        Err(error) => {
            assert!(case.rejects, "{name}: {error}");
            let RequestError::Server(refused) = error else {
                panic!("{name}: {error}");
            };
            let told = |code: &str| code == refused.error_code;
            let told = case.replies.values().any(|(status, body)| {
                (*status == refused.status && body["errorCode"].as_str().is_some_and(told))
                    || body["responses"][0]["errorCode"].as_str().is_some_and(told)
            });
            assert!(told, "{name}: {error}");
        }
    }
}

/// Replaces a random idempotency key by the placeholder of the vectors.
fn without_key(mut frame: Value) -> Value {
    if let Some(key) = frame[2].get_mut("idempotencyKey") {
        let text = key.as_str().unwrap_or_default();
        let is_key_character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert_eq!(text.len(), 20, "{text}");
        assert!(text.chars().all(is_key_character), "{text}");
        *key = json!("<20 characters>");
    }
    frame
}

/// Returns the call for a name and arguments of the documented API.
fn call_of(name: &str, args: &[Value]) -> Call {
    fn arg<T: DeserializeOwned>(args: &[Value], index: usize) -> T {
        let value = args.get(index).filter(|value| !value.is_null());
        let value = value.cloned().unwrap_or_else(|| json!({}));
        serde_json::from_value(value).expect("an argument is understood")
    }
    match name {
        "user.createIfNotExists" => Call::CreateUser {
            user: arg(args, 0),
            params: arg(args, 1),
        },
        "user.set" => Call::SetUser {
            user: arg(args, 0),
            params: arg(args, 1),
        },
        "conversation.createIfNotExists" => Call::CreateConversation {
            conversation: arg(args, 0),
            params: arg(args, 1),
        },
        "conversation.set" => Call::SetConversation {
            conversation: arg(args, 0),
            params: arg(args, 1),
        },
        "conversation.markAsRead" => Call::MarkAsRead {
            conversation: arg(args, 0),
        },
        "conversation.markAsUnread" => Call::MarkAsUnread {
            conversation: arg(args, 0),
        },
        "conversation.markAsTyping" => Call::MarkAsTyping {
            conversation: arg(args, 0),
        },
        "conversation.send" => Call::SendMessage {
            conversation: arg(args, 0),
            message: arg(args, 1),
        },
        "message.get" => Call::GetMessage {
            conversation: arg(args, 0),
            message: arg(args, 1),
        },
        "message.edit" => Call::EditMessage {
            conversation: arg(args, 0),
            message: arg(args, 1),
            edit: arg(args, 2),
        },
        "message.delete" => Call::DeleteMessage {
            conversation: arg(args, 0),
            message: arg(args, 1),
        },
        "message.translate" => Call::TranslateMessage {
            conversation: arg(args, 0),
            message: arg(args, 1),
            language: arg(args, 2),
        },
        "reactions.add" => Call::AddReaction {
            conversation: arg(args, 0),
            message: arg(args, 1),
            emoji: arg(args, 2),
        },
        "reactions.remove" => Call::RemoveReaction {
            conversation: arg(args, 0),
            message: arg(args, 1),
            emoji: arg(args, 2),
        },
        "participant.set" => Call::SetParticipant {
            conversation: arg(args, 0),
            user: arg(args, 1),
            params: arg(args, 2),
        },
        "participant.edit" => Call::EditParticipant {
            conversation: arg(args, 0),
            user: arg(args, 1),
            params: arg(args, 2),
        },
        "participant.createIfNotExists" => Call::CreateParticipant {
            conversation: arg(args, 0),
            user: arg(args, 1),
            params: arg(args, 2),
        },
        "participant.delete" => Call::DeleteParticipant {
            conversation: arg(args, 0),
            user: arg(args, 1),
        },
        other => panic!("no such call: {other}"),
    }
}

/// Returns the calls that the description of a `batch:` row names.
fn batch_of(batch: &str, args: &[Value]) -> Vec<Call> {
    let conversation: ConversationId = serde_json::from_value(args[0].clone()).expect("an ID");
    let create = |user: &str, params: Value| Call::CreateParticipant {
        conversation: conversation.clone(),
        user: UserId::try_from(user).expect("an ID"),
        params: serde_json::from_value::<ParticipantParams>(params).expect("parameters"),
    };
    match batch {
        "3 participants created in one tick" => {
            let users = args[1].as_array().expect("users");
            let create =
                |user: &Value| create(user.as_str().expect("an ID"), json!({"access": "Read"}));
            users.iter().map(create).collect()
        }
        "120 participants created in one tick" => (0..120)
            .map(|n| create(&format!("u{n}"), json!({})))
            .collect(),
        "3 translations of one language in one tick" => {
            let messages = args[1].as_array().expect("messages");
            let translate = |message: &Value| {
                call_of(
                    "message.translate",
                    &[args[0].clone(), message.clone(), args[2].clone()],
                )
            };
            messages.iter().map(translate).collect()
        }
        "participants then a send in one tick" => vec![
            create("x", json!({})),
            send("c1", "hi"),
            create("y", json!({})),
        ],
        other => panic!("no driver for {other}"),
    }
}
