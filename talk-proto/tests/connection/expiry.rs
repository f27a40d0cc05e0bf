use serde_json::json;
use talk_proto::SessionError;

use crate::support::{
    Answer, START, TokenSource, World, mark_as_read, millis, options, seconds, send,
};

/// Makes the server answer every request with 401 until it receives another token.
fn expire_on_call(world: &mut World) {
    let mut expired = true;
    world.script.add(move |request| {
        if request.path == "/session/renew" {
            expired = false;
        }
        expired.then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
}

#[test]
fn expiry_event_holds_calls_until_renewal() {
    let mut world = World::ready(options());
    world.tokens = TokenSource::After(seconds(2));
    world.call(mark_as_read("before"));
    world.run();
    world.log.requests.clear();
    world.publish(&[json!({"type": "session.expired"})]);
    let request = world.call(mark_as_read("c1"));
    world.run_for(millis(1_999));
    assert!(world.log.requests.is_empty());
    world.run_for(millis(1));
    assert!(world.outcome(request).is_ok());
    let lines: Vec<_> = world.log.requests.iter().map(|r| r.line()).collect();
    assert_eq!(
        lines,
        ["POST /session/renew", "POST /me/conversations/c1/read"]
    );
    assert_eq!(world.log.tokens(), ["token-2"]);
    assert_eq!(world.log.sockets.len(), 1);
}

#[test]
fn call_401_is_resent_with_new_token() {
    let mut world = World::ready(options());
    expire_on_call(&mut world);
    let requests = ["a", "b", "c"].map(|text| world.call(send("c1", text)));
    world.run();
    for request in requests {
        assert!(world.outcome(request).is_ok());
    }
    let texts: Vec<_> = world
        .log
        .work()
        .map(|r| r.data["content"][0]["children"][0].clone())
        .collect();
    assert_eq!(texts, ["a", "b", "c", "a", "b", "c"]);
    let keys: Vec<_> = world
        .log
        .work()
        .map(|r| r.data["idempotencyKey"].clone())
        .collect();
    assert_eq!(keys[..3], keys[3..]);
    assert_eq!(world.log.tokens(), ["token-2"]);
}

#[test]
fn ping_401_is_an_expiry() {
    let mut world = World::ready(options());
    world
        .script
        .add(|r| r.path.ends_with("/kept/read").then_some(Answer::Silence));
    world.call(mark_as_read("kept"));
    world.run();
    expire_on_call(&mut world);
    world.run_for(seconds(10));
    assert_eq!(world.log.tokens(), ["token-2"]);
}

#[test]
fn call_401_during_refresh_waits_for_renewal() {
    let mut world = World::ready(options());
    world.script.add(|request| match request.path.as_str() {
        "/session/renew" => Some(Answer::Late(
            seconds(2),
            200,
            json!({"expiresInSeconds": null}),
        )),
        _ => None,
    });
    world.set_token("set-token").unwrap();
    world.run();
    let mut refused = false;
    world.script.add(move |request| {
        let first = request.path.ends_with("/read") && !std::mem::replace(&mut refused, true);
        first.then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(1));
    assert_eq!(world.log.work().count(), 1, "it is not hammered");
    world.run_for(seconds(1));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.tokens(), ["set-token"]);
    assert_eq!(
        world.log.token_fetches.len(),
        1,
        "the newer token is not dropped"
    );
}

#[test]
fn answer_before_renewal_does_not_reject_new_token() {
    let mut world = World::ready(options());
    let mut calls = 0;
    world.script.add(move |request| {
        calls += u32::from(request.path.ends_with("/read"));
        match calls {
            1 => Some(Answer::refuse(401, "UNAUTHORIZED")),
            2 => {
                calls += 1;
                let body = json!({"errorCode": "UNAUTHORIZED", "reasons": []});
                Some(Answer::Late(seconds(1), 401, body))
            }
            _ => None,
        }
    });
    let requests = ["c1", "c2"].map(|id| world.call(mark_as_read(id)));
    world.run_for(seconds(2));
    for request in requests {
        assert!(world.outcome(request).is_ok());
    }
    assert_eq!(world.log.tokens(), ["token-2"]);
    assert_eq!(world.log.token_fetches.len(), 2);
}

#[test]
fn expiry_without_callback_ends_session() {
    let mut options = options();
    options.authentication.can_fetch_token = false;
    options.authentication.token = Some("given-token".into());
    let mut world = World::ready(options);
    let request = world.call(mark_as_read("c1"));
    world.publish(&[json!({"type": "session.expired"})]);
    assert_eq!(world.end(), Some(&SessionError::TokenRejected));
    assert!(world.is_resolved(request));
}

#[test]
fn token_accepted_then_refused_ends_session() {
    let mut world = World::new(options());
    world.script.add(|request| {
        (request.path != "/session/renew").then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
    world.call(mark_as_read("c1"));
    world.run_for(seconds(3600));
    assert_eq!(world.log.token_fetches.len(), 5);
    assert_eq!(
        world.end(),
        Some(&SessionError::TokensRejected { attempts: 5 })
    );
    assert!(
        world
            .log
            .events
            .iter()
            .all(|(at, _)| *at <= START + seconds(16))
    );
}

#[test]
fn expiry_during_loss_loses_nothing() {
    let mut world = World::ready(options());
    world.tokens = TokenSource::After(seconds(5));
    world
        .script
        .add(|r| (r.connection == 0).then_some(Answer::Silence));
    let requests = ["a", "b"].map(|text| world.call(send("c1", text)));
    world.run();
    world.publish(&[json!({"type": "session.expired"})]);
    world.cut();
    world.run_until_resolved(seconds(60));
    for request in requests {
        assert!(world.outcome(request).is_ok());
    }
}

#[test]
fn token_expired_cancels_pending_renewal() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        let is_set = request.data["token"] == "set-token";
        is_set.then(|| Answer::refuse(500, "LATER"))
    });
    world.set_token("set-token").unwrap();
    world.run();
    world.tokens = TokenSource::After(seconds(30));
    // The invariants check that no deadline is in the past.
    world.publish(&[json!({"type": "session.expired"})]);
    world.run_for(seconds(29));
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(1));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.tokens(), ["set-token", "token-2"]);
}
