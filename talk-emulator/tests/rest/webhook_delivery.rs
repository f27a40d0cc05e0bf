//! The delivery of webhooks: order, time limits, retries, restarts and the log, in virtual time.

use data_encoding::HEXUPPER;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use talk_emulator::server::{
    Settings, WebhookAttemptId, WebhookDelivery, WebhookRequest, WebhookSettings, WebhookState,
};

use super::support::{HOOKS, request};
use crate::server::support::{Peer, World};

fn world() -> (World, Peer) {
    let mut world = World::hooked();
    let [alice, _] = world.befriend_hooked();
    (world, alice)
}

fn text(request: &WebhookRequest) -> String {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    body["data"]["message"]["text"].as_str().unwrap().to_owned()
}

fn texts(requests: &[(WebhookAttemptId, WebhookRequest)]) -> Vec<String> {
    requests.iter().map(|(_, request)| text(request)).collect()
}

fn last(world: &World) -> &WebhookDelivery {
    world.server.webhooks().next_back().unwrap()
}

#[test]
fn request_is_signed_with_secret_and_time() {
    let mut world = World::with(Settings {
        secret: Some("sk_test_secret".to_owned()),
        webhooks: WebhookSettings::new(HOOKS),
        ..Settings::default()
    });
    let mut user = request("PUT", "/users/alice", &json!({ "name": "Alice" }));
    let headers = user.headers_mut();
    headers.insert("authorization", "Bearer sk_test_secret".parse().unwrap());
    assert_eq!(world.http(user).0, 200);
    let (_, request) = world.take_webhook();
    let http = request.to_http().unwrap();
    assert_eq!(
        (http.method().as_str(), http.uri().to_string()),
        ("POST", HOOKS.to_owned())
    );
    let header = |name: &str| http.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/json");
    let timestamp = header("x-talkjs-timestamp");
    assert_eq!(timestamp, world.now().to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(b"sk_test_secret").unwrap();
    mac.update(format!("{timestamp}.{}", request.body).as_bytes());
    let signature = HEXUPPER.encode(&mac.finalize().into_bytes());
    assert_eq!(header("x-talkjs-signature"), signature);
    assert_eq!(http.body(), &request.body);
}

#[test]
fn key_of_webhooks_replaces_secret() {
    let signature = |secret: &str, key: Option<&str>| {
        let mut webhooks = WebhookSettings::new(HOOKS);
        webhooks.secret = key.map(str::to_owned);
        let mut world = World::with(Settings {
            webhooks,
            ..Settings::default()
        });
        world.provision(&["alice"]);
        let settings = Settings {
            secret: Some(secret.to_owned()),
            ..world.server.settings().clone()
        };
        let (attempt, _) = world.take_webhook();
        world.server.set_settings(world.time(), settings);
        world.answer_webhook(attempt, 200);
        let id = last(&world).id.clone();
        assert!(world.server.resend_webhook(world.time(), &id));
        world.drain();
        world.take_webhook().1.signature
    };
    assert_eq!(signature("b", Some("a")), signature("a", None));
    assert_ne!(signature("b", Some("a")), signature("b", None));
}

#[test]
fn events_of_conversation_wait_for_each_other() {
    let (mut world, alice) = world();
    for text in ["1", "2"] {
        world.say(alice, "c", text);
    }
    world.ok(alice, "POST", "/conversations/d", json!({}));
    world.add(alice, "d", &["alice"]);
    world.say(alice, "d", "other");
    let sent = world.take_webhooks();
    assert_eq!(texts(&sent), ["1", "other"]);
    world.answer_webhook(sent[0].0, 200);
    assert_eq!(texts(&world.take_webhooks()), ["2"]);
}

#[test]
fn failed_attempt_is_retried_once_after_a_second() {
    for status in [201, 204, 301, 400, 500] {
        let (mut world, alice) = world();
        for text in ["1", "2"] {
            world.say(alice, "c", text);
        }
        let (attempt, first) = world.take_webhook();
        world.answer_webhook(attempt, status);
        world.wait(999);
        assert_eq!(world.take_webhooks(), [], "{status}");
        world.wait(1);
        let (attempt, retry) = world.take_webhook();
        // The body is the same, the time and the signature are new.
        assert_eq!(retry.body, first.body);
        assert_ne!(retry.timestamp, first.timestamp);
        assert_ne!(retry.signature, first.signature);
        world.answer_webhook(attempt, status);
        // The next event follows at once, and the failed one is dropped.
        assert_eq!(text(&world.take_webhook().1), "2");
        world.wait(60_000);
        let failed = world
            .server
            .webhooks()
            .find(|it| it.state == WebhookState::Failed);
        let statuses: Vec<_> = failed
            .unwrap()
            .attempts
            .iter()
            .map(|it| it.status)
            .collect();
        assert_eq!(statuses, [Some(status); 2]);
    }
}

#[test]
fn unanswered_attempt_is_cancelled_after_5_seconds() {
    let (mut world, alice) = world();
    world.say(alice, "c", "1");
    let (attempt, _) = world.take_webhook();
    world.wait(4999);
    assert_eq!(world.cancelled, []);
    world.wait(1);
    assert_eq!(world.cancelled, [attempt]);
    // A late answer is ignored.
    world.answer_webhook(attempt, 200);
    assert_eq!(last(&world).state, WebhookState::Pending);
    world.wait(1000);
    let (attempt, _) = world.take_webhook();
    world.answer_webhook(attempt, 200);
    let delivery = last(&world);
    assert_eq!(delivery.state, WebhookState::Delivered);
    let error = delivery.attempts[0].error.as_deref().unwrap();
    assert!(error.contains("5 s"), "{error}");
    let ended = delivery.attempts[0].ended_at.unwrap();
    let took = ended.saturating_since(delivery.attempts[0].at);
    assert_eq!(took.as_millis(), 5000);
    world.wait(60_000);
    assert_eq!(world.take_webhooks(), []);
}

#[test]
fn connection_error_counts_as_failure() {
    let (mut world, alice) = world();
    world.say(alice, "c", "1");
    for _ in 0..2 {
        let (attempt, _) = world.take_webhook();
        let refused = Err("connection refused".to_owned());
        world
            .server
            .webhook_answered(world.time(), attempt, refused);
        world.drain();
        world.wait(1000);
    }
    assert_eq!(last(&world).state, WebhookState::Failed);
    let error = last(&world).attempts[1].error.as_deref();
    assert_eq!(error, Some("connection refused"));
    assert_eq!(world.take_webhooks(), []);
}

#[test]
fn attempts_in_flight_are_limited() {
    let mut world = World::hooked();
    let users: Vec<String> = (0..40).map(|at| format!("user-{at}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    world.provision(&users);
    let sent = world.take_webhooks();
    assert_eq!(sent.len(), 16);
    world.answer_webhook(sent[3].0, 200);
    assert_eq!(world.take_webhooks().len(), 1);
}

#[test]
fn pending_events_survive_restart() {
    let (mut world, alice) = world();
    for text in ["1", "2", "3"] {
        world.say(alice, "c", text);
    }
    let (attempt, first) = world.take_webhook();
    world.answer_webhook(attempt, 500);
    world.wait(1000);
    world.take_webhook();
    // The retry is in flight. It did not end, so it does not count.
    world.restart();
    let (attempt, again) = world.take_webhook();
    assert_eq!(again.body, first.body);
    assert_eq!(
        last(&world).created_at.as_millis(),
        i64::try_from(world.now()).unwrap() - 1000
    );
    world.answer_webhook(attempt, 200);
    let delivered: Vec<Value> = world.deliver();
    let texts: Vec<_> = delivered
        .iter()
        .map(|it| it["data"]["message"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["2", "3"]);
    world.restart();
    assert_eq!(world.take_webhooks(), []);
    let states = world.server.webhooks().map(|it| it.state);
    assert!(
        states
            .into_iter()
            .all(|state| state == WebhookState::Delivered)
    );
}

#[test]
fn pending_events_wait_for_an_address() {
    let (mut world, alice) = world();
    world.say(alice, "c", "1");
    let (attempt, _) = world.take_webhook();
    let on = world.server.settings().clone();
    world.server.set_settings(world.time(), Settings::default());
    world.answer_webhook(attempt, 500);
    world.wait(60_000);
    assert_eq!(world.take_webhooks(), []);
    world.server.set_settings(world.time(), on);
    world.drain();
    assert_eq!(text(&world.take_webhook().1), "1");
}

#[test]
fn resend_repeats_id_and_body_at_the_end() {
    let (mut world, alice) = world();
    world.say(alice, "c", "1");
    let (attempt, first) = world.take_webhook();
    world.answer_webhook(attempt, 200);
    let id = last(&world).id.clone();
    world.say(alice, "c", "2");
    world.wait(10);
    assert!(world.server.resend_webhook(world.time(), &id));
    // A webhook that is pending already is not queued twice.
    assert!(world.server.resend_webhook(world.time(), &id));
    assert!(!world.server.resend_webhook(world.time(), "evt_unknown"));
    world.drain();
    let (attempt, request) = world.take_webhook();
    assert_eq!(text(&request), "2");
    world.answer_webhook(attempt, 200);
    let (attempt, resent) = world.take_webhook();
    assert_eq!(resent.body, first.body);
    assert_ne!(resent.signature, first.signature);
    // It has as many attempts as a new event.
    world.answer_webhook(attempt, 500);
    world.wait(1000);
    let (attempt, _) = world.take_webhook();
    world.answer_webhook(attempt, 200);
    let resent = world.server.webhook(&id).unwrap();
    assert_eq!(resent.state, WebhookState::Delivered);
    assert_eq!(resent.attempts.len(), 3);
    assert_eq!(world.take_webhooks(), []);
}

#[test]
fn log_keeps_1000_finished_deliveries() {
    let (mut world, alice) = world();
    let before: Vec<String> = world.server.webhooks().map(|it| it.id.clone()).collect();
    for at in 0..1010 {
        world.say(alice, "c", &at.to_string());
        world.deliver();
    }
    assert_eq!(world.server.webhooks().count(), 1000);
    for id in &before {
        assert!(world.server.webhook(id).is_none());
        assert!(!world.server.resend_webhook(world.time(), id));
    }
    world.restart();
    assert_eq!(world.server.webhooks().count(), 1000);
}

#[test]
fn debug_output_hides_texts_and_keys() {
    let (mut world, alice) = world();
    world.say(alice, "c", "precious");
    let (attempt, request) = world.take_webhook();
    world.answer_webhook(attempt, 200);
    let mut settings = WebhookSettings::new("http://127.0.0.1/?precious");
    settings.secret = Some("precious".to_owned());
    let shown = format!("{:?} {request:?} {settings:?}", last(&world));
    assert!(!shown.contains("precious"), "{shown}");
}

#[test]
fn advanced_clock_leaves_timestamps_of_webhooks() {
    let mut world = World::hooked();
    let before = world.now();
    world.server.set_ahead(std::time::Duration::from_secs(3600));
    world.wait(3_600_000);
    world.provision(&["alice"]);
    let (_, webhook) = world.take_webhook();
    assert_eq!(webhook.timestamp, before.to_string());
}
