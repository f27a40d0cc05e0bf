//! Injected faults of webhooks and batches, in virtual time.

use serde_json::{Value, json};
use talk_emulator::server::{Fault, FaultKind, WebhookState};

use crate::server::support::{Peer, World};

fn world(fault: Value) -> (World, Peer) {
    let mut world = World::hooked();
    let [alice, _] = world.befriend_hooked();
    let fault: Fault = serde_json::from_value(fault).unwrap();
    let now = world.time();
    world.server.inject(now, fault);
    (world, alice)
}

/// Returns the texts of webhooks about messages.
fn texts(webhooks: &[Value]) -> Vec<&str> {
    let text = |it: &Value| it.pointer("/data/message/text").cloned();
    assert!(webhooks.iter().all(|it| text(it).is_some()), "{webhooks:?}");
    let texts = webhooks.iter();
    let texts = texts.map(|it| it.pointer("/data/message/text").and_then(Value::as_str));
    texts.map(Option::unwrap).collect()
}

/// Returns the faults and the number of attempts of the webhooks in the log.
fn log(world: &World) -> Vec<(Vec<FaultKind>, usize)> {
    let all = world.server.webhooks();
    let all = all.map(|it| (it.faults.clone(), it.attempts.len()));
    all.collect()
}

#[test]
fn webhook_drop_discards_until_resent() {
    let (mut world, alice) = world(json!({ "kind": "webhook_drop", "path": "message." }));
    for text in ["1", "2"] {
        world.say(alice, "c", text);
    }
    assert_eq!(texts(&world.deliver()), ["2"]);
    let dropped = world.server.webhooks().rev().nth(1).unwrap();
    assert_eq!(dropped.state, WebhookState::Failed);
    assert_eq!(dropped.faults, [FaultKind::WebhookDrop]);
    let reason = dropped.attempts[0].error.clone().unwrap();
    assert!(reason.contains("injected fault"), "{reason}");
    let id = dropped.id.clone();
    let struck = world.server.struck_faults().last().unwrap();
    assert_eq!(struck.webhook.as_ref(), Some(&id));
    assert_eq!(struck.path.as_deref(), Some("message.sent"));
    assert_eq!(world.server.armed_faults().count(), 0);
    let now = world.time();
    assert!(world.server.resend_webhook(now, &id));
    world.drain();
    assert_eq!(texts(&world.deliver()), ["1"]);
}

#[test]
fn webhook_duplicate_delivers_twice_in_order() {
    let (mut world, alice) = world(json!({ "kind": "webhook_duplicate" }));
    for text in ["1", "2"] {
        world.say(alice, "c", text);
    }
    let delivered = world.deliver();
    assert_eq!(texts(&delivered), ["1", "1", "2"]);
    assert_eq!(delivered[0], delivered[1]);
    let duplicated = (vec![FaultKind::WebhookDuplicate], 2);
    assert_eq!(log(&world)[log(&world).len() - 2], duplicated);
    let mut states = world.server.webhooks().map(|it| it.state);
    assert!(states.all(|state| state == WebhookState::Delivered));
}

#[test]
fn webhook_delay_holds_the_later_ones_of_the_object() {
    let fault =
        json!({ "kind": "webhook_delay", "times": 2, "path": "message.sent", "after_ms": 3000 });
    let (mut world, alice) = world(fault);
    for text in ["1", "2"] {
        world.say(alice, "c", text);
    }
    world.provision(&["dave"]);
    assert_eq!(world.delivered_types(), ["user.created"]);
    world.wait(2999);
    assert_eq!(world.deliver(), Vec::<Value>::new());
    world.wait(1);
    assert_eq!(texts(&world.deliver()), ["1"]);
    // The second one has its own delay.
    world.wait(2999);
    assert_eq!(world.deliver(), Vec::<Value>::new());
    world.wait(1);
    assert_eq!(texts(&world.deliver()), ["2"]);
}

#[test]
fn webhook_reorder_waits_for_the_next_one() {
    let (mut world, alice) = world(json!({ "kind": "webhook_reorder" }));
    world.say(alice, "c", "1");
    assert_eq!(world.deliver(), Vec::<Value>::new());
    for text in ["2", "3"] {
        world.say(alice, "c", text);
    }
    assert_eq!(texts(&world.deliver()), ["2", "1", "3"]);
}

#[test]
fn webhook_reorder_swaps_queued_ones() {
    let (mut world, alice) = world(json!({ "kind": "webhook_reorder", "times": 2 }));
    // The first of each pair is overtaken.
    for text in ["1", "2", "3", "4"] {
        world.say(alice, "c", text);
    }
    assert_eq!(texts(&world.deliver()), ["2", "1", "4", "3"]);
    assert_eq!(world.server.armed_faults().count(), 0);
}

#[test]
fn webhook_reorder_alone_ends_after_the_delay() {
    let (mut world, alice) = world(json!({ "kind": "webhook_reorder", "after_ms": 500 }));
    world.say(alice, "c", "1");
    world.wait(499);
    assert_eq!(world.deliver(), Vec::<Value>::new());
    world.wait(1);
    assert_eq!(texts(&world.deliver()), ["1"]);
    world.say(alice, "c", "2");
    assert_eq!(texts(&world.deliver()), ["2"]);
}

#[test]
fn faults_of_webhooks_leave_requests_alone() {
    let (mut world, alice) = world(json!({ "kind": "webhook_drop", "times": 9 }));
    world.say(alice, "c", "1");
    assert_eq!(world.rest("GET", "/users/alice", Value::Null).0, 200);
    assert_eq!(world.server.armed_faults().next().unwrap().times, 8);
}

#[test]
fn webhook_fault_does_not_survive_a_reset() {
    let (mut world, alice) = world(json!({ "kind": "webhook_reorder" }));
    world.say(alice, "c", "1");
    let now = world.time();
    world.server.clear(now);
    world.drain();
    world.wait(5000);
    assert_eq!(world.deliver(), Vec::<Value>::new());
}

#[test]
fn batch_shuffle_changes_order_of_one_batch() {
    let mut world = World::new();
    let batch: Vec<_> = (0..4)
        .map(|at| json!([at, "PUT", "/users/alice", { "name": at.to_string() }]))
        .collect();
    let order = |world: &mut World| {
        let answers = world.done("POST", "/batch", json!(batch));
        let answers = answers.as_array().unwrap().iter();
        answers
            .map(|it| it[0].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let now = world.time();
    world
        .server
        .inject(now, Fault::new(FaultKind::BatchShuffle));
    let mut shuffled = order(&mut world);
    assert_ne!(shuffled, [0, 1, 2, 3]);
    // The operations ran in the order of the answers.
    let last = shuffled.last().unwrap().to_string();
    assert_eq!(world.read("/users/alice")["name"], last);
    shuffled.sort_unstable();
    assert_eq!(shuffled, [0, 1, 2, 3]);
    assert_eq!(order(&mut world), [0, 1, 2, 3]);
    let struck = world.server.struck_faults().last().unwrap();
    assert_eq!(struck.path.as_deref(), Some("/batch"));
}
