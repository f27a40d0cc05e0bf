use serde_json::{Value, json};
use talk_emulator::server::{Fault, HttpFault, UploadFault};

use super::support::{World, get, text_block};

fn inject(world: &mut World, fault: Value) {
    let fault: Fault = serde_json::from_value(fault).unwrap();
    let now = world.time();
    world.server.inject(now, fault);
    world.wait(0);
}

#[test]
fn fault_refusal_applies_to_matching_requests() {
    let (mut world, alice, bob) = World::of_friends();
    inject(
        &mut world,
        json!({ "kind": "500", "user": "alice", "path": "/conversations/c/messages", "times": 2 }),
    );
    inject(&mut world, json!({ "kind": "429" }));
    let data = json!({ "content": text_block("hi") });
    assert_eq!(world.refused(bob, "GET", "/ping", json!({})).0, 429);
    world.ok(bob, "POST", "/conversations/c/messages", data.clone());
    for _ in 0..2 {
        world.ok(alice, "GET", "/ping", json!({}));
        assert_eq!(
            world
                .refused(alice, "POST", "/conversations/c/messages", data.clone())
                .0,
            500
        );
    }
    world.ok(alice, "POST", "/conversations/c/messages", data);
    let messages = world.ok(bob, "GET", "/me/conversations/c/messages", json!({}));
    assert_eq!(messages["data"].as_array().unwrap().len(), 2);
}

#[test]
fn fault_drop_closes_open_connections() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(bob, &["/users/alice/online"]);
    inject(
        &mut world,
        json!({ "kind": "drop", "user": "alice", "after_ms": 500 }),
    );
    world.wait(499);
    assert_eq!(world.is_closed(alice), None);
    world.wait(1);
    assert_eq!(world.is_closed(alice), Some(None));
    assert_eq!(world.is_closed(bob), None);
    assert_eq!(
        world.events(bob)[0]["diff"],
        json!({ "isConnected": false })
    );
}

#[test]
fn fault_drop_on_request_keeps_effect() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(bob, &["/me/conversations/c/messages"]);
    inject(
        &mut world,
        json!({ "kind": "drop", "path": "/conversations/c/messages" }),
    );
    let seq = world.send(
        alice,
        "POST",
        "/conversations/c/messages",
        json!({ "content": text_block("hi"), "idempotencyKey": "k" }),
    );
    assert_eq!(world.answer(alice, seq), None);
    assert_eq!(world.is_closed(alice), Some(None));
    assert_eq!(world.event_types(bob), ["message.created"]);
    let alice = world.connect("alice");
    world.ok(
        alice,
        "POST",
        "/conversations/c/messages",
        json!({ "content": text_block("hi"), "idempotencyKey": "k" }),
    );
    assert_eq!(world.events(bob), [] as [Value; 0]);
}

#[test]
fn fault_stall_sends_and_receives_nothing() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &["/me/conversations/c/messages"]);
    inject(&mut world, json!({ "kind": "stall", "user": "alice" }));
    let seq = world.send(alice, "GET", "/ping", json!({}));
    world.say(bob, "c", "hello?");
    world.wait(60_000);
    assert_eq!(world.answer(alice, seq), None);
    assert_eq!(world.events(alice), [] as [Value; 0]);
    assert_eq!(world.is_closed(alice), None);
}

#[test]
fn fault_slow_keeps_order() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(alice, &["/me/conversations/c/messages"]);
    inject(
        &mut world,
        json!({ "kind": "slow", "user": "alice", "after_ms": 300 }),
    );
    let slow = world.send(alice, "GET", "/ping", json!({}));
    let behind = world.send(alice, "GET", "/ping", json!({}));
    world.say(bob, "c", "hi");
    world.wait(299);
    assert_eq!(
        (world.answer(alice, slow), world.answer(alice, behind)),
        (None, None)
    );
    assert_eq!(world.events(alice), [] as [Value; 0]);
    world.wait(1);
    assert!(world.answer(alice, slow).is_some() && world.answer(alice, behind).is_some());
    assert_eq!(world.event_types(alice), ["message.created"]);
    world.ok(alice, "GET", "/ping", json!({}));
}

#[test]
fn fault_restart_is_announced_to_all() {
    let (mut world, alice, bob) = World::of_friends();
    inject(&mut world, json!({ "kind": "restart" }));
    for peer in [alice, bob] {
        assert_eq!(
            world.events(peer),
            [json!({ "type": "upstream.restarting" })]
        );
        assert_eq!(world.is_closed(peer), Some(Some(1012)));
    }
    let again = world.connect("alice");
    assert_eq!(
        world.ok(again, "GET", "/me/conversations", json!({}))["data"][0]["id"],
        "c",
        "nothing is lost"
    );
}

#[test]
fn fault_token_expiry_requires_renewal() {
    let (mut world, alice, _) = World::of_friends();
    inject(
        &mut world,
        json!({ "kind": "token_expiry", "user": "alice" }),
    );
    assert_eq!(world.events(alice), [json!({ "type": "session.expired" })]);
    assert_eq!(world.refused(alice, "GET", "/ping", json!({})).0, 401);
    world.ok(alice, "POST", "/session/renew", json!({ "token": "new" }));
    world.ok(alice, "GET", "/ping", json!({}));
}

#[test]
fn fault_remaining_times_apply_to_next_requests() {
    let mut world = World::new();
    inject(&mut world, json!({ "kind": "drop", "times": 2 }));
    for _ in 0..2 {
        let peer = world.open("alice");
        world.send(peer, "POST", "/session/renew", json!({ "token": "T" }));
        assert_eq!(world.is_closed(peer), Some(None));
    }
    world.connect("alice");
}

#[test]
fn fault_applies_to_http() {
    let mut world = World::new();
    inject(&mut world, json!({ "kind": "500", "path": "/bokens" }));
    assert_eq!(world.http(get("/api/v0/app")).0, 200);
    assert_eq!(world.http(get("/api/v0/app/bokens/alice")).0, 500);
    inject(&mut world, json!({ "kind": "slow", "after_ms": 70 }));
    let now = world.time();
    let slow = world.server.http(now, &get("/api/v0/app"));
    assert_eq!(slow.extensions().get(), Some(&HttpFault::Slow(70)));
    assert_eq!(slow.status(), 200);
}

#[test]
fn fault_after_bytes_applies_to_uploads_only() {
    let (mut world, alice, _) = World::of_friends();
    inject(
        &mut world,
        json!({ "kind": "401", "path": "/files", "after_bytes": 70 }),
    );
    inject(&mut world, json!({ "kind": "drop", "after_bytes": 7 }));
    // The validation of a file and other requests do not trigger the faults.
    let file = json!({ "filename": "f", "filesize": 1 });
    world.ok(alice, "POST", "/files/validate", file);
    assert_eq!(world.is_closed(alice), None);
    assert_eq!(world.http(get("/api/v0/app")).0, 200);

    let upload = http::Request::post("/public_api/v1/app/files")
        .header("authorization", "Bearer any")
        .body(bytes::Bytes::new())
        .unwrap();
    let mut met = || {
        let now = world.time();
        world.server.begin_upload(now, &upload).unwrap().fault
    };
    let refused = met().unwrap();
    assert_eq!(refused.after_bytes, 70);
    assert!(matches!(
        refused.fault,
        HttpFault::Refuse { status: 401, .. }
    ));
    let cut = UploadFault {
        fault: HttpFault::Drop,
        after_bytes: 7,
    };
    assert_eq!(met(), Some(cut));
    assert_eq!(met(), None);
}

#[test]
fn fault_401_refuses_call() {
    let (mut world, alice, _) = World::of_friends();
    inject(&mut world, json!({ "kind": "401" }));
    assert_eq!(world.refused(alice, "GET", "/ping", json!({})).0, 401);
    world.ok(alice, "GET", "/ping", json!({}));
}

#[test]
fn fault_unanswered_answers_only_pings_and_renewals() {
    let (mut world, alice, bob) = World::of_friends();
    let fault = json!({ "kind": "unanswered", "user": "alice", "times": 2 });
    inject(&mut world, fault);
    let path = "/conversations/c/messages";
    let data = json!({ "content": text_block("hi"), "idempotencyKey": "k" });
    for _ in 0..2 {
        world.ok(alice, "GET", "/ping", json!({}));
        let renewal = json!({ "token": "" });
        world.ok(alice, "POST", "/session/renew", renewal);
        let seq = world.send(alice, "POST", path, data.clone());
        world.wait(3_600_000);
        assert_eq!(world.answer(alice, seq), None);
        assert_eq!(world.is_closed(alice), None);
    }
    let messages = "/me/conversations/c/messages";
    let page = world.ok(bob, "GET", messages, json!({}));
    assert_eq!(page["data"], json!([]));
    world.ok(alice, "POST", path, data);
}
