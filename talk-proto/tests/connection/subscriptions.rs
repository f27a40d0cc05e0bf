//! The effect of the connection on subscriptions and reads.

use serde_json::json;
use talk_proto::{Call, Event, SocketClosed, Topic, model::ConversationParams};

use crate::support::{
    Answer, Network, World, conversation, data, mark_as_read, message, millis, options, seconds,
    send, user,
};

fn topic(id: &str) -> Topic {
    Topic::Conversation {
        conversation: conversation(id),
    }
}

fn lines(world: &World) -> Vec<String> {
    world.log.work().map(|r| r.line()).collect()
}

/// Returns the subjects of the conversation in its snapshots.
fn subjects(world: &World) -> Vec<serde_json::Value> {
    let snapshot = |(_, event): &(_, Event)| match event {
        Event::Updated { update, .. } => {
            let snapshot = serde_json::to_value(&update.snapshot).expect("JSON");
            Some(snapshot["subject"].clone())
        }
        _ => None,
    };
    world.log.events.iter().filter_map(snapshot).collect()
}

/// Makes the server return conversations with these subjects, one after the other.
fn name_conversations(world: &mut World, subjects: &'static [&'static str]) {
    let mut asked = 0;
    world.script.add(move |request| {
        if request.line() != "GET /me/conversations/c1" {
            return None;
        }
        let mut side = data::side("c1");
        side["subject"] = json!(subjects[asked.min(subjects.len() - 1)]);
        asked += 1;
        Some(Answer::Reply(200, side))
    });
}

#[test]
fn subscriptions_precede_calls_and_are_not_paced() {
    let mut slow = options();
    slow.pacing = talk_proto::Pacing::Fixed {
        burst: 1,
        interval: millis(100),
    };
    let mut world = World::new(slow);
    world.network = Network::Up(seconds(1));
    for n in 0..3 {
        world.call(mark_as_read(&format!("r{n}")));
    }
    world.run();
    for n in 0..3 {
        world.subscribe(topic(&format!("c{n}")));
    }
    world.run_for(seconds(1));
    let lines = lines(&world);
    let first_call = lines.iter().position(|line| line.starts_with("POST"));
    let before = &lines[..first_call.expect("a call")];
    for n in 0..3 {
        for method in ["SUBSCRIBE", "GET"] {
            let line = format!("{method} /me/conversations/c{n}");
            assert!(before.contains(&line), "{line} in {before:?}");
        }
    }
    let start = world.log.work().next().expect("a request").at;
    let before = world.log.work().take(first_call.unwrap_or_default());
    assert!(before.into_iter().all(|r| r.at == start));
}

#[test]
fn read_after_write_keeps_order() {
    for is_ready in [false, true] {
        let mut world = if is_ready {
            World::ready(options())
        } else {
            World::new(options())
        };
        world.call(Call::CreateConversation {
            conversation: conversation("c1"),
            params: ConversationParams::default(),
        });
        let get = Call::GetMessage {
            conversation: conversation("c1"),
            message: message("m1"),
        };
        world.call(get);
        world.call(send("c1", "hello"));
        world.run();
        let expected = [
            "POST /conversations/c1",
            "POST /conversations/c1/participants",
            "GET /me/conversations/c1/messages/m1",
            "POST /conversations/c1/messages",
        ];
        assert_eq!(lines(&world)[..4], expected);
    }
}

#[test]
fn reads_of_a_tick_share_a_frame() {
    let get = |id: &str| Call::GetUser { user: user(id) };
    let mut world = World::ready(options());
    let requests = [get("bob"), get("carol")].map(|call| world.call(call));
    world.call(mark_as_read("c1"));
    world.call(get("dave"));
    world.run();
    let asked: Vec<_> = world
        .log
        .of("GET /users")
        .iter()
        .map(|r| r.data["ids"].clone())
        .collect();
    assert_eq!(asked, [json!(["bob", "carol"]), json!(["dave"])]);
    assert!(
        requests
            .iter()
            .all(|request| world.outcome(*request).is_ok())
    );
}

#[test]
fn read_resent_after_loss_keeps_order() {
    let mut world = World::ready(options());
    world
        .script
        .add(|r| (r.connection == 0).then_some(Answer::Silence));
    world.call(send("c1", "before"));
    let get = Call::GetMessage {
        conversation: conversation("c1"),
        message: message("m1"),
    };
    let read = world.call(get);
    world.call(send("c1", "after"));
    world.run();
    let first = lines(&world);
    world.cut();
    world.run_until_resolved(seconds(5));
    let again: Vec<_> = world
        .log
        .work()
        .filter(|r| r.connection == 1)
        .map(|r| r.line())
        .collect();
    assert_eq!(again[..3], first[..3]);
    assert!(world.outcome(read).is_ok());
}

#[test]
fn read_cancelled_while_queued_is_not_sent() {
    let mut world = World::new(options());
    let read = world.call(Call::GetUser { user: user("bob") });
    world.drain();
    world.session.cancel(world.now, read).unwrap();
    world.run_for(seconds(10));
    assert!(world.log.of("GET /users").is_empty());
    assert!(world.session.is_idle());
}

#[test]
fn subscription_lingering_keeps_the_connection() {
    let mut world = World::new(options());
    let subscription = world.subscribe(topic("c1"));
    world.run_for(seconds(3600));
    assert_eq!(world.log.sockets.len(), 1);
    assert!(world.socket().is_some());
    world.session.unsubscribe(world.now, subscription).unwrap();
    let since = world.now;
    world.run_for(seconds(120));
    assert!(world.session.is_idle());
    let (closed_at, code) = world.log.sockets[0].closed.expect("it is closed");
    assert_eq!(code, Some(1000));
    // As in the published client, the conversation lingers, then its last message, then the sender.
    // Then the connection is idle.
    assert_eq!(closed_at.saturating_since(since), seconds(30 + 10 + 30 + 3));
}

#[test]
fn session_release_ends_lingering() {
    let mut world = World::new(options());
    let subscription = world.subscribe(topic("c1"));
    world.run();
    world.session.unsubscribe(world.now, subscription).unwrap();
    world.run_for(seconds(1));
    world.session.release(world.now);
    world.run_for(seconds(3));
    assert!(world.session.is_idle());
}

#[test]
fn loss_resubscribes_and_refetches_before_calls() {
    let mut world = World::new(options());
    name_conversations(&mut world, &["before", "after"]);
    world.subscribe(topic("c1"));
    world.run();
    world.cut();
    world.call(mark_as_read("c2"));
    world.run_for(seconds(1));
    let again: Vec<_> = world
        .log
        .work()
        .filter(|r| r.connection == 1)
        .map(|r| r.line())
        .collect();
    let call = again
        .iter()
        .position(|line| line.starts_with("POST"))
        .expect("the call");
    assert!(
        again[..call].contains(&"SUBSCRIBE /me/conversations/c1".to_owned()),
        "{again:?}"
    );
    assert!(
        again[..call].contains(&"GET /me/conversations/c1".to_owned()),
        "{again:?}"
    );
    assert_eq!(subjects(&world).last(), Some(&json!("after")));
}

#[test]
fn publish_gap_refetches_everything() {
    for (numbers, has_gap) in [([1, 2, 3], false), ([2, 3, 4], true), ([1, 3, 4], true)] {
        let mut world = World::new(options());
        name_conversations(&mut world, &["before", "after"]);
        world.subscribe(topic("c1"));
        world.run();
        for number in numbers {
            world.receive(&json!([number, "PUBLISH", {"type": "unknown"}]).to_string());
        }
        world.run();
        let last = if has_gap { "after" } else { "before" };
        assert_eq!(subjects(&world).last(), Some(&json!(last)), "{numbers:?}");
        assert_eq!(world.log.acks, numbers);
    }
}

#[test]
fn event_unreadable_conversation_refetches_everything() {
    for (conversation, subject) in [(json!("c2"), "before"), (json!(7), "after")] {
        let mut world = World::new(options());
        name_conversations(&mut world, &["before", "after"]);
        world.subscribe(topic("c1"));
        world.run();
        let event = json!({"type": "conversation.edited", "conversationId": conversation,
                           "diff": 7});
        world.receive(&json!([1, "PUBLISH", event]).to_string());
        world.run();
        assert_eq!(subjects(&world).last(), Some(&json!(subject)));
    }
}

#[test]
fn event_unreadable_diff_refetches_the_conversation() {
    let mut world = World::new(options());
    name_conversations(&mut world, &["before", "after"]);
    world.subscribe(topic("c1"));
    world.run();
    let event = json!({"type": "conversation.edited", "conversationId": "c1", "diff": 7});
    world.receive(&json!([1, "PUBLISH", event, event]).to_string());
    world.run();
    let lines = world.log.work().map(|request| request.line());
    let gets = lines.filter(|line| line == "GET /me/conversations/c1");
    assert_eq!(gets.count(), 2);
    assert_eq!(subjects(&world).last(), Some(&json!("after")));
}

#[test]
fn publish_too_large_refetches_everything() {
    let mut small = options();
    small.limits.frame_size = 10_000;
    let mut world = World::new(small);
    name_conversations(&mut world, &["before", "after"]);
    world.subscribe(topic("c1"));
    world.run();
    let event = json!({"type": "unknown", "text": "x".repeat(10_000)});
    world.receive(&json!([1, "PUBLISH", event]).to_string());
    world.run();
    assert_eq!(world.log.acks, [1]);
    assert_eq!(subjects(&world).last(), Some(&json!("after")));
}

#[test]
fn expiry_refetches_and_refresh_does_not() {
    let mut world = World::new(options());
    name_conversations(&mut world, &["before", "after"]);
    world.subscribe(topic("c1"));
    world.run();
    let asked = lines(&world).len();
    world.set_token("set-token").unwrap();
    world.run();
    assert_eq!(lines(&world).len(), asked, "a refresh fetches nothing");
    world.publish(&[json!({"type": "session.expired"})]);
    world.run_for(seconds(1));
    assert_eq!(subjects(&world).last(), Some(&json!("after")));
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn list_too_large_twice_ends_with_error() {
    let mut world = World::new(options());
    world
        .script
        .add(|r| (r.line() == "GET /me/conversations/c1").then_some(Answer::Silence));
    world.subscribe(topic("c1"));
    for _ in 0..2 {
        world.run_for(seconds(2));
        world.close(SocketClosed::FrameTooLarge);
    }
    world.run_for(seconds(3));
    let ended = world.log.events.iter().find_map(|(_, event)| match event {
        Event::SubscriptionEnded { error, .. } => error.as_ref().map(ToString::to_string),
        _ => None,
    });
    let expected = "the answer is larger than the largest frame that is accepted";
    assert_eq!(ended.as_deref(), Some(expected));
    let asked = world.log.of("GET /me/conversations/c1").len();
    world.subscribe(topic("c1"));
    world.run();
    assert_eq!(world.log.of("GET /me/conversations/c1").len(), asked + 1);
}

#[test]
fn read_refused_with_429_is_retried() {
    let mut world = World::new(options());
    let mut failures = [429, 500, 503].into_iter();
    world.script.add(move |request| {
        let is_get = request.line() == "GET /me/conversations/c1";
        let status = is_get.then(|| failures.next()).flatten()?;
        Some(Answer::refuse(status, "LATER"))
    });
    world.subscribe(topic("c1"));
    world.run_for(seconds(2));
    assert_eq!(world.log.of("GET /me/conversations/c1").len(), 4);
    assert_eq!(subjects(&world).len(), 1);
}

#[test]
fn refusal_ends_only_its_subscription() {
    let mut world = World::new(options());
    world.script.add(|request| {
        let is_get = request.line() == "GET /me/conversations/c1";
        is_get.then(|| Answer::refuse(400, "INVALID"))
    });
    world.subscribe(topic("c1"));
    world.subscribe(topic("c2"));
    world.run();
    assert_eq!(world.session.subscriptions(), 1);
    assert_eq!(world.end(), None);
}

#[test]
fn complete_list_grown_during_loss_stays_complete() {
    let mut world = World::ready(options());
    let mut asked = 0;
    world.script.add(move |request| {
        if request.line() != "GET /me/conversations/c1/messages" {
            return None;
        }
        asked += 1;
        let held = if asked == 1 { 2 } else { 5 };
        let limit = request.data["limit"].as_u64().unwrap_or(0).min(held);
        let newest = (held - limit..held).rev();
        let messages: Vec<_> = newest.map(|n| data::message(&format!("m{n}"), n)).collect();
        let cursor = (limit < held).then_some("more");
        Some(Answer::Reply(
            200,
            json!({"data": messages, "cursor": cursor}),
        ))
    });
    world.subscribe(Topic::Messages {
        conversation: conversation("c1"),
    });
    world.run();
    world.cut();
    world.run_for(seconds(5));
    let lengths = world
        .log
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Updated { update, .. } => {
                let snapshot = serde_json::to_value(&update.snapshot).expect("JSON");
                snapshot.as_array().map(Vec::len)
            }
            _ => None,
        });
    assert_eq!(lengths.collect::<Vec<_>>(), [2, 5]);
}

#[test]
fn closed_subscription_drops_its_retry() {
    let mut world = World::new(options());
    world.script.add(|request| {
        let is_subscribe = request.line() == "SUBSCRIBE /me/conversations/c1";
        is_subscribe.then(|| Answer::refuse(429, "LATER"))
    });
    let id = world.subscribe(topic("c1"));
    world.run_for(seconds(60));
    let now = world.now;
    world.session.unsubscribe(now, id).expect("it is open");
    world.run_for(seconds(600));
    let lines = lines(&world);
    let mut of_conversation = lines
        .iter()
        .filter(|line| line.ends_with("SUBSCRIBE /me/conversations/c1"));
    assert_eq!(
        of_conversation.next_back().map(String::as_str),
        Some("UNSUBSCRIBE /me/conversations/c1")
    );
}
