use serde_json::{Value, json};

use crate::server::support::World;

#[test]
fn batch_runs_operations_in_order() {
    let (mut world, alice, _) = World::of_friends();
    world.subscribe(alice, &["/me/conversations/c/messages"]);
    let batch = json!([
        [1, "GET", "/users/alice"],
        [2, "GET", "/users/bob/conversations", { "limit": "30", "unreadsOnly": "true" }],
        [3, "POST", "/conversations/c/messages", [{ "type": "SystemMessage", "text": "Hi" }]],
        [4, "PUT", "/users/dave%2F", { "name": "Dave" }, { "api_version": "2021-01-01" }],
        [5, "GET", "/nothing"],
        [5, "GET", "/users/dave%2F"],
        [6.5, "GET", "/users/nobody/conversations", {}, { "api_version": "2021-01-01" }],
        [7, "GET", "/users/nobody/conversations"],
    ]);
    let answers = world.done("POST", "/batch", batch);
    assert_eq!(answers[0][2]["id"], "alice");
    assert_eq!(answers[1], json!([2, 200, { "data": [] }]));
    assert_eq!(answers[2][1], 200);
    assert!(answers[2][2][0]["id"].is_string());
    assert_eq!(answers[3], json!([4, 200, {}]));
    assert_eq!(answers[4], json!([5, 404, "Not found"]));
    assert_eq!(answers[5][2]["name"], "Dave");
    assert_eq!(answers[6], json!([6.5, 200, { "data": [] }]));
    assert_eq!(answers[7][1], 404);
    assert_eq!(answers[7][2]["errorCode"], "USER_NOT_FOUND");
    assert_eq!(world.event_types(alice), ["message.created"]);
}

#[test]
fn batch_refuses_nested_batches_and_uploads_alone() {
    let mut world = World::new();
    let batch = json!([
        [1, "POST", "/batch", []],
        [2, "POST", "/files"],
        [3, "PUT", "/users/alice", { "name": "Alice" }],
        [4, "PUT", "/users/bob", {}],
        [5, "GET", "/users", {}, { "api_version": "x" }],
        [6, "GET", "/users", { "limit": null }, null],
    ]);
    let answers = world.done("POST", "/batch", batch);
    let statuses: Vec<&Value> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it[1])
        .collect();
    assert_eq!(statuses, [400, 400, 200, 400, 400, 200]);
    assert_eq!(world.server.users("app").len(), 1);
}

#[test]
fn batch_malformed_runs_nothing() {
    let mut world = World::new();
    let good = json!([1, "PUT", "/users/alice", { "name": "Alice" }]);
    for bad in [
        json!([good, []]),
        json!([good, ["x", "GET", "/users"]]),
        json!([good, [1, "GET"]]),
        json!([good, [1, "GET", "users"]]),
        json!([good, [1, "GET", "/users", {}, 1]]),
        json!([good, [1, "GET", "/users", {}, {}, 1]]),
        json!([good, [1, "GET", "/users", "limit=1"]]),
        json!([good, [1, "GET", "/users", []]]),
        json!({}),
        json!(vec![good.clone(); 11]),
    ] {
        let answer = world.rejected("POST", "/batch", bad.clone());
        assert_eq!(answer, (400, "INVALID_BATCH".to_owned()), "{bad}");
    }
    assert!(world.server.users("app").is_empty());
    world.done("POST", "/batch", json!(vec![good; 10]));
}
