//! The details of failed calls: retry safety, and `Debug` without the strings of the request.

use serde_json::json;
use talk_proto::{
    Call, RequestError, RequestId, RetrySafety, TransportError,
    command::{EditMessage, SendMessage},
    model::{Custom, UserParams},
};

use crate::support::{
    Answer, World, conversation, mark_as_read, message, seconds, send, unpaced, user,
};

/// Creates a world that answers every call with `status` and `reason`.
fn refusing(status: u16, reason: &'static str) -> World {
    let mut world = World::ready(unpaced());
    world.script.add(move |request| {
        let refusal = json!({"status": status, "errorCode": "CODE", "reasons": [reason]});
        let is_batch = request.path.ends_with("/participants");
        (!request.is_housekeeping()).then(|| match is_batch {
            true => Answer::Reply(200, json!({"responses": [refusal]})),
            false => Answer::Reply(status, refusal),
        })
    });
    world
}

fn error(world: &World, request: RequestId) -> &RequestError {
    match world.outcome(request) {
        Err(error) => error,
        Ok(reply) => unreachable!("the call was answered with {reply:?}"),
    }
}

#[test]
fn server_error_debug_masks_texts_of_the_request() {
    let reason = "mellon is not allowed, friend";
    let user_params = |name: &str| UserParams::named(name);
    let custom: Custom = [("key", "mellon")].into_iter().collect();
    for call in [
        send("c1", "say friend, mellon"),
        Call::EditMessage {
            conversation: conversation("c1"),
            message: message("m1"),
            edit: EditMessage::text("*Mellon*, my friend"),
        },
        Call::SendMessage {
            conversation: conversation("c1"),
            message: SendMessage::text("friend").custom("key", custom.get("key").unwrap()),
        },
        Call::SetUser {
            user: user("bob"),
            params: user_params("friend Mellon"),
        },
    ] {
        let mut world = refusing(403, reason);
        let request = world.call(call);
        world.run();
        let error = error(&world, request);
        let shown = format!("{error:?}");
        assert!(shown.contains(r#"["… is not allowed, …"]"#), "{shown}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn server_error_debug_shows_unrelated_reasons() {
    let mut world = refusing(403, "the conversation is closed");
    let request = world.call(send("c1", "hello"));
    world.run();
    let shown = format!("{:?}", error(&world, request));
    assert!(shown.contains("the conversation is closed"), "{shown}");
}

#[test]
fn failed_status_may_duplicate_sends_only() {
    for (call, expected) in [
        (send("c1", "hello"), RetrySafety::MayDuplicate),
        (mark_as_read("c1"), RetrySafety::Safe),
        (Call::GetUser { user: user("bob") }, RetrySafety::Safe),
    ] {
        let mut world = refusing(500, "broken");
        let request = world.call(call.clone());
        world.run_until_resolved(seconds(3600));
        let error = error(&world, request);
        assert_eq!(error.status(), Some(500));
        assert_eq!(error.retry_safety(), expected, "{call:?}");
    }
}

#[test]
fn cancelled_read_may_have_happened_once_sent() {
    let read = || Call::GetUser { user: user("bob") };
    let mut world = World::ready(unpaced());
    world.script.add(|_| Some(Answer::Silence));
    let sent = world.call(read());
    world.run();
    let requeued = world.call(Call::GetUser { user: user("ann") });
    world.run();
    world.cancel(sent);
    world.cut();
    world.cancel(requeued);
    let unsent = world.call(read());
    world.cancel(unsent);
    world.run();
    for (request, maybe_happened) in [(sent, true), (requeued, true), (unsent, false)] {
        let cancelled = TransportError::Cancelled {
            maybe_happened,
            idempotent: true,
        };
        assert_eq!(error(&world, request), &cancelled.into(), "{request:?}");
        assert_eq!(error(&world, request).retry_safety(), RetrySafety::Safe);
    }
}
