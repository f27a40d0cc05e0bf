//! Random input never breaks the server.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::World;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key = prop_oneof![
            Just("ids"),
            Just("limit"),
            Just("cursor"),
            Just("filter"),
            Just("content"),
            Just("type"),
            Just("children"),
            Just("actions"),
            Just("params"),
            Just("method"),
            Just("custom"),
            Just("name"),
            Just("token"),
            Just("id"),
            Just("lang"),
            Just("access"),
            Just("filename"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("users".to_owned()),
        Just("me".to_owned()),
        Just("conversations".to_owned()),
        Just("c".to_owned()),
        Just("messages".to_owned()),
        Just("participants".to_owned()),
        Just("reactions".to_owned()),
        Just("typing".to_owned()),
        Just("alice".to_owned()),
        Just("session".to_owned()),
        Just("renew".to_owned()),
        Just("files".to_owned()),
        Just("validate".to_owned()),
        Just("translate".to_owned()),
        "\\PC{0,4}",
        "(%[0-9A-F]{2}){0,3}",
    ];
    prop::collection::vec(segment, 0..8).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn any_method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "",
        "get",
    ])
}

proptest! {
    #[test]
    fn socket_any_text_does_not_panic(
        texts in prop::collection::vec("\\PC{0,40}|\\[[-0-9,\\[\\]{}\":a-z/]{0,40}", 0..20),
    ) {
        let (mut world, alice, bob) = World::of_friends();
        for text in &texts {
            world.raw(alice, text);
        }
        world.say(bob, "c", "still here");
    }

    #[test]
    fn socket_any_request_is_answered(
        requests in prop::collection::vec((any_method(), any_path(), any_json()), 0..20),
    ) {
        let (mut world, alice, bob) = World::of_friends();
        world.add(bob, "c", &["carol"]);
        for (method, path, data) in requests {
            let (status, _) = world.call(alice, method, &path, data);
            let is_answer = [200, 400, 401, 403, 404, 409].contains(&status);
            prop_assert!(is_answer, "{method} {path}: {status}");
        }
        world.wait(60_000);
        world.ok(bob, "GET", "/me/conversations", json!({}));
    }

    #[test]
    fn http_any_address_is_answered(
        path in any_path(),
        query in "\\w{0,9}=(%[0-9A-F]{2}|\\w){0,9}",
    ) {
        let mut world = World::new();
        for base in ["/public_api/v1", "/api/v0", ""] {
            let request = http::Request::get(format!("{base}{path}?{query}"));
            if let Ok(request) = request.body(Default::default()) {
                let now = world.time();
                let status = world.server.http(now, &request).status().as_u16();
                prop_assert!([200, 400, 401, 404].contains(&status), "{path}: {status}");
                world.server.download(&request);
            }
        }
    }
}

#[test]
fn refusal_reason_has_no_control_characters() {
    let (mut world, alice, _) = World::of_friends();
    let evil = "\u{1b}[2J\u{9b}31m\n\u{202e}\u{7}";
    let data =
        json!({ "actions": [{ "id": "bob", "method": evil, "params": { "access": evil } }] });
    let (status, body) = world.call(alice, "POST", "/conversations/c/participants", data);
    assert_eq!(status, 400);
    let reason = body["reasons"][0].as_str().unwrap();
    assert!(reason.contains("[2J"), "{reason}");
    assert!(
        !reason.chars().any(|c| c.is_control() || c == '\u{202e}'),
        "{reason:?}"
    );
}
