use std::time::Duration;

use talk_proto::{Event, Reply, RequestError, RetrySafety, ServerError, Topic};

use crate::support::{Answer, World, conversation, mark_as_read, options, seconds};

const READ: &str = "POST /me/conversations/c1/read";

/// Creates a world whose server answers the call with `status`, `times` times.
fn failing(status: u16, times: usize) -> World {
    let mut world = World::ready(options());
    let mut left = times;
    world.script.add(move |request| {
        if request.line() != READ || left == 0 {
            return None;
        }
        left -= 1;
        Some(Answer::refuse(status, "CODE"))
    });
    world
}

fn delays(world: &World) -> Vec<Duration> {
    let times = world.log.times_of(READ);
    times
        .windows(2)
        .map(|pair| pair[1].saturating_since(pair[0]))
        .collect()
}

#[test]
fn most_statuses_are_final() {
    for status in [
        400, 402, 403, 404, 405, 409, 201, 204, 301, 406, 410, 418, 501, 505, 0, 999,
    ] {
        let mut world = failing(status, usize::MAX);
        let request = world.call(mark_as_read("c1"));
        world.run_for(seconds(60));
        let Err(RequestError::Server(refused)) = world.outcome(request) else {
            panic!("{status}: {:?}", world.outcome(request));
        };
        assert_eq!(refused.status, status);
        assert_eq!(refused.error_code, "CODE");
        assert_eq!(refused.reasons, ["because"]);
        assert_eq!(refused.retry_safety(), RetrySafety::Never);
        assert_eq!(world.log.of(READ).len(), 1, "{status}");
    }
}

#[test]
fn call_429_is_retried_with_growing_delays() {
    let mut world = failing(429, 60);
    let request = world.call(mark_as_read("c1"));
    world.run_until_resolved(seconds(3600));
    assert_eq!(world.outcome(request), &Ok(Reply::Done));
    let delays = delays(&world);
    assert_eq!(delays.len(), 60);
    let mut expected = 200.0_f64;
    for delay in delays {
        let millis = delay.as_secs_f64() * 1000.0;
        let range = expected * 0.949 - 1.0..=expected * 1.051 + 1.0;
        assert!(range.contains(&millis), "{millis} not in {range:?}");
        expected = (expected * 1.2).min(30_000.0);
    }
}

#[test]
fn call_500_ten_times_fails() {
    for status in [500, 502, 503, 504, 520, 522, 527] {
        let mut world = failing(status, 9);
        let request = world.call(mark_as_read("c1"));
        world.run_until_resolved(seconds(3600));
        assert_eq!(world.outcome(request), &Ok(Reply::Done), "{status}");
        assert_eq!(world.log.of(READ).len(), 10);

        let mut world = failing(status, 10);
        let request = world.call(mark_as_read("c1"));
        world.run_until_resolved(seconds(3600));
        let Err(RequestError::Server(refused)) = world.outcome(request) else {
            panic!("{:?}", world.outcome(request));
        };
        assert_eq!(refused.status, status);
        assert_eq!(refused.retry_safety(), RetrySafety::Safe);
        assert_eq!(world.log.of(READ).len(), 10);
    }
}

#[test]
fn call_429_does_not_count_as_failure() {
    let mut world = World::ready(options());
    let mut tries = 0;
    world.script.add(move |request| {
        if request.line() != READ {
            return None;
        }
        tries += 1;
        let status = if tries % 2 == 0 { 429 } else { 500 };
        (tries < 19).then(|| Answer::refuse(status, "CODE"))
    });
    let request = world.call(mark_as_read("c1"));
    world.run_until_resolved(seconds(3600));
    assert_eq!(
        world.outcome(request),
        &Ok(Reply::Done),
        "nine failures, nine times busy"
    );
}

#[test]
fn retry_due_while_down_waits_for_connection() {
    let mut world = failing(429, 1);
    let request = world.call(mark_as_read("c1"));
    world.run();
    world.network = crate::support::Network::Refuse;
    world.cut();
    world.run_for(seconds(5));
    assert!(!world.is_resolved(request));
    world.network = crate::support::Network::Up(seconds(0));
    world.run_until_resolved(seconds(60));
    assert_eq!(world.outcome(request), &Ok(Reply::Done));
    assert_eq!(world.log.of(READ).len(), 2);
}

#[test]
fn retry_does_not_delay_other_calls() {
    let mut world = failing(429, 5);
    world.call(mark_as_read("c1"));
    let other = world.call(mark_as_read("c2"));
    world.run();
    assert!(world.outcome(other).is_ok());
}

#[test]
fn answer_malformed_is_not_retried() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let is_send = request.path.ends_with("/messages");
        is_send.then(|| Answer::Reply(200, serde_json::json!({"id": 7})))
    });
    let request = world.call(crate::support::send("c1", "hello"));
    world.run();
    let error = world.outcome(request).as_ref().unwrap_err();
    assert_eq!(error.to_string(), "the server's answer was not understood");
    assert_eq!(error.retry_safety(), RetrySafety::Never);
}

#[test]
fn subscription_retried_refetches_missed_changes() {
    let page = serde_json::json!({ "data": [], "cursor": null });
    let absence = Answer::refuse(404, "CONVERSATION_NOT_FOUND");
    for answer in [Answer::Reply(200, page), absence] {
        let mut world = World::ready(options());
        let mut refused = false;
        world
            .script
            .add(move |request| match request.line().as_str() {
                "SUBSCRIBE /me/conversations/c1/messages"
                    if !std::mem::replace(&mut refused, true) =>
                {
                    Some(Answer::refuse(429, "TOO_FAST"))
                }
                "GET /me/conversations/c1/messages" => Some(answer.clone()),
                _ => None,
            });
        world.subscribe(Topic::Messages {
            conversation: conversation("c1"),
        });
        world.run_for(seconds(2));
        let lines: Vec<_> = world.log.work().map(|request| request.line()).collect();
        let (subscribe, get) = (
            "SUBSCRIBE /me/conversations/c1/messages",
            "GET /me/conversations/c1/messages",
        );
        assert_eq!(lines, [subscribe, get, subscribe, get]);
    }
}

#[test]
fn subscription_resent_refetches_snapshot() {
    let mut world = World::ready(options());
    let mut refused = false;
    world
        .script
        .add(move |request| match request.line().as_str() {
            "SUBSCRIBE /me/conversations/c1" if !std::mem::replace(&mut refused, true) => {
                Some(Answer::refuse(429, "TOO_FAST"))
            }
            // The answer arrives while the subscription is in flight again.
            "GET /me/conversations/c1" => Some(Answer::Late(
                seconds(1),
                200,
                crate::support::data::side("c1"),
            )),
            "SUBSCRIBE /me/conversations/c1" => {
                Some(Answer::Late(seconds(1), 200, serde_json::json!({})))
            }
            _ => None,
        });
    world.subscribe(Topic::Conversation {
        conversation: conversation("c1"),
    });
    world.run_for(seconds(5));
    let lines = world.log.work().map(|request| request.line());
    let lines: Vec<_> = lines.filter(|line| line.ends_with("/c1")).collect();
    let (subscribe, get) = ("SUBSCRIBE /me/conversations/c1", "GET /me/conversations/c1");
    assert_eq!(lines, [subscribe, get, subscribe, get]);
}

#[test]
fn subscription_failing_ten_times_ends() {
    const MESSAGES: &str = "GET /me/conversations/c1/messages";
    for (failures, ends) in [(9, false), (10, true)] {
        let mut world = World::ready(options());
        let mut left = failures;
        world.script.add(move |request| {
            let fails = request.line() == MESSAGES && left > 0;
            left -= usize::from(fails);
            fails.then(|| Answer::refuse(503, "CODE"))
        });
        let subscription = world.subscribe(Topic::Messages {
            conversation: conversation("c1"),
        });
        world.run_for(seconds(600));
        let end = world.log.events.iter().find_map(|(_, event)| match event {
            Event::SubscriptionEnded {
                subscription: id,
                error,
            } if *id == subscription => Some(error.clone()),
            _ => None,
        });
        let refused = ServerError::new(503, "CODE", vec!["because".to_owned()]);
        assert_eq!(end, ends.then(|| Some(refused.into())));
        assert_eq!(world.log.of(MESSAGES).len(), 10);
    }
}
