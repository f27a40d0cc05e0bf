//! A server that answers pings and nothing else.

use std::time::Duration;

use serde_json::json;
use talk_proto::{Call, Event, RequestError, RetrySafety, SubscriptionId, Topic, TransportError};

use crate::support::{
    Answer, Network, Request, START, TokenSource, World, conversation, mark_as_read, options,
    seconds, send,
};

/// A session whose server answers only pings and tokens on its first connections.
fn ignored_on(connections: usize) -> World {
    let mut world = World::ready(options());
    world.script.add(move |request| {
        let is_ignored = !request.is_housekeeping() && request.connection < connections;
        is_ignored.then_some(Answer::Silence)
    });
    world
}

fn unanswered(idempotent: bool) -> RequestError {
    let error = TransportError::Unanswered {
        maybe_happened: true,
        idempotent,
    };
    error.into()
}

fn end_of(world: &World, subscription: SubscriptionId) -> Option<RequestError> {
    world.log.events.iter().find_map(|(_, event)| match event {
        Event::SubscriptionEnded {
            subscription: id,
            error,
        } if *id == subscription => error.clone(),
        _ => None,
    })
}

#[test]
fn unanswered_call_is_resent_on_a_new_connection() {
    let mut world = ignored_on(2);
    let request = world.call(send("c1", "hello"));
    world.run_for(seconds(29));
    assert_eq!(world.log.sockets[0].closed, None);
    world.run_for(seconds(1));
    let closed = world.log.sockets[0].closed;
    assert_eq!(closed, Some((START + seconds(30), Some(1000))));
    world.run_until_resolved(seconds(60));
    assert!(world.outcome(request).is_ok());
    let sends: Vec<_> = world.log.work().map(Request::frame).collect();
    assert_eq!(sends.len(), 3);
    assert!(sends[0] == sends[1] && sends[1] == sends[2]);
}

#[test]
fn unanswered_call_fails_at_the_third_connection() {
    for (call, idempotent, safety) in [
        (send("c1", "hello"), false, RetrySafety::MayDuplicate),
        (mark_as_read("c1"), true, RetrySafety::Safe),
    ] {
        let mut world = ignored_on(3);
        let request = world.call(call);
        world.run_until_resolved(seconds(120));
        let error = world.outcome(request).clone().unwrap_err();
        assert_eq!(error, unanswered(idempotent));
        assert_eq!(error.retry_safety(), safety);
        assert!(error.is_timeout());
        assert_eq!(world.log.work().count(), 3);
        // The next call starts a count of its own.
        let next = world.call(mark_as_read("c2"));
        world.run_until_resolved(seconds(120));
        assert!(world.outcome(next).is_ok());
    }
}

#[test]
fn unanswered_read_and_subscription_fail() {
    let mut world = ignored_on(usize::MAX);
    let read = world.call(Call::GetConversation {
        conversation: conversation("c1"),
    });
    let subscription = world.subscribe(Topic::Messages {
        conversation: conversation("c2"),
    });
    world.run_for(seconds(180));
    assert_eq!(*world.outcome(read), Err(unanswered(true)));
    assert_eq!(end_of(&world, subscription), Some(unanswered(true)));
    assert!(world.session.is_idle());
}

/// The third loss is not counted, because the subscription that needed the requests has ended.
#[test]
fn failures_of_an_ended_subscription_are_forgotten() {
    for topic in [
        Topic::Messages {
            conversation: conversation("c1"),
        },
        Topic::User {
            user: "bob".try_into().unwrap(),
        },
    ] {
        let mut world = ignored_on(4);
        let first = world.subscribe(topic.clone());
        world.run_for(seconds(75));
        world.session.unsubscribe(world.now, first).unwrap();
        world.run_for(seconds(60));
        assert_eq!(world.log.sockets.len(), 3);
        let second = world.subscribe(topic);
        world.run_for(seconds(120));
        assert_eq!(end_of(&world, second), None);
    }
}

#[test]
fn later_call_is_not_counted_with_an_earlier_one() {
    let mut world = ignored_on(3);
    let first = world.call(mark_as_read("c1"));
    world.run_for(seconds(20));
    let later = world.call(mark_as_read("c2"));
    world.run_until_resolved(seconds(180));
    assert_eq!(*world.outcome(first), Err(unanswered(true)));
    assert!(world.outcome(later).is_ok());
}

#[test]
fn offline_call_waits() {
    let mut world = World::ready(options());
    world.network = Network::Refuse;
    world.cut();
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(3_600));
    assert!(!world.is_resolved(request));
    world.network = Network::Up(Duration::ZERO);
    world.run_until_resolved(seconds(60));
    assert!(world.outcome(request).is_ok());
}

#[test]
fn answer_timeout_counts_from_authentication() {
    let mut world = ignored_on(1);
    world.call(mark_as_read("c1"));
    world.run_for(seconds(25));
    world.tokens = TokenSource::After(seconds(40));
    world.receive(&json!([1, "PUBLISH", {"type": "session.expired"}]).to_string());
    world.run_for(seconds(69));
    assert_eq!(world.log.sockets[0].closed, None);
    world.run_for(seconds(1));
    assert!(world.log.sockets[0].closed.is_some());
}

#[test]
fn answer_timeout_pauses_while_the_machine_sleeps() {
    let mut world = ignored_on(1);
    world.call(mark_as_read("c1"));
    world.run_for(seconds(5));
    world.sleep_until(START + seconds(3_600));
    world.run_for(seconds(29));
    assert_eq!(world.log.sockets.len(), 1);
    world.run_for(seconds(2));
    assert_eq!(world.log.sockets.len(), 2);
}
