use bytes::Bytes;
use serde_json::json;
use talk_proto::{
    Event, HttpFailure, Input, ProtocolWarning, RequestError, SocketClosed, TransportError,
};

use crate::support::{Answer, START, World, mark_as_read, millis, options, seconds, send};

/// Returns the reported warnings, in order.
fn skipped(world: &World) -> Vec<&ProtocolWarning> {
    let events = world.log.events.iter();
    let skipped = events.filter_map(|(_, event)| match event {
        Event::Warning(what) => Some(what),
        _ => None,
    });
    skipped.collect()
}

/// Checks that a call succeeds on the existing connection.
fn still_works(world: &mut World) {
    let request = world.call(mark_as_read("still there"));
    world.run();
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn frame_unknown_shape_is_skipped_with_warning() {
    let frames = [
        "",
        " ",
        "garbage",
        "\u{0}\u{1}\u{7f}",
        "null",
        "7",
        "\"PUBLISH\"",
        "{}",
        "[]",
        "[0]",
        "[null,200,{}]",
        "[-1,200,{}]",
        "[0.5,200,{}]",
        "[1e99,200,{}]",
        "[18446744073709551616,200,{}]",
        "[0,99999,{}]",
        "[0,-200,{}]",
        "[0,null,{}]",
        "[0,[],{}]",
        "[0,\"ACK\"]",
        "[0,\"publish\",{}]",
        "[0,200,{}",
        "[0,200,{}]]",
        "[0,200,{\"a\":}]",
        "[\"0\",200,{}]",
        "[[0],200,{}]",
        "[0,200,\"\\ud8\"]",
        "{\"0\":0}",
        "\u{feff}[0,200,{}]",
        "[0,200,{}]x",
    ];
    let mut world = World::ready(options());
    for frame in frames {
        let before = skipped(&world).len();
        world.receive(frame);
        assert_eq!(skipped(&world).len(), before + 1, "{frame}");
        assert_eq!(
            skipped(&world).last(),
            Some(&&ProtocolWarning::Frame),
            "{frame}"
        );
    }
    still_works(&mut world);
}

#[test]
fn frame_nested_deeply_is_skipped() {
    let mut world = World::ready(options());
    let deep = format!(
        "[1,\"PUBLISH\",{}{}]",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    world.receive(&deep);
    let deep = format!("[0,200,{}{}]", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    world.receive(&deep);
    still_works(&mut world);
}

#[test]
fn answer_without_request_is_skipped_with_warning() {
    let mut world = World::ready(options());
    for seq in [0, 1, 2, 99, u64::MAX] {
        world.receive(&json!([seq, 200, {}]).to_string());
    }
    assert_eq!(skipped(&world), [&ProtocolWarning::Answer; 5]);
    still_works(&mut world);
}

#[test]
fn answer_repeated_counts_once() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let answer = |id| json!([request.seq, 200, {"id": id}]).to_string();
        let is_send = request.path.ends_with("/messages");
        is_send.then(|| Answer::Raw(vec![answer("first"), answer("second")]))
    });
    let request = world.call(send("c1", "hello"));
    world.run();
    let reply = serde_json::to_value(world.outcome(request).as_ref().unwrap()).unwrap();
    assert_eq!(reply, json!({"messageRef": "first"}));
    assert_eq!(skipped(&world), [&ProtocolWarning::Answer]);
}

#[test]
fn event_unknown_is_acknowledged_with_warning() {
    let mut world = World::ready(options());
    let long = "x".repeat(1000);
    world.publish(&[
        json!({"type": "message.exploded"}),
        json!({"type": long}),
        json!({"type": "message.created"}),
        json!({"type": "message.created", "conversationId": "", "messageId": "", "state": 7}),
        json!({"type": 7}),
        json!({}),
        json!(null),
        json!([]),
        json!("message.created"),
    ]);
    assert_eq!(world.log.acks, [1]);
    let skipped = skipped(&world);
    let unknown = |kind: &str| ProtocolWarning::UnknownEvent {
        kind: kind.to_owned(),
    };
    assert_eq!(skipped[0], &unknown("message.exploded"));
    assert_eq!(skipped[1], &unknown(&"x".repeat(64)));
    assert_eq!(skipped[2..], [&ProtocolWarning::Event; 7]);
    still_works(&mut world);
}

#[test]
fn publish_repeated_is_applied_once() {
    let mut world = World::ready(options());
    let expired = json!({"type": "session.expired"});
    world.receive("[1,\"PUBLISH\"]");
    world.receive("[1,\"PUBLISH\"]");
    world.receive("[3,\"PUBLISH\"]");
    world.receive(&json!([2, "PUBLISH", expired]).to_string());
    world.receive(&json!([3, "PUBLISH", expired]).to_string());
    assert_eq!(world.log.acks, [1, 1, 3, 2, 3]);
    assert_eq!(skipped(&world), [&ProtocolWarning::RepeatedPublish; 3]);
    assert_eq!(
        world.log.token_fetches.len(),
        1,
        "what was repeated is not applied"
    );
    still_works(&mut world);
}

#[test]
fn publish_numbers_restart_per_connection() {
    let mut world = World::ready(options());
    world.receive("[7,\"PUBLISH\"]");
    world.run_for(seconds(60));
    world.call(mark_as_read("c1"));
    world.run();
    world.receive("[1,\"PUBLISH\"]");
    assert_eq!(world.log.acks, [7, 1]);
    assert!(skipped(&world).is_empty());
}

#[test]
fn publish_largest_number_is_acknowledged() {
    let mut world = World::ready(options());
    world.receive(&json!([u64::MAX, "PUBLISH"]).to_string());
    world.receive(&json!([0, "PUBLISH"]).to_string());
    assert_eq!(world.log.acks, [u64::MAX, 0]);
    still_works(&mut world);
}

#[test]
fn renewal_malformed_answer_loses_nothing() {
    for body in [
        "7",
        "null",
        "\"x\"",
        "[]",
        "{\"expiresInSeconds\":\"soon\"}",
        "{\"expiresInSeconds\":1e300}",
    ] {
        let mut world = World::new(options());
        world.script.add(move |request| {
            let text = format!("[{},200,{body}]", request.seq);
            (request.path == "/session/renew").then(|| Answer::Raw(vec![text]))
        });
        let request = world.call(mark_as_read("c1"));
        world.run();
        assert!(world.outcome(request).is_ok(), "{body}");
        world.run_for(seconds(60));
    }
    for life in ["-1", "-1e300", "0", "0.5"] {
        let mut world = World::new(options());
        let mut first = true;
        world.script.add(move |request| {
            let text = format!("[{},200,{{\"expiresInSeconds\":{life}}}]", request.seq);
            let is_first = request.path == "/session/renew" && std::mem::take(&mut first);
            is_first.then(|| Answer::Raw(vec![text]))
        });
        let request = world.call(mark_as_read("c1"));
        world.run_for(seconds(2));
        assert!(world.outcome(request).is_ok(), "{life}");
        assert_eq!(world.log.tokens(), ["token-1", "token-2"]);
    }
}

#[test]
fn answer_without_body_resolves_call() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let text = format!("[{},200]", request.seq);
        request
            .path
            .ends_with("/read")
            .then(|| Answer::Raw(vec![text]))
    });
    let request = world.call(mark_as_read("c1"));
    world.run();
    assert!(world.outcome(request).is_ok());
}

#[test]
fn refusal_unreadable_body_keeps_status() {
    for body in [
        "7",
        "null",
        "\"x\"",
        "[]",
        "{\"errorCode\":7}",
        "{\"reasons\":{}}",
    ] {
        let mut world = World::ready(options());
        world.script.add(move |request| {
            let text = format!("[{},403,{body}]", request.seq);
            request
                .path
                .ends_with("/read")
                .then(|| Answer::Raw(vec![text]))
        });
        let request = world.call(mark_as_read("c1"));
        world.run();
        let error = world.outcome(request).as_ref().unwrap_err().to_string();
        assert_eq!(error, "the server refused with status 403", "{body}");
    }
}

/// Runs a scenario of many steps: a slow start, calls, retries, an expiry and a loss. `at` receives
/// the number of each step before it is taken.
fn scenario(mut at: impl FnMut(&mut World, usize)) -> World {
    let mut world = World::new(options());
    world.latency = millis(30);
    world.network = crate::support::Network::Up(millis(100));
    let mut failures = 2;
    world.script.add(move |request| {
        if !request.path.ends_with("/c2/messages") || failures == 0 {
            return None;
        }
        failures -= 1;
        Some(Answer::refuse(429, "LATER"))
    });
    let mut n = 0;
    let mut run_for = |world: &mut World, time| {
        let end = world.now + time;
        world.drain();
        loop {
            at(world, n);
            n += 1;
            if !world.step(end) {
                break;
            }
        }
        world.now = world.now.max(end);
    };
    world.call(send("c1", "first"));
    world.call(send("c2", "second"));
    run_for(&mut world, millis(500));
    world.call(mark_as_read("c1"));
    world.publish(&[json!({"type": "session.expired"})]);
    run_for(&mut world, millis(500));
    world.call(send("c1", "third"));
    run_for(&mut world, millis(10));
    world.cut();
    world.call(send("c1", "fourth"));
    run_for(&mut world, seconds(2));
    world.call(mark_as_read("c2"));
    world.run_until_resolved(seconds(300));
    world
}

#[test]
fn close_at_any_moment_loses_no_request() {
    let mut steps = 0;
    scenario(|_, n| steps = n);
    assert!(steps > 20, "{steps}");
    for closing in 0..=steps {
        for cause in [
            SocketClosed::ByServer { code: None },
            SocketClosed::FrameTooLarge,
        ] {
            let world = scenario(|world, n| {
                if n == closing {
                    world.close(cause.clone());
                }
            });
            assert_eq!(world.outcomes.len(), 6, "closed at step {closing}");
            for (_, outcome) in world.outcomes.values() {
                assert!(outcome.is_ok(), "closed at step {closing}: {outcome:?}");
            }
        }
    }
}

#[test]
fn end_at_any_moment_resolves_every_request() {
    let mut steps = 0;
    scenario(|_, n| steps = n);
    for ending in 0..=steps {
        let mut world = World::new(options());
        let requests = [
            world.call(send("c1", "first")),
            world.call(send("c2", "second")),
        ];
        world.latency = millis(30);
        world.drain();
        for _ in 0..ending {
            let end = world.now + seconds(1);
            world.step(end);
        }
        world.session.shutdown(world.now);
        world.run();
        assert!(
            requests.iter().all(|r| world.is_resolved(*r)),
            "ended at step {ending}"
        );
    }
}

#[test]
fn ticks_early_repeated_or_late_change_nothing() {
    let plain = scenario(|_, _| {});
    let ticked = scenario(|world, _| {
        for _ in 0..3 {
            world.input(Input::Tick);
        }
        let now = std::mem::replace(&mut world.now, START);
        world.session.handle_input(START, Input::Tick);
        world.now = now;
        world.drain();
    });
    assert_eq!(plain.log.requests, ticked.log.requests);
    assert_eq!(
        format!("{:?}", plain.log.events),
        format!("{:?}", ticked.log.events)
    );
}

#[test]
fn input_for_finished_effect_is_ignored() {
    let mut old = World::ready(options());
    old.run_for(seconds(60));
    old.call(mark_as_read("c1"));
    old.run();
    let stale = old.log.sockets[0].id;
    let before = old.log.events.len();
    let requests = old.log.requests.len();
    old.input(Input::SocketOpened { socket: stale });
    old.input(Input::SocketFrame {
        socket: stale,
        text: "garbage",
    });
    old.input(Input::SocketFrame {
        socket: stale,
        text: "[1,\"PUBLISH\",{\"type\":\"session.expired\"}]",
    });
    old.input(Input::SocketClosed {
        socket: stale,
        cause: SocketClosed::FrameTooLarge,
    });
    assert_eq!(old.log.events.len(), before);
    assert_eq!(old.log.requests.len(), requests);
    still_works_on(&mut old, 2);
}

fn still_works_on(world: &mut World, sockets: usize) {
    let request = world.call(mark_as_read("still there"));
    world.run();
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.sockets.len(), sockets);
}

#[test]
fn http_events_in_any_order_are_ignored() {
    // The IDs of another session serve as IDs that this session never used.
    let mut other = talk_proto::Session::new(options(), 1, START);
    other.call(START, mark_as_read("c1")).unwrap();
    let mut ids = vec![];
    while let Some(output) = other.poll_output() {
        if let talk_proto::Output::SendHttp { http, .. } = output {
            ids.push(http);
        }
    }
    let mut world = World::ready(options());
    for http in ids {
        world.input(Input::HttpEnd { http });
        world.input(Input::HttpChunk {
            http,
            chunk: Bytes::from_static(b"x"),
        });
        world.input(Input::HttpHead { http, status: 404 });
        world.input(Input::HttpEnd { http });
        let failure = HttpFailure::Source("x".to_owned());
        world.input(Input::HttpFailed { http, failure });
    }
    assert_eq!(world.end(), None);
    still_works(&mut world);
}

#[test]
fn clock_set_back_stands_still() {
    let mut world = World::ready(options());
    world.run_for(seconds(1));
    let now = world.now;
    world.session.handle_input(START, Input::Tick);
    world.drain();
    assert!(world.session.poll_timeout() > Some(now));
    world.now = START;
    let early = world.session.call(START, mark_as_read("c1"));
    assert!(early.is_ok());
    assert!(
        world.session.poll_timeout() <= Some(now),
        "it is due at once, at the latest time seen"
    );
}

#[test]
fn answer_unreadable_fails_its_call_at_once() {
    let rests = [
        "200,{\"a\":NaN}]",
        "65536,{}]",
        "-200,{}]",
        "\"200\",{}]",
        "null,{}]",
        "200,{}",
    ];
    for rest in rests {
        let mut world = World::ready(options());
        world.script.add(|request| {
            request
                .path
                .ends_with("/unreadable/read")
                .then_some(Answer::Silence)
        });
        let unreadable = world.call(mark_as_read("unreadable"));
        world.run();
        let seq = world.log.requests.last().map(|request| request.seq);
        world.receive(&format!("[{},{rest}", seq.unwrap()));
        world.run();
        let malformed = RequestError::Transport(TransportError::Malformed);
        assert_eq!(world.outcome(unreadable), &Err(malformed), "{rest}");
        assert_eq!(skipped(&world), [&ProtocolWarning::Frame]);
        still_works(&mut world);
    }
}
