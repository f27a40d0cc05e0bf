use serde_json::json;
use talk_proto::{
    Authentication, ConnectionState, RequestError, SessionError, SessionOptions, Topic,
};

use crate::support::{
    Answer, START, TokenSource, World, mark_as_read, millis, options, seconds, user,
};

fn given_token() -> SessionOptions {
    let mut options = options();
    options.authentication = Authentication::default();
    options.authentication.token = Some("given-token".into());
    options
}

/// Makes the server accept only this token.
fn accept_only(world: &mut World, token: &'static str) {
    world.script.add(move |request| {
        let is_other = request
            .data
            .get("token")
            .is_some_and(|given| given != token);
        is_other.then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
}

/// Makes the server answer every renewal with `answer`.
fn answer_renewals(world: &mut World, answer: Answer) {
    world
        .script
        .add(move |request| (request.path == "/session/renew").then(|| answer.clone()));
}

#[test]
fn session_without_work_opens_nothing() {
    let mut world = World::new(options());
    world.run_for(seconds(3600));
    assert!(world.log.sockets.is_empty());
    assert!(world.log.token_fetches.is_empty());
    assert!(world.log.http.is_empty());
    assert!(world.session.is_idle());
}

#[test]
fn token_is_fetched_while_socket_opens() {
    let mut world = World::new(options());
    world.network = crate::support::Network::Up(seconds(2));
    world.tokens = TokenSource::After(seconds(3));
    world.call(mark_as_read("c1"));
    world.run_for(seconds(10));
    assert_eq!(world.log.token_fetches, [START]);
    assert_eq!(world.log.sockets[0].asked_at, START);
    let times: Vec<_> = world.log.requests.iter().map(|r| r.at).collect();
    assert_eq!(times, [START + seconds(3); 2]);
}

#[test]
fn given_token_is_renewed_in_first_frame() {
    let mut world = World::new(given_token());
    world.call(mark_as_read("c1"));
    world.run();
    assert!(world.log.token_fetches.is_empty());
    let first = &world.log.requests[0];
    assert_eq!(first.seq, 0);
    let expected = json!(["POST", "/session/renew", {"token": "given-token"}, {}]);
    assert_eq!(first.frame(), expected);
}

#[test]
fn given_token_rejected_ends_session() {
    let mut world = World::new(given_token());
    accept_only(&mut world, "another");
    let request = world.call(mark_as_read("c1"));
    world.run();
    assert_eq!(world.end(), Some(&SessionError::TokenRejected));
    let expected = RequestError::Session(SessionError::TokenRejected);
    assert_eq!(world.outcome(request), &Err(expected));
}

#[test]
fn given_token_rejected_uses_callback() {
    let mut options = given_token();
    options.authentication.can_fetch_token = true;
    let mut world = World::new(options);
    accept_only(&mut world, "token-1");
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(5));
    assert_eq!(world.log.tokens(), ["given-token", "token-1"]);
    assert_eq!(world.log.token_fetches, [START + seconds(1)]);
    assert!(world.outcome(request).is_ok());
}

#[test]
fn set_token_before_first_call_is_used() {
    let mut world = World::new(options());
    world.set_token("set-token").unwrap();
    world.call(mark_as_read("c1"));
    world.run();
    assert!(world.log.token_fetches.is_empty());
    assert_eq!(world.log.tokens(), ["set-token"]);
}

#[test]
fn set_token_during_fetch_replaces_result() {
    let mut world = World::new(options());
    world.tokens = TokenSource::After(seconds(5));
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(1));
    world.set_token("set-token").unwrap();
    world.run_for(seconds(1));
    assert!(world.outcome(request).is_ok());
    world.call(mark_as_read("c2"));
    world.run_for(seconds(20));
    assert_eq!(world.log.tokens()[..1], ["set-token"]);
    assert!(!world.log.tokens().contains(&"token-1".to_owned()));
}

#[test]
fn set_token_while_ready_renews_at_once() {
    let mut world = World::ready(options());
    world.script.add(|request| {
        (request.path.ends_with("/read")).then(|| Answer::Late(seconds(2), 200, json!({})))
    });
    let before = world.call(mark_as_read("c1"));
    world.run_for(millis(500));
    world.set_token("set-token").unwrap();
    let after = world.call(mark_as_read("c2"));
    world.run_for(seconds(3));
    let lines: Vec<_> = world
        .log
        .requests
        .iter()
        .map(|r| (r.line(), r.connection))
        .collect();
    let expected = [
        ("POST /me/conversations/c1/read".to_owned(), 0),
        ("POST /session/renew".to_owned(), 0),
        ("POST /me/conversations/c2/read".to_owned(), 0),
    ];
    assert_eq!(lines, expected);
    assert!(world.outcome(before).is_ok() && world.outcome(after).is_ok());
    assert_eq!(world.log.states().len(), 2, "the state never left Ready");
}

#[test]
fn set_token_rejected_falls_back_to_callback() {
    let mut world = World::ready(options());
    accept_only(&mut world, "token-2");
    world.call(mark_as_read("c1"));
    world.set_token("bad-token").unwrap();
    world.run();
    let waiting = world.call(mark_as_read("c2"));
    world.run();
    assert!(
        !world.is_resolved(waiting),
        "nothing is sent without a token"
    );
    world.run_for(seconds(2));
    assert!(world.outcome(waiting).is_ok());
    assert_eq!(world.log.tokens(), ["bad-token", "token-2"]);
}

/// Returns the reported reasons for which there is no connection.
fn failures(world: &World) -> Vec<&str> {
    let states = world.log.states().into_iter();
    states.filter_map(|state| state.last_failure()).collect()
}

#[test]
fn token_rejected_is_named_until_next_is_accepted() {
    for is_first in [true, false] {
        let mut world = if is_first {
            World::new(options())
        } else {
            World::ready(options())
        };
        accept_only(&mut world, "token-2");
        world.call(mark_as_read("c1"));
        if !is_first {
            world.set_token("bad-token").unwrap();
        }
        world.run_for(seconds(2));
        assert_eq!(failures(&world), ["the token has expired or was rejected"]);
        assert_eq!(world.log.states().last(), Some(&&ConnectionState::Ready));
    }
}

#[test]
fn renewal_server_error_is_named_while_connecting() {
    let mut world = World::new(options());
    answer_renewals(&mut world, Answer::refuse(503, "LATER"));
    world.call(mark_as_read("c1"));
    world.run_for(seconds(12));
    let failures = failures(&world);
    assert!(
        matches!(failures[..], [reason] if reason.contains("503 LATER")),
        "{failures:?}"
    );
}

#[test]
fn token_rejected_five_times_ends_session() {
    let mut world = World::new(options());
    accept_only(&mut world, "none");
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(3600));
    let expected: Vec<_> = [0, 1, 3, 7, 15].map(|n| START + seconds(n)).into();
    assert_eq!(world.log.token_fetches, expected);
    assert_eq!(
        world.end(),
        Some(&SessionError::TokensRejected { attempts: 5 })
    );
    assert!(world.outcome(request).is_err());
    assert_eq!(world.log.sockets.len(), 1, "the socket stays");
}

#[test]
fn token_lifetime_under_two_minutes_is_rejection() {
    let mut world = World::new(options());
    let short = Answer::Reply(200, json!({"expiresInSeconds": 119}));
    answer_renewals(&mut world, short);
    world.call(mark_as_read("c1"));
    world.run_for(seconds(3600));
    assert_eq!(world.log.token_fetches.len(), 5);
    assert_eq!(
        world.end(),
        Some(&SessionError::TokensRejected { attempts: 5 })
    );

    let mut world = World::new(options());
    let long_enough = Answer::Reply(200, json!({"expiresInSeconds": 120}));
    answer_renewals(&mut world, long_enough);
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(1));
    assert!(world.outcome(request).is_ok());
}

#[test]
fn token_accepted_restarts_rejection_count() {
    let mut world = World::new(options());
    let mut tries = 0;
    world.script.add(move |request| {
        // The fourth token is accepted once, and rejected afterwards.
        tries += u32::from(request.path == "/session/renew");
        let is_good = tries == 4;
        (!is_good).then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
    world.call(mark_as_read("c1"));
    world.run_for(seconds(8));
    assert_eq!(world.log.work().count(), 1);
    world.cut();
    world.call(mark_as_read("c2"));
    world.run_for(seconds(3600));
    assert_eq!(world.log.token_fetches.len(), 4 + 4, "five more rejections");
    assert_eq!(
        world.end(),
        Some(&SessionError::TokensRejected { attempts: 5 })
    );
}

/// A token that is accepted again on a new connection is as old as before.
#[test]
fn token_accepted_again_before_expiry_is_not_short_lived() {
    let mut world = World::new(options());
    world.subscribe(Topic::Online { user: user("bob") });
    world.run();
    for fetches in 2..8 {
        world.run_for(seconds(300));
        world.cut();
        world.run_for(seconds(2));
        world.publish(&[json!({"type": "session.expired"})]);
        world.run();
        assert_eq!(world.log.token_fetches.len(), fetches);
    }
}

#[test]
fn renewal_refused_ends_session() {
    for status in [400, 402] {
        let mut world = World::new(options());
        answer_renewals(&mut world, Answer::refuse(status, "NO"));
        let request = world.call(mark_as_read("c1"));
        world.run();
        let Some(SessionError::Refused(refused)) = world.end() else {
            panic!("{:?}", world.end());
        };
        assert_eq!(
            (refused.status, refused.error_code.as_str()),
            (status, "NO")
        );
        assert!(world.outcome(request).is_err());
    }
}

#[test]
fn renewal_server_error_retries_same_token() {
    for status in [403, 404, 429, 500, 503] {
        let mut world = World::new(options());
        let mut failures = 3;
        world.script.add(move |request| {
            if request.path != "/session/renew" || failures == 0 {
                return None;
            }
            failures -= 1;
            Some(Answer::refuse(status, "LATER"))
        });
        let request = world.call(mark_as_read("c1"));
        world.run_for(seconds(40));
        assert!(world.outcome(request).is_ok(), "{status}");
        assert_eq!(world.log.tokens(), ["token-1"; 4]);
        assert_eq!(world.log.token_fetches.len(), 1);
        assert_eq!(world.log.sockets.len(), 1);
        let times = world.log.times_of("POST /session/renew");
        for pair in times.windows(2) {
            let delay = pair[1].saturating_since(pair[0]);
            assert!((seconds(5)..=seconds(10)).contains(&delay), "{delay:?}");
        }
    }
}

#[test]
fn token_callback_failure_ends_session() {
    let mut world = World::new(options());
    world.tokens = TokenSource::Fails;
    let request = world.call(mark_as_read("c1"));
    world.run();
    let reason = "the application says no".to_owned();
    let error = SessionError::TokenCallback(reason);
    assert_eq!(world.end(), Some(&error));
    assert_eq!(world.outcome(request), &Err(RequestError::Session(error)));
}

#[test]
fn token_callback_silent_five_times_ends_session() {
    let mut world = World::new(options());
    world.tokens = TokenSource::NeverAnswers;
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(3600));
    let expected: Vec<_> = [0, 61, 123, 187, 255].map(|n| START + seconds(n)).into();
    assert_eq!(world.log.token_fetches, expected);
    assert_eq!(
        world.end(),
        Some(&SessionError::TokensRejected { attempts: 5 })
    );
    assert!(world.outcome(request).is_err());
    assert_eq!(world.now.saturating_since(START), seconds(3600));
    assert_eq!(
        world.log.sockets.len(),
        1,
        "a slow token costs no connection"
    );
}

#[test]
fn token_callback_after_a_minute_is_ignored() {
    let mut world = World::new(options());
    world.tokens = TokenSource::After(millis(59_999));
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(70));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.sockets.len(), 1);

    let mut world = World::new(options());
    world.tokens = TokenSource::After(millis(60_500));
    world.call(mark_as_read("c1"));
    world.run_for(millis(60_600));
    assert!(world.log.requests.is_empty(), "the late token is not sent");
    world.tokens = TokenSource::After(seconds(0));
    world.run_for(seconds(1));
    assert_eq!(world.log.tokens(), ["token-2"]);
}

#[test]
fn renewal_unanswered_is_a_loss() {
    let mut world = World::new(options());
    let mut silent = true;
    world.script.add(move |request| {
        let is_renewal = request.path == "/session/renew";
        (is_renewal && std::mem::take(&mut silent)).then_some(Answer::Silence)
    });
    let request = world.call(mark_as_read("c1"));
    world.run_for(millis(14_999));
    assert_eq!(world.log.sockets.len(), 1);
    world.run_for(seconds(2));
    assert_eq!(world.log.sockets.len(), 2);
    assert!(world.outcome(request).is_ok());
}

#[test]
fn given_token_rejected_uses_late_callback() {
    let mut world = World::new(given_token());
    world.session.allow_token_fetch(world.now);
    accept_only(&mut world, "token-1");
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(5));
    assert_eq!(world.log.tokens(), ["given-token", "token-1"]);
    assert!(world.outcome(request).is_ok());
}

#[test]
fn token_fetch_in_flight_is_shared() {
    let mut world = World::new(options());
    world.tokens = TokenSource::After(seconds(5));
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(1));
    world.session.allow_token_fetch(world.now);
    world.run_for(seconds(10));
    assert_eq!(world.log.token_fetches, [START]);
    assert!(world.outcome(request).is_ok());
}
