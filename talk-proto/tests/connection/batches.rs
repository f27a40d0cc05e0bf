//! Calls of one tick that share a frame.

use serde_json::{Value, json};
use talk_proto::{Call, Reply, RequestId, ServerError, TransportError};

use crate::support::{Answer, World, conversation, message, unpaced, user};

fn translate(to: &str, id: &str, language: &str) -> Call {
    Call::TranslateMessage {
        conversation: conversation(to),
        message: message(id),
        language: language.to_owned(),
    }
}

fn remove(from: &str, who: &str) -> Call {
    Call::EditParticipant {
        conversation: conversation(from),
        user: user(who),
        params: Default::default(),
    }
}

/// Returns the paths and IDs of the frames, in order.
fn asked(world: &World) -> Vec<(String, Value)> {
    let frames = world.log.work();
    frames.map(|r| (r.path.clone(), r.data.clone())).collect()
}

#[test]
fn translations_share_a_frame_per_language() {
    let mut world = World::ready(unpaced());
    for (to, id, language) in [
        ("c1", "m1", "nl"),
        ("c1", "m2", "nl"),
        ("c1", "m3", "de"),
        ("c2", "m4", "de"),
        ("c2", "m5", "de"),
        ("c1", "m6", "de"),
    ] {
        world.call(translate(to, id, language));
    }
    world.run();
    let frame = |to: &str, ids: &[&str], language: &str| {
        let path = format!("/me/conversations/{to}/translate");
        (path, json!({"ids": ids, "lang": language}))
    };
    let expected = [
        frame("c1", &["m1", "m2"], "nl"),
        frame("c1", &["m3"], "de"),
        frame("c2", &["m4", "m5"], "de"),
        frame("c1", &["m6"], "de"),
    ];
    assert_eq!(asked(&world), expected);
}

#[test]
fn translations_above_100_use_more_frames() {
    let mut world = World::ready(unpaced());
    for n in 0..250 {
        world.call(translate("c1", &format!("m{n}"), "nl"));
    }
    world.run();
    let sizes = asked(&world).into_iter();
    let sizes: Vec<_> = sizes
        .map(|(_, data)| data["ids"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
}

/// A call that is cancelled before it is sent is not in the frame.
#[test]
fn batch_part_cancelled_early_is_not_sent() {
    for (first, second, left) in [
        (
            translate("c1", "m1", "nl"),
            translate("c1", "m2", "nl"),
            json!({"ids": ["m2"], "lang": "nl"}),
        ),
        (
            remove("c1", "ann"),
            remove("c1", "bob"),
            json!({"actions": [{"id": "bob", "method": "PATCH", "params": {}}]}),
        ),
    ] {
        let mut world = World::new(unpaced());
        let [first, second] = [first, second].map(|call| world.call(call));
        world.cancel(first);
        world.run();
        let sent: Vec<_> = asked(&world).into_iter().map(|(_, data)| data).collect();
        assert_eq!(sent, [left]);
        assert!(world.is_resolved(second));
        check_cancelled(&world, first, false);
    }
}

#[test]
fn batch_cancelled_part_is_resolved_once() {
    for (first, second) in [
        (translate("c1", "m1", "nl"), translate("c1", "m2", "nl")),
        (remove("c1", "ann"), remove("c1", "bob")),
    ] {
        let mut world = World::ready(unpaced());
        world.latency = crate::support::seconds(1);
        world.script.next.push_back(Answer::refuse(403, "NO"));
        let [first, second] = [first, second].map(|call| world.call(call));
        world.run();
        world.cancel(first);
        world.run_for(crate::support::seconds(1));
        let refused = ServerError::new(403, "NO", vec!["because".to_owned()]);
        assert_eq!(world.outcome(second), &Err(refused.into()));
        check_cancelled(&world, first, true);
    }
}

fn check_cancelled(world: &World, request: RequestId, maybe_happened: bool) {
    let cancelled = TransportError::Cancelled {
        maybe_happened,
        idempotent: true,
    };
    assert_eq!(world.outcome(request), &Err(cancelled.into()));
}

/// A refusal to edit an entity is a success if the call sets none of its attributes. Any other
/// refusal is an error.
#[test]
fn create_if_not_exists_conflict_is_success() {
    let outcome = |on_conversation: bool, status: u16, code: &'static str| {
        let mut world = World::ready(unpaced());
        world.script.add(move |request| {
            let refusal = || json!({"status": status, "errorCode": code, "reasons": []});
            match request.method.as_str() {
                "PUT" if on_conversation => Some(Answer::Reply(status, refusal())),
                "POST" if !on_conversation => {
                    Some(Answer::Reply(200, json!({"responses": [refusal()]})))
                }
                _ => None,
            }
        });
        let request = world.call(Call::SetConversation {
            conversation: conversation("c1"),
            params: Default::default(),
        });
        world.run();
        world.outcome(request).clone()
    };
    for (on_conversation, forgiven, other) in [
        (
            true,
            "UNAUTHORIZED_TO_EDIT",
            "UNAUTHORIZED_TO_EDIT_PARTICIPANT",
        ),
        (
            false,
            "UNAUTHORIZED_TO_EDIT_PARTICIPANT",
            "UNAUTHORIZED_TO_EDIT",
        ),
    ] {
        assert_eq!(outcome(on_conversation, 403, forgiven), Ok(Reply::Done));
        for (status, code) in [(403, other), (403, ""), (400, forgiven)] {
            let refused = ServerError::new(status, code, vec![]);
            let expected = Err(refused.into());
            assert_eq!(
                outcome(on_conversation, status, code),
                expected,
                "{status} {code}"
            );
        }
    }
}
