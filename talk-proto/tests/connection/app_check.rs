use serde_json::json;
use talk_proto::{RequestError, SessionError};

use crate::support::{World, mark_as_read, options, seconds};

fn world(answer: Option<(u16, serde_json::Value)>) -> World {
    let mut world = World::new(options());
    world.script.add_http(move |_| Some(answer.clone()));
    world
}

#[test]
fn app_check_absent_app_ends_session() {
    let mut world = world(Some((404, json!({}))));
    world.script.add(|_| Some(crate::support::Answer::Silence));
    let request = world.call(mark_as_read("c1"));
    world.run();
    assert_eq!(world.end(), Some(&SessionError::AppNotFound));
    let expected = RequestError::Session(SessionError::AppNotFound);
    assert_eq!(world.outcome(request), &Err(expected));
}

#[test]
fn app_check_other_responses_are_ignored() {
    for answer in [
        Some((200, json!({}))),
        Some((500, json!(7))),
        Some((403, json!({}))),
        None,
    ] {
        let mut world = world(answer.clone());
        let request = world.call(mark_as_read("c1"));
        world.run_for(seconds(1));
        assert!(world.outcome(request).is_ok(), "{answer:?}");
        assert_eq!(world.end(), None, "{answer:?}");
    }
}

#[test]
fn app_check_is_sent_once_per_session() {
    let mut world = World::ready(options());
    world.run_for(seconds(10));
    world.call(mark_as_read("c1"));
    world.run_for(seconds(1));
    assert_eq!(world.log.sockets.len(), 2);
    assert_eq!(world.log.http.len(), 1);
}
