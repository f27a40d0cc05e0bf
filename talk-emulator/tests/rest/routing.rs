use serde_json::{Value, json};
use talk_emulator::server::WithoutCors;

use super::support::request;
use crate::server::support::World;

#[test]
fn app_is_returned_at_both_addresses() {
    let mut world = World::new();
    let app = json!({ "id": "app", "name": "app", "defaultLocale": "en-US", "custom": {} });
    for path in ["/v1/app", "/v1/app/", "/public_api/v1/app"] {
        let mut request = request("GET", "", &Value::Null);
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(world.http(request), (200, app.clone()), "{path}");
    }
}

#[test]
fn unknown_routes_answer_not_found_without_cors() {
    let mut world = World::new();
    let now = world.time();
    for (method, path) in [
        ("GET", "/nothing"),
        ("POST", "/users"),
        ("DELETE", "/users/alice"),
        ("PATCH", "/users/alice"),
        ("GET", "/users//"),
        ("GET", "//users"),
        ("GET", "/users/alice/presence"),
        ("POST", "/conversations/c/notifications"),
        ("GET", "/conversations/c/participants/alice/email"),
        ("PATCH", "/conversations/c/messages/m"),
        ("GET", "/files"),
        ("PUT", "/files"),
        ("GET", "/me/nothing"),
        ("POST", "/me/messages/search"),
    ] {
        let response = world.server.http(now, &request(method, path, &Value::Null));
        assert_eq!(response.status(), 404, "{method} {path}");
        assert_eq!(response.body().concat(), b"\"Not found\"");
        assert!(response.extensions().get::<WithoutCors>().is_some());
    }
    for path in ["/v1/", "/v1//users", "/public_api/v1/", "/v1/app/users/%ff"] {
        let mut request = request("GET", "", &Value::Null);
        *request.uri_mut() = path.parse().unwrap();
        let response = world.server.http(now, &request);
        assert_eq!(response.body().concat(), b"\"Not found\"", "{path}");
    }
    let known = world
        .server
        .http(now, &request("GET", "/users", &Value::Null));
    assert!(known.extensions().get::<WithoutCors>().is_none());
}

#[test]
fn path_segments_are_decoded_one_by_one() {
    let mut world = World::new();
    for id in ["a%20b", "a%2Fb", "a@example.com", "%F0%9F%90%88"] {
        world.done("PUT", &format!("/users/{id}/"), json!({ "name": "x" }));
        world.read(&format!("/users/{id}"));
    }
    assert_eq!(world.server.users("app").len(), 4);
    let long = "x".repeat(256);
    let answer = world.rejected("PUT", &format!("/users/{long}"), json!({ "name": "x" }));
    assert_eq!(answer, (400, "INVALID_USER".to_owned()));
}

#[test]
fn deletion_without_last_id_keeps_object_around_it() {
    let mut world = World::new();
    world.done("PUT", "/users/alice", json!({ "name": "Alice" }));
    let conversation = json!({ "participants": ["alice"] });
    world.done("PUT", "/conversations/c", conversation);
    let message = json!([{ "type": "UserMessage", "sender": "alice", "text": "kept" }]);
    world.done("POST", "/conversations/c/messages", message);
    let sent = world.read("/conversations/c/messages")["data"][0].clone();
    let message = format!("/conversations/c/messages/{}", sent["id"].as_str().unwrap());
    for path in [
        "/conversations/c/",
        "/conversations/c//",
        "/conversations/c/participants/",
        "/conversations/c/messages/",
        &format!("{message}/"),
        &format!("{message}/reactions/"),
        &format!("{message}/reactions/%F0%9F%91%8D/"),
    ] {
        let (status, body) = world.http(request("DELETE", path, &Value::Null));
        assert_eq!(status, 404, "{path}");
        assert_eq!(body["errorCode"], "ROUTE_NOT_FOUND", "{path}");
        let batch = json!([[1, "DELETE", path]]);
        let answers = world.done("POST", "/batch", batch);
        assert_eq!(answers[0][1], 404, "{path}");
        assert_eq!(world.read(&message)["text"], "kept", "{path}");
    }
    world.done("DELETE", &message, json!({}));
    world.done("DELETE", "/conversations/c", json!({}));
}

#[test]
fn unknown_app_is_refused_before_credentials() {
    let settings = json!({ "refusedApps": ["app"], "secret": "s3cret" });
    let mut world = World::with(serde_json::from_value(settings).unwrap());
    let now = world.time();
    let upload = world
        .server
        .begin_upload(now, &request("POST", "/files", &Value::Null))
        .unwrap_err();
    let users = request("GET", "/users", &Value::Null);
    for response in [*upload, world.server.http(now, &users)] {
        assert_eq!(response.status(), 404);
        assert_eq!(response.body().concat(), b"Not found.");
        assert!(response.headers().is_empty());
    }
}
