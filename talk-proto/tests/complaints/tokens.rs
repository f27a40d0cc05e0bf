//! Tokens are fetched once for all requests, with a backoff, and stale ones are not used.

use std::time::Duration;

use serde_json::json;
use talk_proto::{
    Authentication, Call, ConnectionState, RequestError, SessionError,
    search::SearchKind,
    upload::{Upload, UploadKind},
};

use super::chat::{Chat, created, messages};
use crate::support::{
    Answer, START, TokenSource, World, conversation, mark_as_read, message, options, seconds,
};

/// Makes the server accept tokens for this number of seconds.
fn live_for(world: &mut World, seconds: u64) {
    world.script.add(move |request| {
        let life = json!({"expiresInSeconds": seconds});
        (request.path == "/session/renew").then(|| Answer::Reply(200, life.clone()))
    });
}

/// Makes the server reject every token for requests to this path.
fn reject(world: &mut World, path: &'static str) {
    world.script.add(move |request| {
        let is_it = request.path == path;
        is_it.then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
}

/// Complaint: the token provider is called twice at the same time.
#[test]
fn expired_token_is_fetched_once_for_all_users() {
    let mut world = World::ready(options());
    world.script.hold_http("/search?");
    world.script.hold_http("/files");
    world.subscribe(messages());
    let search = world.start_search(SearchKind::Messages);
    world.set_query(search, "found", &Default::default());
    world.upload(Upload::new(UploadKind::File, "notes.txt", 5));
    world.run();
    world.tokens = TokenSource::After(seconds(3));
    let https = ["/search?", "/files"].map(|part| world.http_of(part)[0].id);
    world.publish(&[json!({"type": "session.expired"})]);
    for http in https {
        world.http_head(http, 401);
    }
    world.run_for(seconds(60));
    assert_eq!(world.log.token_fetches.len(), 2);
    assert_eq!(world.log.tokens(), ["token-1", "token-2"][1..]);
    for part in ["/search?", "/files"] {
        let asked = world.http_of(part);
        assert_eq!(asked.len(), 2, "{part}");
        assert_eq!(asked[1].headers["authorization"], "Bearer token-2");
    }
}

/// Complaint: a bad token leads to an endless loop. Here it is bad for only one call.
#[test]
fn call_401_with_every_token_fails_alone() {
    let mut world = World::ready(options());
    reject(&mut world, "/me/conversations/c1/read");
    world.subscribe(messages());
    let request = world.call(mark_as_read("c1"));
    let other = world.call(mark_as_read("c2"));
    world.run_for(seconds(600));
    let outcome = world.outcome(request);
    assert!(matches!(outcome, Err(RequestError::Server(refused)) if refused.status == 401));
    assert!(world.outcome(other).is_ok());
    assert_eq!(world.log.token_fetches.len(), 1 + 5);
    assert_eq!(world.end(), None);
    assert_eq!(world.session.connection(), &ConnectionState::Ready);
}

/// Complaint: a bad token leads to an endless loop. Here it is bad for only one subscription.
#[test]
fn list_401_with_every_token_ends_alone() {
    let mut world = World::ready(options());
    reject(&mut world, "/me/conversations/c2/participants");
    world.subscribe(messages());
    world.subscribe(talk_proto::Topic::Participants {
        conversation: conversation("c2"),
    });
    world.run_for(seconds(600));
    assert_eq!(world.session.subscriptions(), 1);
    assert!(world.log.token_fetches.len() <= 1 + 5);
    assert_eq!(world.session.connection(), &ConnectionState::Ready);
}

/// Complaint: one expiry that affects many requests counts as many bad tokens.
#[test]
fn expiry_during_many_requests_fails_none() {
    let mut world = World::ready(options());
    let mut is_expired = true;
    world.script.add(move |request| {
        is_expired &= request.path != "/session/renew";
        is_expired.then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
    let get = Call::GetMessage {
        conversation: conversation("c1"),
        message: message("m1"),
    };
    let requests = [(); 20].map(|()| world.call(get.clone()));
    world.run_for(seconds(1));
    for request in requests {
        assert!(world.outcome(request).is_ok());
    }
    assert_eq!(world.log.token_fetches.len(), 2);
}

/// Complaint: if a refreshed token expires early, the client fetches tokens in an endless loop.
#[test]
fn token_expiring_early_backs_off_fetches() {
    let mut world = World::ready(options());
    world.subscribe(messages());
    world.run();
    for _ in 0..9 {
        world.publish(&[json!({"type": "session.expired"})]);
        world.run();
        while world.session.connection() != &ConnectionState::Ready {
            let next = world.session.poll_timeout().unwrap();
            world.run_until(next);
        }
    }
    let fetches = world.log.token_fetches.windows(2);
    let delays: Vec<_> = fetches
        .map(|pair| pair[1].saturating_since(pair[0]))
        .collect();
    let expected = [0, 0, 1, 2, 4, 8, 16, 32, 60, 60].map(seconds);
    assert_eq!(delays, expected[1..]);

    // The token after a long-lived one is fetched at once.
    world.run_for(seconds(120));
    world.publish(&[json!({"type": "session.expired"})]);
    assert_eq!(world.log.token_fetches.last(), Some(&world.now));
}

/// Complaint: a stale token is used for the reconnect after a sleep.
#[test]
fn suspend_frames_hold_no_expired_token() {
    let mut world = World::new(options());
    live_for(&mut world, 600);
    world.subscribe(messages());
    world.run();
    world.tokens = TokenSource::After(seconds(2));
    world.now = world.now + seconds(3600);
    world.cut();
    world.run_for(seconds(10));
    assert_eq!(world.log.tokens(), ["token-1", "token-2"]);
    let [_, second] = &world.log.times_of("POST /session/renew")[..] else {
        panic!("{:?}", world.log.tokens());
    };
    assert!(second.saturating_since(START + seconds(3600)) >= seconds(2));
}

/// Complaint: a stale token is used over HTTP after a sleep.
#[test]
fn suspend_searches_hold_no_expired_token() {
    let mut world = World::new(options());
    live_for(&mut world, 600);
    world.call(mark_as_read("c1"));
    world.run_for(seconds(3600));
    assert!(world.session.is_idle());
    let search = world.start_search(SearchKind::Messages);
    world.set_query(search, "found", &Default::default());
    world.run();
    let asked = world.http_of("/search?");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].headers["authorization"], "Bearer token-2");
}

/// Complaint: a token refresh of an old session affects another one.
#[test]
fn token_after_end_is_ignored() {
    let mut world = World::new(options());
    world.tokens = TokenSource::After(seconds(5));
    world.call(mark_as_read("c1"));
    world.run_for(seconds(1));
    world.session.shutdown(world.now);
    world.run();
    let events = world.log.events.len();
    world.run_for(seconds(60));
    assert!(world.log.requests.is_empty());
    assert_eq!(world.log.events.len(), events);
    assert_eq!(world.end(), Some(&SessionError::Shutdown));
}

/// Complaint: a cancelled token refresh fails later and ends the session.
#[test]
fn token_fetch_late_failure_is_ignored() {
    let mut world = World::new(options());
    world.tokens = TokenSource::FailsAfter(seconds(62));
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(30));
    world.tokens = TokenSource::After(Duration::ZERO);
    world.run_for(seconds(60));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.end(), None);
    assert_eq!(world.log.tokens(), ["token-2"]);
}

/// Complaint: two ways to authenticate interfere with each other.
#[test]
fn anonymous_token_after_set_token_is_ignored() {
    let mut options = options();
    options.authentication = Authentication::default();
    let mut world = World::new(options);
    world.script.hold_http("/bokens/");
    let request = world.call(mark_as_read("c1"));
    world.run();
    let http = world.http_of("/bokens/")[0].id;
    world.set_token("set-token").unwrap();
    world.run();
    world.http_answer(http, 200, r#"{"boken": "late-boken"}"#);
    world.cut();
    world.call(mark_as_read("c2"));
    world.run_for(seconds(60));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.tokens(), ["set-token", "set-token"]);
}

/// Complaint: events are lost or repeated during a token refresh.
#[test]
fn refresh_keeps_events_without_refetch() {
    let (mut chat, subscription) = Chat::shown(3);
    let asked = chat.world.log.work().count();
    chat.world.script.add(|request| {
        let life = json!({"expiresInSeconds": null});
        let is_renewal = request.path == "/session/renew";
        is_renewal.then(|| Answer::Late(seconds(2), 200, life.clone()))
    });
    chat.world.set_token("set-token").unwrap();
    chat.world.run();
    chat.world.publish(&[created(4)]);
    chat.world.run_for(seconds(1));
    assert_eq!(chat.shows(subscription), ["m4", "m3", "m2", "m1"]);
    chat.world.run_for(seconds(2));
    assert_eq!(chat.updates(subscription).len(), 2);
    assert_eq!(chat.world.log.work().count(), asked);
}
