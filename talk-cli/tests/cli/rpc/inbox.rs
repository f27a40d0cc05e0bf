use serde_json::{Value, json};
use talk_emulator::{Emulator, Seed};

use crate::support::Rpc;

fn emulator() -> Emulator {
    let seed = Seed::new("app")
        .user("bot", "Bot")
        .user("bob", "Bob")
        .conversation("c1", ["bot", "bob"])
        .conversation("c2", ["bot", "bob"]);
    Emulator::builder()
        .initial_data(seed)
        .start_blocking()
        .unwrap()
}

fn ask(emulator: &Emulator, conversation: &str, text: &str) {
    let mut bob = Rpc::start(emulator.host(), "bob", &[]);
    bob.result("conversation.send", json!([conversation, text]));
}

fn open(rpc: &mut Rpc, args: Value) -> Value {
    let number = rpc.result("session.inbox", args)["inbox"].clone();
    assert!(number.is_u64(), "{number}");
    number
}

/// Returns the next delivery of an inbox.
fn delivery(rpc: &mut Rpc, inbox: &Value) -> Value {
    rpc.wait_for(|line| line["inbox"] == *inbox && line.get("delivery").is_some())
}

#[test]
fn deliveries_have_their_conversation_and_message() {
    let emulator = emulator();
    ask(&emulator, "c1", "early");
    let mut rpc = Rpc::start(emulator.host(), "bot", &[]);
    let inbox = open(&mut rpc, json!(["in"]));
    ask(&emulator, "c1", "one");
    let first = delivery(&mut rpc, &inbox);
    assert_eq!(first["conversation"], "c1");
    assert_eq!(first["message"]["plaintext"], "one");
    assert_eq!(first["message"]["sender"]["name"], "Bob");
    ask(&emulator, "c2", "two");
    let second = delivery(&mut rpc, &inbox);
    assert_eq!(second["conversation"], "c2");
    assert_ne!(first["delivery"], second["delivery"]);
    for delivered in [first, second] {
        let args = json!([inbox, delivered["delivery"]]);
        assert_eq!(rpc.result("inbox.ack", args.clone()), Value::Null);
        let again = rpc.call("inbox.ack", args);
        assert_eq!(again["error"]["code"], "UNKNOWN_DELIVERY", "{again}");
    }
    rpc.send("close", "inbox.close", json!([inbox]));
    // The lines arrive in any order.
    for _ in 0..2 {
        rpc.wait_for(|line| line["id"] == "close" || line["ended"] == "closed");
    }
    rpc.result("inbox.close", json!([inbox]));
}

#[test]
fn unacknowledged_delivery_comes_again_after_a_restart() {
    let emulator = emulator();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.talk");
    let store = ["--store", store.to_str().unwrap()];
    for text in ["one", "two", "three"] {
        ask(&emulator, "c1", text);
    }
    let args = json!(["in", {"start": "beginning", "conversation": "c1"}]);
    let mut rpc = Rpc::start(emulator.host(), "bot", &store);
    let inbox = open(&mut rpc, args.clone());
    let first = delivery(&mut rpc, &inbox);
    let second = delivery(&mut rpc, &inbox);
    rpc.result("inbox.ack", json!([inbox, first["delivery"]]));
    let answer = json!(["c1", "re two", {"ack": [inbox, second["delivery"]]}]);
    let entry = rpc.result("conversation.enqueue", answer)["entry"].clone();
    drop(rpc);

    let mut rpc = Rpc::start(emulator.host(), "bot", &store);
    rpc.result("outbox.sent", json!([entry]));
    let inbox = open(&mut rpc, args);
    let third = delivery(&mut rpc, &inbox);
    assert_eq!(third["message"]["plaintext"], "three");
    rpc.result("inbox.ack", json!([inbox, third["delivery"]]));
    rpc.end_input();
    let (lines, exit_code) = rpc.exit();
    assert!(lines.iter().any(|line| line["ended"] == "closed"));
    assert_eq!(exit_code, Some(0));
}

#[test]
fn options_select_messages() {
    let emulator = emulator();
    let mut rpc = Rpc::start(emulator.host(), "bot", &[]);
    rpc.result("conversation.set", json!(["c2", {"subject": "Help"}]));
    rpc.result("conversation.send", json!(["c2", "own"]));
    ask(&emulator, "c1", "one");
    ask(&emulator, "c2", "two");
    let filter = json!({"subject": ["==", "Help"]});
    // Some languages write every number as a float.
    let args = json!(["in", {"start": 0.0, "filter": filter, "own": true, "maxUnacked": 8.0}]);
    let inbox = open(&mut rpc, args);
    for text in ["own", "two"] {
        let delivered = delivery(&mut rpc, &inbox);
        assert_eq!(delivered["message"]["plaintext"], text);
    }
}

#[test]
fn max_unacked_limits_the_deliveries_of_a_conversation() {
    let emulator = emulator();
    for text in ["one", "two", "three", "four", "five"] {
        ask(&emulator, "c1", text);
    }
    let mut rpc = Rpc::start(emulator.host(), "bot", &[]);
    let args = json!(["in", {"start": "beginning", "maxUnacked": 3}]);
    let inbox = open(&mut rpc, args);
    let out: Vec<_> = (0..3).map(|_| delivery(&mut rpc, &inbox)).collect();
    assert_eq!(out[2]["message"]["plaintext"], "three");
    rpc.result("inbox.ack", json!([inbox, out[0]["delivery"]]));
    let next = delivery(&mut rpc, &inbox);
    assert_eq!(next["message"]["plaintext"], "four");
    rpc.end_input();
    let (lines, _) = rpc.exit();
    assert!(
        lines
            .iter()
            .all(|line| line["message"]["plaintext"] != "five")
    );
}

#[test]
fn misuse_is_a_usage_error() {
    let emulator = emulator();
    ask(&emulator, "c1", "one");
    let mut rpc = Rpc::start(emulator.host(), "bot", &[]);
    let inbox = open(&mut rpc, json!(["in", {"start": "beginning"}]));
    let delivered = delivery(&mut rpc, &inbox);
    let ack = json!({"ack": [inbox, delivered["delivery"]]});
    let bad = [
        ("session.inbox", json!([]), "INVALID_ARGUMENTS"),
        ("session.inbox", json!([""]), "INVALID_ARGUMENTS"),
        ("session.inbox", json!(["in"]), "INBOX_OPEN"),
        (
            "session.inbox",
            json!(["x", {"start": "then"}]),
            "INVALID_ARGUMENTS",
        ),
        (
            "session.inbox",
            json!(["x", {"began": 1}]),
            "INVALID_ARGUMENTS",
        ),
        (
            "session.inbox",
            json!(["x", {"filter": {"isUnread": true}}]),
            "INVALID_ARGUMENTS",
        ),
        ("inbox.ack", json!([inbox]), "INVALID_ARGUMENTS"),
        ("inbox.ack", json!([inbox, 99]), "UNKNOWN_DELIVERY"),
        ("inbox.ack", json!([99, 1]), "UNKNOWN_SUBSCRIPTION"),
        ("inbox.close", json!([99]), "UNKNOWN_SUBSCRIPTION"),
        (
            "conversation.enqueue",
            json!(["c2", "no", ack]),
            "INVALID_ARGUMENTS",
        ),
        (
            "conversation.enqueue",
            json!(["c1", "no", {"ack": [inbox, 99]}]),
            "UNKNOWN_DELIVERY",
        ),
    ];
    for (call, args, code) in bad {
        let answer = rpc.call(call, args);
        assert_eq!(answer["error"]["kind"], "usage", "{answer}");
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
}

#[test]
fn opening_can_be_cancelled() {
    let emulator = emulator();
    emulator.refuse_connections(true);
    let mut rpc = Rpc::start(emulator.host(), "bot", &[]);
    rpc.send("opens", "session.inbox", json!(["in"]));
    rpc.send("cancel", "cancel", json!(["opens"]));
    // The answers arrive in any order.
    for _ in 0..2 {
        let line = rpc.wait_for(|line| line["id"] == "opens" || line["id"] == "cancel");
        match line["id"] == "opens" {
            true => assert_eq!(line["error"]["code"], "CANCELLED"),
            false => assert_eq!(line["result"], Value::Null),
        }
    }
    emulator.refuse_connections(false);
    rpc.result("session.networkChanged", json!([]));
    open(&mut rpc, json!(["in"]));
}

#[test]
fn closed_inbox_delivers_nothing_after_the_answer() {
    let emulator = emulator();
    let mut bob = Rpc::start(emulator.host(), "bob", &[]);
    for text in 0..100 {
        bob.result("conversation.send", json!(["c1", text.to_string()]));
    }
    let mut rpc = Rpc::start(emulator.host(), "bot", &[]);
    let inbox = open(&mut rpc, json!(["in", {"start": "beginning"}]));
    delivery(&mut rpc, &inbox);
    rpc.send("close", "inbox.close", json!([inbox]));
    let is_answered = std::cell::Cell::new(false);
    rpc.wait_for(|line| {
        is_answered.set(is_answered.get() || line["id"] == "close");
        let is_late = is_answered.get() && line.get("delivery").is_some();
        assert!(!is_late, "{line}");
        line["ended"] == "closed"
    });
}
