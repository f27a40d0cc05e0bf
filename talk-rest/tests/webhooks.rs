//! Verification of webhooks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::time::Duration;

use serde_json::{Value, json};
use talk_rest::webhook::{self, Event, EventData, Rejected, SeenEvents};
use talk_rest::{Secret, Timestamp};

const KEY: &str = "sk_test_secret";
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn receive_at(timestamp: &str, body: &str, tolerance: Option<Duration>) -> Result<Event, Rejected> {
    let signature = webhook::sign(&KEY.into(), timestamp.as_bytes(), body.as_bytes());
    webhook::verify(
        &[Secret::from("sk_test_other"), Secret::from(KEY)],
        Some(timestamp.as_bytes()),
        Some(signature.as_bytes()),
        body.as_bytes(),
        NOW,
        tolerance,
    )
}

fn receive(body: &Value) -> Result<Event, Rejected> {
    receive_at(
        "1767225600000",
        &body.to_string(),
        Some(webhook::DEFAULT_TOLERANCE),
    )
}

#[test]
fn checks_run_in_order() {
    let body = b"{}";
    let good = webhook::sign(&KEY.into(), b"1767225600000", body).into_bytes();
    let verify = |timestamp: Option<&[u8]>, signature: Option<&[u8]>| {
        let keys = [Secret::from(KEY)];
        let tolerance = Some(webhook::DEFAULT_TOLERANCE);
        webhook::verify(&keys, timestamp, signature, body, NOW, tolerance).unwrap_err()
    };
    let missing = |name| Rejected::MissingHeader { name };
    let at: &[u8] = b"1767225600000";
    assert_eq!(verify(None, None), missing("x-talkjs-timestamp"));
    assert_eq!(verify(Some(at), None), missing("x-talkjs-signature"));
    for malformed in [
        &b""[..],
        b"zz",
        &good[..62],
        &[&good[..], b"00"].concat(),
        &[b'g'; 64],
    ] {
        assert_eq!(
            verify(Some(at), Some(malformed)),
            Rejected::MalformedSignature
        );
    }
    assert_eq!(
        verify(Some(at), Some(&[b'0'; 64])),
        Rejected::WrongSignature
    );
    let body = verify(Some(at), Some(&good));
    assert!(matches!(body, Rejected::MalformedBody { .. }), "{body:?}");
    let none = webhook::verify(&[], Some(at), Some(&good), b"{}", NOW, None);
    assert_eq!(none, Err(Rejected::WrongSignature));
}

#[test]
fn signature_of_empty_key_is_rejected() {
    let (at, body) = (b"1767225600000", br#"{"type":"x"}"#);
    let verify = |signer: &str| {
        let signature = webhook::sign(&signer.into(), at, body);
        let keys = [Secret::from(""), Secret::from(KEY)];
        webhook::verify(&keys, Some(at), Some(signature.as_bytes()), body, NOW, None)
    };
    assert_eq!(verify("").unwrap_err(), Rejected::WrongSignature);
    assert!(verify(KEY).is_ok());
}

#[test]
fn timestamp_has_tolerance_in_both_directions() {
    let body = r#"{"type":"x"}"#;
    let receive = |timestamp: &str| receive_at(timestamp, body, Some(Duration::from_secs(300)));
    for fresh in [
        "1767225600000",
        "1767225300000",
        "1767225900000",
        "1767225600",
        "1767225600.5",
    ] {
        assert!(receive(fresh).is_ok(), "{fresh}");
    }
    for stale in [
        "1767225299999",
        "1767225900001",
        "1767225299",
        "0",
        "-5",
        "1e300",
    ] {
        let result = receive(stale);
        assert!(
            matches!(result, Err(Rejected::Stale { .. })),
            "{stale}: {result:?}"
        );
        assert!(receive_at(stale, body, None).is_ok());
    }
    for malformed in ["", "now", "NaN", "inf"] {
        assert_eq!(
            receive(malformed),
            Err(Rejected::MalformedTimestamp),
            "{malformed}"
        );
        let untimed = receive_at(malformed, body, None);
        assert_eq!(untimed, Err(Rejected::MalformedTimestamp));
    }
}

#[test]
fn created_at_is_read_in_every_form() {
    for (json, expected) in [
        (json!(1_767_225_600_000_i64), Some(NOW)),
        (json!("1767225600000"), Some(NOW)),
        (json!("2026-01-01T00:00:00Z"), Some(NOW)),
        (json!("2026-01-01T01:00:00.000+01:00"), Some(NOW)),
        (json!("yesterday"), None),
        (json!(null), None),
        (json!([]), None),
    ] {
        let event = receive(&json!({ "type": "x", "createdAt": json })).unwrap();
        assert_eq!(event.created_at, expected, "{json}");
        assert_eq!(
            event.unknown_fields.is_empty(),
            expected.is_some(),
            "{json}"
        );
    }
}

#[test]
fn unknown_and_unreadable_events_are_kept() {
    let data = json!({ "messageId": "m" });
    let event = receive(&json!({ "id": 7, "type": "notification.sent", "data": data })).unwrap();
    assert_eq!(event.id.as_deref(), Some("7"));
    let other = |event: Event| match event.data {
        EventData::Other { event_type, data } => (event_type, data.value().clone()),
        known => panic!("{known:?}"),
    };
    assert_eq!(other(event), ("notification.sent".to_owned(), data));
    let event = receive(&json!({ "type": "message.sent", "data": { "message": 7 } })).unwrap();
    assert_eq!(other(event).0, "message.sent");
    let event = receive(&json!({ "type": "user.created" })).unwrap();
    assert_eq!(other(event).1, Value::Null);
    for malformed in [json!([]), json!({ "id": "e" }), json!({ "type": 7 })] {
        let result = receive(&malformed);
        assert!(
            matches!(result, Err(Rejected::MalformedBody { .. })),
            "{malformed}"
        );
    }
    let broken = receive_at("1767225600000", "{", None);
    assert!(matches!(broken, Err(Rejected::MalformedBody { .. })));
}

#[test]
fn notification_and_sparse_events_are_read() {
    let data = json!({
        "notificationId": "ntf_1", "recipient": { "id": "bob" }, "sender": { "id": "alice" },
        "conversation": { "id": "order_1" }, "messages": [{ "id": "msg_b1" }],
    });
    let event = receive(&json!({ "type": "notification.triggered", "data": data })).unwrap();
    let EventData::NotificationTriggered(notification) = event.data else {
        panic!("{event:?}");
    };
    assert_eq!(notification.messages[0].id, "msg_b1");
    let data = json!({ "message": { "id": "msg_b1" }, "isNew": true });
    let event = receive(&json!({ "type": "message.sent", "data": data, "v": 2 })).unwrap();
    assert_eq!(event.unknown_fields.get("v"), Some(&json!(2)));
    let EventData::MessageSent(sent) = event.data else {
        panic!("{event:?}");
    };
    assert!(sent.sender.is_none() && sent.mentioned_user_ids.is_empty());
    assert_eq!(sent.unknown_fields.get("isNew"), Some(&json!(true)));
}

#[test]
fn seen_events_forget_the_oldest() {
    let event = |id: u32| receive(&json!({ "id": id.to_string(), "type": "x" })).unwrap();
    let mut seen = SeenEvents::new(2);
    assert!(seen.insert(&event(1)));
    assert!(seen.insert(&event(2)));
    assert!(!seen.insert(&event(1)));
    assert!(seen.contains(&event(1)) && !seen.contains(&event(3)));
    assert!(seen.insert(&event(3)));
    assert!(!seen.insert(&event(2)));
    assert!(seen.insert(&event(1)), "it was the oldest");
    let nameless = receive(&json!({ "type": "x" })).unwrap();
    assert!(seen.insert(&nameless) && seen.insert(&nameless));
}
