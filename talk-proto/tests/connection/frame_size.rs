use serde_json::json;
use talk_proto::{
    Call, CommandError, Event, ProtocolWarning, RequestError, SocketClosed, Topic, TransportError,
};

use crate::support::{
    Answer, World, conversation, data, mark_as_read, message, options, seconds, send, user,
};

const TOO_LARGE: RequestError = RequestError::Transport(TransportError::FrameTooLarge);

/// Returns a frame of more than 16 MiB.
fn large(start: &str) -> String {
    format!("{start}\"{}\"]", "x".repeat(20 << 20))
}

fn skipped_large(world: &World) -> usize {
    let is_large = |event: &Event| match event {
        Event::Warning(ProtocolWarning::LargeFrame { size }) => *size > 20 << 20,
        _ => false,
    };
    world
        .log
        .events
        .iter()
        .filter(|(_, event)| is_large(event))
        .count()
}

#[test]
fn large_frame_unneeded_is_skipped_with_warning() {
    let mut world = World::ready(options());
    for start in ["", "[99,200,", "[1,\"ACK\","] {
        world.receive(&large(start));
    }
    assert_eq!(skipped_large(&world), 3);
    let request = world.call(mark_as_read("c1"));
    world.run();
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn large_frame_answer_fails_its_call() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let is_send = request.path.ends_with("/messages");
        is_send.then(|| Answer::Raw(vec![large(&format!("[{},200,", request.seq))]))
    });
    let request = world.call(send("c1", "hello"));
    let other = world.call(mark_as_read("c1"));
    world.run();
    assert_eq!(world.outcome(request), &Err(TOO_LARGE));
    assert!(world.outcome(other).is_ok());
    assert_eq!(skipped_large(&world), 1);
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn large_frame_renewal_answer_is_retried() {
    let mut world = World::new(options());
    let mut first = true;
    world.script.add(move |request| {
        let is_renewal = request.path == "/session/renew";
        (is_renewal && std::mem::take(&mut first)).then(|| Answer::Raw(vec![large("[0,200,")]))
    });
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(11));
    assert!(world.outcome(request).is_ok());
}

#[test]
fn large_frame_publish_is_acknowledged() {
    let mut world = World::ready(options());
    world.receive(&large("[1,\"PUBLISH\","));
    assert_eq!(world.log.acks, [1]);
    world.publish(&[json!({"type": "x"})]);
    assert_eq!(world.log.acks, [1, 1], "its number is taken");
}

#[test]
fn frame_size_is_an_option() {
    let mut options = options();
    options.limits.frame_size = 100;
    let mut world = World::ready(options);
    let frame = format!("[99,200,\"{}\"]", "x".repeat(100));
    world.receive(&frame);
    let event = &world.log.events.last().expect("an event").1;
    let Event::Warning(ProtocolWarning::LargeFrame { size }) = event else {
        panic!("{event:?}");
    };
    assert_eq!(*size, frame.len());
}

#[test]
fn large_frame_twice_fails_only_the_call() {
    let mut world = World::ready(options());
    world
        .script
        .add(|r| r.path.ends_with("/large/read").then_some(Answer::Silence));
    let large = world.call(mark_as_read("large"));
    world.run();
    world.close(SocketClosed::FrameTooLarge);
    world.run_for(seconds(2));
    assert!(!world.is_resolved(large), "once may be chance");
    world.close(SocketClosed::FrameTooLarge);
    assert_eq!(world.outcome(large), &Err(TOO_LARGE));
    let other = world.call(mark_as_read("c1"));
    world.run_for(seconds(5));
    assert!(world.outcome(other).is_ok());
    assert_eq!(world.log.of("POST /me/conversations/large/read").len(), 2);
}

#[test]
fn large_frame_users_requested_twice_are_refetched() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        (request.line() == "GET /users" && request.connection == 0).then_some(Answer::Silence)
    });
    let subscription = world.subscribe(Topic::Messages {
        conversation: conversation("c1"),
    });
    world.run();
    let get = world.call(Call::GetMessage {
        conversation: conversation("c1"),
        message: message("m1"),
    });
    world.run();
    assert_eq!(world.log.of("GET /users").len(), 2, "shown, and read");
    world.close(SocketClosed::FrameTooLarge);
    world.run_for(seconds(2));
    assert!(world.outcome(get).is_ok());
    let shown = world
        .log
        .events
        .iter()
        .rev()
        .find_map(|(_, event)| match event {
            Event::Updated {
                subscription: of,
                update,
            } if *of == subscription => serde_json::to_value(&update.snapshot).ok(),
            _ => None,
        });
    assert_eq!(shown.expect("an update")[0]["sender"], data::user("bob"));
}

#[test]
fn large_frame_twice_fails_only_the_read() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let is_large = request.data["ids"] == json!(["large"]);
        is_large.then_some(Answer::Silence)
    });
    let large = world.call(Call::GetUser {
        user: user("large"),
    });
    world.run();
    world.close(SocketClosed::FrameTooLarge);
    world.run_for(seconds(2));
    assert!(!world.is_resolved(large), "once may be chance");
    world.close(SocketClosed::FrameTooLarge);
    world.run_for(seconds(3));
    assert_eq!(world.outcome(large), &Err(TOO_LARGE));
    let other = world.call(Call::GetUser { user: user("bob") });
    world.run_for(seconds(5));
    assert!(world.outcome(other).is_ok());
}

#[test]
fn large_frame_count_resets_after_success() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let is_first = request.line() == "GET /me/conversations/c1/messages";
        (is_first && request.connection < 2).then_some(Answer::Silence)
    });
    let topic = Topic::Messages {
        conversation: conversation("c1"),
    };
    let list = world.subscribe(topic.clone());
    world.run();
    world.close(SocketClosed::FrameTooLarge);
    world.run_for(seconds(2));
    let more = world.load_more(list, Some(10)).expect("a list");
    world.close(SocketClosed::FrameTooLarge);
    world.run_for(seconds(5));
    assert!(world.outcome(more).is_ok(), "it came at last");
    world.session.unsubscribe(world.now, list).expect("a list");
    world.run_for(seconds(60));
    let again = world.subscribe(topic);
    world.run_for(seconds(5));
    let ended = world.log.events.iter().find(|(_, event)| {
        matches!(event, Event::SubscriptionEnded { subscription, .. } if *subscription == again)
    });
    assert!(
        ended.is_none(),
        "with the portion that it began with: {ended:?}"
    );
}

#[test]
fn call_above_frame_size_is_refused_unsent() {
    let mut small = options();
    small.limits.frame_size = 1_000;
    let mut world = World::ready(small);
    let long = "x".repeat(1_000);
    let translate = Call::TranslateMessage {
        conversation: conversation(&long),
        message: message("m"),
        language: "es".to_owned(),
    };
    let remove = Call::DeleteParticipant {
        conversation: crate::support::conversation(&long),
        user: user("bob"),
    };
    let add = Call::CreateParticipant {
        conversation: crate::support::conversation(&long),
        user: user("bob"),
        params: Default::default(),
    };
    for call in [send("c1", &long), mark_as_read(&long), remove] {
        let refused = world.try_call(call);
        let Err(CommandError::TooLarge { size, limit: 1_000 }) = refused else {
            panic!("{refused:?}");
        };
        assert!(size > 1_000);
    }
    // A part of a batch is counted with its JSON.
    let action = json!({"id": "bob", "method": "POST", "params": {}}).to_string();
    for (call, part) in [(translate, "es\"m\""), (add, action.as_str())] {
        let size = long.len() + part.len();
        let limit = 1_000;
        let refused = world.try_call(call);
        assert_eq!(refused, Err(CommandError::TooLarge { size, limit }));
    }
    world.run();
    assert!(world.log.requests.is_empty());
    let request = world.call(send("c1", &long[..500]));
    world.run();
    assert!(world.outcome(request).is_ok());
}

#[test]
fn large_frame_cancelled_call_is_resolved_once() {
    let mut world = World::ready(options());
    world
        .script
        .add(|r| r.path.ends_with("/large/read").then_some(Answer::Silence));
    let cancelled = world.call(mark_as_read("large"));
    let other = world.call(mark_as_read("large"));
    world.run();
    world.cancel(cancelled);
    for _ in 0..2 {
        world.close(SocketClosed::FrameTooLarge);
        world.run_for(seconds(2));
    }
    let error = world.outcome(cancelled).as_ref().unwrap_err().to_string();
    assert_eq!(error, "cancelled; the server may have carried it out");
    assert_eq!(world.outcome(other), &Err(TOO_LARGE));
}
