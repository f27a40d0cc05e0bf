//! Sends are reported as done only if they are, sent once, and shown once.

use serde_json::json;
use talk_proto::{
    Call, RequestError,
    model::{ConversationParams, ParticipantParams, UserParams},
};

use super::chat::{Chat, created};
use crate::support::{
    Answer, Network, World, conversation, message, options, seconds, send, unpaced, user,
};

/// Complaint: a send is reported as done, but lost.
#[test]
fn send_resolves_after_acknowledgement() {
    let mut world = World::new(options());
    let mut answers = [
        Answer::Drop,
        Answer::refuse(429, "LATER"),
        Answer::refuse(500, "FAILED"),
        Answer::Late(seconds(5), 200, json!({"id": "msg_of_the_server"})),
    ]
    .into_iter();
    world.script.add(move |request| {
        let is_send = request.path.ends_with("/messages");
        is_send.then(|| answers.next().unwrap())
    });
    world.network = Network::Up(seconds(1));
    let request = world.call(send("c1", "hello"));
    let end = world.now + seconds(60);
    while world.log.of("POST /conversations/c1/messages").len() < 4 {
        assert!(world.step(end));
        assert!(!world.is_resolved(request));
    }
    world.run_for(seconds(4));
    assert!(!world.is_resolved(request));
    world.run_for(seconds(1));
    let reply = serde_json::to_value(world.outcome(request).as_ref().unwrap()).unwrap();
    assert_eq!(reply, json!({"messageRef": "msg_of_the_server"}));
}

/// Complaint: a failed send is sent later.
#[test]
fn failed_send_is_never_repeated() {
    let mut world = World::ready(unpaced());
    world.script.add(|request| {
        let text = request.data["content"][0]["children"][0].as_str()?;
        match text {
            "refused" => Some(Answer::refuse(403, "FORBIDDEN")),
            "failing" => Some(Answer::refuse(500, "FAILED")),
            _ => Some(Answer::Silence),
        }
    });
    let texts = ["refused", "failing", "cancelled"];
    let requests = texts.map(|text| world.call(send(text, text)));
    world.run_for(seconds(20));
    world.session.cancel(world.now, requests[2]).unwrap();
    world.run();
    for request in requests {
        assert!(world.outcome(request).is_err());
    }
    let sent = world.log.work().count();
    world.cut();
    world.call(crate::support::mark_as_read("c1"));
    world.run_for(seconds(3600));
    assert_eq!(world.log.work().count(), sent + 1);
}

/// Complaint: the retry after a timeout fails because the entity exists already.
#[test]
fn retry_after_lost_answer_with_conflict_succeeds() {
    let c1 = || conversation("c1");
    let creates = [
        Call::CreateUser {
            user: user("bob"),
            params: UserParams::named("Bob"),
        },
        Call::CreateConversation {
            conversation: c1(),
            params: ConversationParams::default(),
        },
        Call::CreateParticipant {
            conversation: c1(),
            user: user("bob"),
            params: ParticipantParams::default(),
        },
    ];
    let deletes = [
        Call::DeleteMessage {
            conversation: c1(),
            message: message("m1"),
        },
        Call::DeleteParticipant {
            conversation: c1(),
            user: user("bob"),
        },
    ];
    let of = |status| move |call| (status, call);
    let calls = creates.map(of(409)).into_iter();
    for (status, call) in calls.chain(deletes.map(of(404))) {
        let mut world = World::ready(options());
        world.script.add(move |request| match request.connection {
            0 => Some(Answer::Silence),
            _ if request.is_housekeeping() => None,
            _ if request.path.ends_with("/participants") => {
                let response = json!({"status": 409, "errorCode": "ALREADY_EXISTS"});
                Some(Answer::Reply(200, json!({"responses": [response]})))
            }
            _ => Some(Answer::refuse(status, "AS_BEFORE")),
        });
        let request = world.call(call.clone());
        world.run();
        world.cut();
        world.run_until_resolved(seconds(5));
        assert!(world.outcome(request).is_ok(), "{call:?}");
    }
}

/// Complaint: the echo of a message is shown in addition to the server's copy.
#[test]
fn own_message_event_or_answer_first_shows_once() {
    for event_comes_first in [true, false] {
        let (mut chat, subscription) = Chat::shown(3);
        let answer = |seq| json!([seq, 200, {"id": "m4"}]).to_string();
        let mut send_is_held = true;
        chat.world.script.add(move |request| {
            let is_send = request.path.ends_with("/c1/messages") && request.method == "POST";
            (is_send && std::mem::take(&mut send_is_held)).then_some(Answer::Silence)
        });
        let request = chat.world.call(send("c1", "hello"));
        chat.world.run();
        let seq = chat.world.log.requests.last().unwrap().seq;
        chat.hold(4);
        if event_comes_first {
            chat.world.publish(&[created(4)]);
            chat.world.receive(&answer(seq));
        } else {
            chat.world.receive(&answer(seq));
            chat.world.publish(&[created(4)]);
        }
        // The server publishes the event again, as after a recovery.
        chat.world.publish(&[created(4)]);
        assert!(chat.world.outcome(request).is_ok());
        assert_eq!(chat.updates(subscription).len(), 2);
        assert_eq!(chat.shows(subscription), ["m4", "m3", "m2", "m1"]);
    }
}

/// Complaint: a send whose answer was lost is shown twice after a reconnect.
#[test]
fn send_repeated_after_fetch_shows_once() {
    let (mut chat, subscription) = Chat::shown(3);
    chat.world.script.add(|request| {
        let is_send = request.path.ends_with("/c1/messages") && request.method == "POST";
        let answer = match request.connection {
            0 => Answer::Drop,
            _ => Answer::Reply(200, json!({"id": "m4"})),
        };
        is_send.then_some(answer)
    });
    let request = chat.world.call(send("c1", "hello"));
    chat.hold(4);
    chat.world.run_for(seconds(5));
    assert_eq!(
        chat.world.outcome(request).as_ref().map(|_| ()),
        Ok::<_, &RequestError>(())
    );
    chat.world.publish(&[created(4)]);
    assert_eq!(chat.shows(subscription), ["m4", "m3", "m2", "m1"]);
    let sends = chat.world.log.of("POST /conversations/c1/messages");
    assert_eq!(sends.len(), 2);
    assert_eq!(
        sends[0].data["idempotencyKey"],
        sends[1].data["idempotencyKey"]
    );
}
