//! Timers fire on time, even if nothing else happens.

use serde_json::json;
use talk_proto::{
    ConnectionState, Topic,
    upload::{Upload, UploadKind},
};

use crate::support::{
    Answer, Network, START, TokenSource, World, conversation, mark_as_read, millis, options,
    seconds,
};

#[test]
fn http_request_over_a_minute_is_cancelled_while_idle() {
    let mut world = World::new(options());
    world.script.hold_http("/api/v0/app");
    world.call(mark_as_read("c1"));
    world.run_until(START + millis(59_999));
    assert!(world.socket().is_none());
    assert!(!world.log.http[0].cancelled);
    world.run_for(millis(1));
    assert!(world.log.http[0].cancelled);
    assert_eq!(world.end(), None);
}

#[test]
fn unsubscribe_lingers_ten_seconds() {
    let mut world = World::ready(options());
    let subscription = world.subscribe(Topic::Typing {
        conversation: conversation("c1"),
    });
    world.run_for(millis(3_333));
    let unsubscribed = world.session.unsubscribe(world.now, subscription);
    unsubscribed.expect("it is shown");
    world.run_for(seconds(60));
    let at = world
        .log
        .times_of("UNSUBSCRIBE /me/conversations/c1/typing");
    assert_eq!(at, [START + millis(13_333)]);
}

/// The token is rejected over HTTP while the server is silent. Then the socket cannot be probed any
/// more.
#[test]
fn probe_times_out_during_token_fetch() {
    let mut world = World::ready(options());
    world.script.hold_http("/files");
    world.upload(Upload::new(UploadKind::File, "notes.txt", 5));
    world.run();
    world.script.add(|_| Some(Answer::Silence));
    world.call(mark_as_read("c1"));
    world.run();
    world.session.network_changed(world.now);
    world.run_for(seconds(1));
    world.tokens = TokenSource::NeverAnswers;
    world.http_head(world.last_http(), 401);
    world.run_until(START + millis(4_999));
    assert_eq!(world.log.sockets[0].closed, None);
    world.run_for(millis(1));
    let (lost_at, _) = world.log.sockets[0].closed.expect("it is lost");
    assert_eq!(lost_at, START + seconds(5));
}

#[test]
fn attempts_count_since_last_connection() {
    let mut world = World::ready(options());
    world
        .script
        .add(|r| (r.method != "POST" || r.path.ends_with("/read")).then_some(Answer::Silence));
    world.call(mark_as_read("c1"));
    world.run();
    let attempts = |world: &World| {
        let states = world.log.states();
        let attempts = states.into_iter().filter_map(|state| match state {
            ConnectionState::Waiting { attempt, .. } => Some(*attempt),
            _ => None,
        });
        attempts.collect::<Vec<_>>()
    };
    world.network = Network::Refuse;
    world.cut();
    world.run_for(millis(1));
    while attempts(&world).len() < 3 {
        assert!(world.step(world.now + seconds(60)));
    }
    world.network = Network::Up(millis(0));
    world.run_for(seconds(5));
    assert!(world.socket().is_some());
    world.cut();
    world.run();
    assert_eq!(attempts(&world), [1, 2, 3, 1]);
}

/// After a gap all data is fetched again, and answers to earlier requests are ignored.
#[test]
fn answer_requested_before_gap_is_discarded() {
    const MESSAGES: &str = "GET /me/conversations/c1/messages";
    let mut world = World::ready(options());
    let mut asked = 0;
    world.script.add(move |request| {
        let is_asked = request.line() == MESSAGES;
        asked += u32::from(is_asked);
        let refusal = json!({"errorCode": "LATER"});
        (is_asked && asked == 1).then(|| Answer::Late(seconds(2), 503, refusal))
    });
    world.subscribe(Topic::Messages {
        conversation: conversation("c1"),
    });
    world.run();
    world.receive(r#"[7,"PUBLISH",{"type":"unheard.of"}]"#);
    world.run_for(seconds(9));
    assert_eq!(world.log.of(MESSAGES).len(), 2);
    assert_eq!(world.session.counters().retries, 0);
}
