use std::time::Duration;

use serde_json::{Value, json};
use talk_proto::{
    Authentication, ConnectionState, SessionError, SessionOptions, filter::ConversationFilter,
    search::SearchKind,
};

use crate::support::{Answer, START, World, mark_as_read, options, seconds};

fn anonymous() -> SessionOptions {
    let mut options = options();
    options.authentication = Authentication::default();
    options
}

/// Creates a world that answers requests for anonymous tokens with `answers`, then with a token.
fn world(options: SessionOptions, answers: Vec<Option<(u16, Value)>>) -> World {
    let mut world = World::new(options);
    let mut answers = answers.into_iter();
    world.script.add_http(move |uri| {
        if uri.contains("/bokens/") {
            answers.next()
        } else {
            None
        }
    });
    world
}

fn boken_times(world: &World) -> Vec<Duration> {
    let asked = world.log.http.iter().filter(|h| h.uri.contains("/bokens/"));
    asked.map(|h| h.at.saturating_since(START)).collect()
}

#[test]
fn session_without_token_fetches_anonymous_token() {
    let mut world = world(anonymous(), vec![]);
    let request = world.call(mark_as_read("c1"));
    world.run();
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.tokens(), ["boken-1"]);
    assert!(world.log.token_fetches.is_empty());
    assert_eq!(world.log.http[0].method, "GET");
    let uri = "http://127.0.0.1:4000/api/v0/app/bokens/alice?signature=";
    assert_eq!(world.log.http[0].uri, uri);
}

#[test]
fn anonymous_token_request_has_signature() {
    let mut options = anonymous();
    options.authentication.signature = Some("c0ffee00".into());
    let mut world = world(options, vec![]);
    world.call(mark_as_read("c1"));
    world.run();
    let uri = "http://127.0.0.1:4000/api/v0/app/bokens/alice?signature=c0ffee00";
    assert_eq!(world.log.http[0].uri, uri);
}

#[test]
fn anonymous_token_final_refusal_ends_session() {
    let refusal = |code: &str| json!({"errorCode": code, "reasons": ["because"]});
    let end = |status: u16| {
        let mut world = world(anonymous(), vec![Some((status, refusal("NO")))]);
        world.call(mark_as_read("c1"));
        world.run_for(seconds(600));
        assert_eq!(boken_times(&world).len(), 1, "{status}");
        world.end().cloned()
    };
    let Some(SessionError::SignatureRejected(refused)) = end(401) else {
        panic!("{:?}", end(401));
    };
    assert_eq!((refused.status, refused.error_code.as_str()), (401, "NO"));
    assert_eq!(end(404), Some(SessionError::AppNotFound));
    for status in [400, 402, 403, 409, 410, 418] {
        let Some(SessionError::Refused(refused)) = end(status) else {
            panic!("{status}: {:?}", end(status));
        };
        assert_eq!(refused.status, status);
    }
}

#[test]
fn anonymous_token_transient_failure_is_retried() {
    for answer in [Some((429, json!({}))), Some((502, json!({}))), None] {
        let mut world = world(anonymous(), vec![answer.clone(); 20]);
        let request = world.call(mark_as_read("c1"));
        world.run_for(seconds(1200));
        assert!(world.outcome(request).is_ok(), "{answer:?}");
        let times = boken_times(&world);
        assert_eq!(times.len(), 21);
        for (n, pair) in times.windows(2).enumerate() {
            let longest = seconds(1 << n.min(5)).min(seconds(30));
            assert!(pair[1] - pair[0] <= longest, "{times:?}");
        }
    }
}

/// Searches without a socket, and returns the reported states of the connection.
fn states_of_search(answer: Option<(u16, Value)>) -> Vec<ConnectionState> {
    let mut world = world(anonymous(), vec![answer]);
    let search = world.start_search(SearchKind::Messages);
    world.set_query(search, "text", &ConversationFilter::default());
    world.run_for(seconds(2));
    assert_eq!(boken_times(&world).len(), 2);
    world.log.states().into_iter().cloned().collect()
}

#[test]
fn anonymous_token_failure_is_the_reason_without_socket() {
    for (answer, expected) in [
        (None, "connection refused"),
        (Some((503, json!({}))), "status 503"),
    ] {
        let states = states_of_search(answer);
        let [ConnectionState::Waiting { reason, .. }, retry, idle] = &states[..] else {
            panic!("{states:?}");
        };
        assert!(reason.contains(expected), "{reason}");
        assert_eq!(retry.last_failure(), Some(reason.as_str()));
        assert_eq!(*idle, ConnectionState::Idle);
    }
}

#[test]
fn anonymous_token_failure_is_the_reason_with_socket() {
    let mut world = world(anonymous(), vec![Some((503, json!({}))); 2]);
    world.call(mark_as_read("c1"));
    world.run_for(seconds(5));
    let states = world.log.states();
    let failure = states.iter().find_map(|state| state.last_failure());
    assert!(
        failure.is_some_and(|reason| reason.contains("503")),
        "{states:?}"
    );
    assert!(states.contains(&&ConnectionState::Ready));
}

#[test]
fn anonymous_token_500_five_times_ends_session() {
    for status in [500, 503, 504] {
        let mut recovering = world(anonymous(), vec![Some((status, json!({}))); 4]);
        let request = recovering.call(mark_as_read("c1"));
        recovering.run_for(seconds(600));
        assert!(recovering.outcome(request).is_ok());

        let mut failing = world(anonymous(), vec![Some((status, json!({}))); 5]);
        failing.call(mark_as_read("c1"));
        failing.run_for(seconds(600));
        assert_eq!(boken_times(&failing).len(), 5);
        assert!(matches!(failing.end(), Some(SessionError::Refused(r)) if r.status == status));
    }
}

#[test]
fn anonymous_token_absent_in_response_is_failure() {
    let mut world = world(anonymous(), vec![Some((200, json!({"boken": 7}))); 4]);
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(600));
    assert!(world.outcome(request).is_ok());
}

#[test]
fn anonymous_token_rejected_or_expired_is_replaced() {
    let mut world = world(anonymous(), vec![]);
    let mut renewals = 0;
    world.script.add(move |request| {
        renewals += u32::from(request.path == "/session/renew");
        (renewals == 1).then(|| Answer::refuse(401, "UNAUTHORIZED"))
    });
    let request = world.call(mark_as_read("c1"));
    world.run_for(seconds(3));
    assert!(world.outcome(request).is_ok());
    assert_eq!(boken_times(&world), [seconds(0), seconds(1)]);
}

#[test]
fn anonymous_token_failing_five_times_ends_session() {
    for body in [json!({}), json!({"boken": 7}), json!("boken"), Value::Null] {
        let mut world = world(anonymous(), vec![Some((200, body)); 5]);
        let request = world.call(mark_as_read("c1"));
        world.run_for(seconds(600));
        assert_eq!(boken_times(&world).len(), 5);
        let end = world.end().map(ToString::to_string);
        let expected = "the server refused the session: the server refused with status 200 \
                        NO_BOKEN: the answer holds no token";
        assert_eq!(end.as_deref(), Some(expected));
        assert!(world.outcome(request).is_err());
    }
}

#[test]
fn anonymous_token_is_not_fetched_with_callback() {
    for is_answered_late in [true, false] {
        let mut world = World::new(anonymous());
        world.script.hold_http("/bokens/");
        let request = world.call(mark_as_read("c1"));
        world.run();
        let boken = world.http_of("/bokens/")[0].id;
        world.session.allow_token_fetch(world.now);
        world.run();
        assert!(world.http_of("/bokens/")[0].cancelled);
        assert_eq!(world.log.token_fetches.len(), 1);
        assert!(world.outcome(request).is_ok());
        if is_answered_late {
            world.http_answer(boken, 200, r#"{"boken": "a late boken"}"#);
        }
        world.run_for(seconds(120));
        assert_eq!(world.log.tokens(), ["token-1"]);
        assert_eq!(boken_times(&world).len(), 1);
    }
}

#[test]
fn anonymous_token_in_flight_yields_to_set_token() {
    let mut world = World::new(anonymous());
    world.script.hold_http("/bokens/");
    world.call(mark_as_read("c1"));
    world.run();
    let boken = world.http_of("/bokens/")[0].id;
    world.set_token("set-token").expect("the session lives");
    world.run_for(seconds(1));
    assert!(world.http_of("/bokens/")[0].cancelled);
    world.http_answer(boken, 200, r#"{"boken": "a late boken"}"#);
    world.call(mark_as_read("c2"));
    world.run_for(seconds(60));
    assert_eq!(world.log.tokens(), ["set-token"]);
}

#[test]
fn anonymous_token_response_without_end_is_cut_off() {
    let mut world = World::new(anonymous());
    world.script.hold_http("/bokens/");
    let request = world.call(mark_as_read("c1"));
    world.run();
    let first = world.http_of("/bokens/")[0].id;
    world.http_head(first, 200);
    for _ in 0..65 {
        world.http_chunk(first, &" ".repeat(1 << 10));
    }
    assert!(world.http_of("/bokens/")[0].cancelled);
    world.run_for(seconds(2));
    let second = world.http_of("/bokens/")[1].id;
    world.http_answer(second, 200, r#"{"boken": "a token"}"#);
    world.run_for(seconds(2));
    assert!(world.outcome(request).is_ok());
    assert_eq!(world.log.tokens(), ["a token"]);
}

#[test]
fn app_check_response_without_end_is_cut_off() {
    for (status, end) in [(200, None), (404, Some(SessionError::AppNotFound))] {
        let mut world = World::new(options());
        world.script.hold_http("/api/v0/app");
        world.call(mark_as_read("c1"));
        world.run();
        let check = world.log.http[0].id;
        world.http_head(check, status);
        for _ in 0..65 {
            world.http_chunk(check, &" ".repeat(1 << 10));
        }
        assert!(world.log.http[0].cancelled);
        assert_eq!(world.end(), end.as_ref());
    }
}
