use futures_executor::block_on;
use serde_json::{Value, json};
use talk_emulator::Emulator;

use crate::support::Rpc;

/// Starts a session as Alice in a conversation with Bob and this number of messages.
fn alice(emulator: &Emulator, messages: usize) -> Rpc {
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("user.set", json!(["alice", {"name": "Alice"}]));
    rpc.result("user.set", json!(["bob", {"name": "Bob"}]));
    rpc.result("conversation.createIfNotExists", json!(["c1"]));
    rpc.result("participant.createIfNotExists", json!(["c1", "bob"]));
    for index in 0..messages {
        let text = format!("message {index}");
        rpc.result("conversation.send", json!(["c1", text]));
    }
    rpc
}

fn snapshot(rpc: &mut Rpc, subscription: &Value, fits: impl Fn(&Value) -> bool) -> Value {
    rpc.wait_for(|line| {
        line["subscription"] == *subscription && line.get("snapshot").is_some_and(&fits)
    })
}

#[test]
fn subscription_shows_changes_of_other_sessions() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut alice = alice(&emulator, 0);
    let mut bob = Rpc::start(emulator.host(), "bob", &[]);
    let messages = bob.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let empty = snapshot(&mut bob, &messages, |_| true);
    assert_eq!(
        empty,
        json!({"subscription": messages, "snapshot": [], "loadedAll": true})
    );

    let sent = alice.result("conversation.send", json!(["c1", "hi *Bob*"]));
    let line = snapshot(&mut bob, &messages, |snapshot| snapshot[0].is_object());
    let message = &line["snapshot"][0];
    assert_eq!(message["id"], sent["messageRef"]);
    assert_eq!(message["plaintext"], "hi Bob");
    assert_eq!(message["sender"]["name"], "Alice");
    for absent in ["editedAt", "referencedMessage"] {
        assert_eq!(message.get(absent), Some(&Value::Null), "{absent}");
    }
}

#[test]
fn subscription_absent_entity_is_null() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator, 0);
    for (call, args, loaded_all) in [
        ("user.subscribe", json!(["nobody"]), None),
        ("conversation.subscribe", json!(["nowhere"]), None),
        (
            "conversation.subscribeMessages",
            json!(["nowhere"]),
            Some(true),
        ),
    ] {
        let number = rpc.subscribe(call, args);
        let line = snapshot(&mut rpc, &number, |_| true);
        assert_eq!(line["snapshot"], Value::Null);
        assert_eq!(line.get("loadedAll"), loaded_all.map(Value::from).as_ref());
    }
}

#[test]
fn rpc_load_more_is_answered_after_snapshot() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator, 40);
    let number = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let line = snapshot(&mut rpc, &number, |_| true);
    assert_eq!(line["snapshot"].as_array().unwrap().len(), 30);
    assert_eq!(line["loadedAll"], false);

    rpc.send(1, "subscription.loadMore", json!([number, 5]));
    let line = rpc.wait_for(|line| line.get("snapshot").is_some() || line["id"] == 1);
    assert_eq!(line["snapshot"].as_array().unwrap().len(), 35);
    assert_eq!(rpc.wait("id", 1)["result"], Value::Null);

    let line = rpc.call("subscription.loadMore", json!([number, 1000]));
    assert_eq!(line["error"]["kind"], "usage");
    rpc.send(2, "subscription.loadMore", json!([number]));
    let line = snapshot(&mut rpc, &number, |_| true);
    assert_eq!(line["snapshot"].as_array().unwrap().len(), 40);
    assert_eq!(line["loadedAll"], true);
    rpc.wait("id", 2);

    let user = rpc.subscribe("user.subscribe", json!(["bob"]));
    let line = rpc.call("subscription.loadMore", json!([user]));
    assert_eq!(line["error"]["kind"], "usage");
}

#[test]
fn subscription_end_is_reported_once() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator, 0);
    let user = rpc.subscribe("user.subscribe", json!(["bob"]));
    snapshot(&mut rpc, &user, |_| true);
    let other = rpc.subscribe("user.subscribe", json!(["alice"]));
    snapshot(&mut rpc, &other, |_| true);

    rpc.send(1, "subscription.unsubscribe", json!([user]));
    let ended = rpc.wait_for(|line| line.get("ended").is_some());
    assert_eq!(
        ended,
        json!({"subscription": user, "ended": "unsubscribed"})
    );
    // Unsubscribing again does nothing. Loading more of an ended subscription is an error.
    assert_eq!(
        rpc.result("subscription.unsubscribe", json!([user])),
        Value::Null
    );
    let line = rpc.call("subscription.loadMore", json!([user]));
    assert_eq!(line["error"]["kind"], "usage");
    rpc.result("user.set", json!(["bob", {"name": "Robert"}]));

    rpc.end_input();
    let (lines, exit_code) = rpc.exit();
    assert_eq!(exit_code, Some(0));
    assert_eq!(
        lines,
        [json!({"subscription": other, "ended": "unsubscribed"})]
    );
}

#[test]
fn rpc_end_of_input_waits_for_first_snapshots() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator, 0);
    rpc.send(1, "user.subscribe", json!(["bob"]));
    rpc.end_input();
    let (lines, _) = rpc.exit();
    let number = &lines[0]["result"]["subscription"];
    assert_eq!(lines[1]["subscription"], *number);
    assert_eq!(lines[1]["snapshot"]["name"], "Bob");
    assert_eq!(
        lines[2],
        json!({"subscription": number, "ended": "unsubscribed"})
    );
}

#[test]
fn consecutive_snapshots_differ() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator, 1);
    let number = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let mut last = snapshot(&mut rpc, &number, |_| true);
    for index in 0..20 {
        rpc.send(
            index,
            "user.set",
            json!(["alice", {"name": format!("Alice {}", index / 2)}]),
        );
    }
    rpc.send("done", "session.networkChanged", json!([]));
    rpc.send(
        "last",
        "user.set",
        json!(["alice", {"name": "Alice at last"}]),
    );
    loop {
        let line = snapshot(&mut rpc, &number, |_| true);
        assert_ne!(line, last);
        if line["snapshot"][0]["sender"]["name"] == "Alice at last" {
            break;
        }
        last = line;
    }
}

#[test]
fn every_subscription_shows_its_entity() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut alice = alice(&emulator, 0);
    let sent = alice.result("conversation.send", json!(["c1", "hi"]));
    let message = sent["messageRef"].as_str().unwrap();
    let mut bob = Rpc::start(emulator.host(), "bob", &[]);

    let typing = alice.subscribe("conversation.subscribeTyping", json!(["c1"]));
    snapshot(&mut alice, &typing, |typing| {
        *typing == json!({"many": false, "users": []})
    });
    bob.result("conversation.markAsTyping", json!(["c1"]));
    let line = snapshot(&mut alice, &typing, |typing| typing["users"][0].is_object());
    assert_eq!(line["snapshot"]["users"][0]["id"], "bob");
    assert_eq!(line.get("loadedAll"), None);

    let online = alice.subscribe("user.subscribeOnline", json!(["bob"]));
    let line = snapshot(&mut alice, &online, |_| true);
    assert_eq!(line["snapshot"]["isConnected"], true);
    assert_eq!(line["snapshot"]["user"]["name"], "Bob");

    let people = alice.subscribe("conversation.subscribeParticipants", json!(["c1"]));
    let line = snapshot(&mut alice, &people, |_| true);
    assert_eq!(line["snapshot"][0]["user"]["id"], "bob");
    assert_eq!(line["loadedAll"], true);

    let person = alice.subscribe("participant.subscribe", json!(["c1", "bob"]));
    let line = snapshot(&mut alice, &person, |_| true);
    assert_eq!(line["snapshot"]["access"], "ReadWrite");

    let thumbs = alice.subscribe("reactions.subscribe", json!(["c1", message, "👍"]));
    snapshot(&mut alice, &thumbs, |thumbs| *thumbs == json!([]));
    bob.result("reactions.add", json!(["c1", message, "👍"]));
    let line = snapshot(&mut alice, &thumbs, |thumbs| thumbs[0].is_object());
    assert_eq!(line["snapshot"][0]["user"]["name"], "Bob");
    assert_eq!(line["loadedAll"], true);
    let first = alice.result("reactions.getFirstReactions", json!(["c1", message, "👍"]));
    assert_eq!(first, line["snapshot"]);
}

#[test]
fn conversation_list_is_live_and_filtered() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator, 1);
    for index in 0..21 {
        let custom = json!({"custom": {"state": "new"}});
        let id = format!("new{index}");
        rpc.result("conversation.set", json!([id, custom]));
    }
    let list = rpc.subscribe("session.subscribeConversations", json!([]));
    let line = snapshot(&mut rpc, &list, |_| true);
    assert_eq!(line["snapshot"].as_array().unwrap().len(), 20);
    assert_eq!(line["snapshot"][0]["id"], "new20");
    assert_eq!(line["loadedAll"], false);
    rpc.send(1, "subscription.loadMore", json!([list, 30]));
    let line = snapshot(&mut rpc, &list, |_| true);
    assert_eq!(
        line["snapshot"][21]["lastMessage"]["plaintext"],
        "message 0"
    );
    assert_eq!(line["loadedAll"], true);
    assert_eq!(rpc.wait("id", 1)["result"], Value::Null);
    let line = rpc.call("subscription.loadMore", json!([list, 31]));
    assert_eq!(line["error"]["kind"], "usage");
    rpc.result("subscription.unsubscribe", json!([list]));

    let filter = json!({"custom": {"state": ["!=", "new"]}});
    let others = rpc.subscribe(
        "session.subscribeConversations",
        json!([{"filter": filter}]),
    );
    let line = snapshot(&mut rpc, &others, |_| true);
    assert_eq!(line["snapshot"][0]["id"], "c1");
    assert_eq!(line["snapshot"].as_array().unwrap().len(), 1);
    let old = json!({"custom": {"state": "old"}});
    rpc.send("old", "conversation.set", json!(["new7", old]));
    let line = snapshot(&mut rpc, &others, |list| list[1].is_object());
    assert_eq!(line["snapshot"][0]["id"], "new7");

    for args in [
        json!([]),
        json!([null]),
        json!([{}]),
        json!([{"filter": null}]),
    ] {
        rpc.subscribe("session.subscribeConversations", args);
    }
    for bad in [
        json!(["all"]),
        json!([{"fliter": {}}]),
        json!([{"filter": "unread"}]),
        json!([{"filter": {"isUnread": null}}]),
        json!([{"filter": {"hasUnread": true}}]),
        json!([{"filter": ["all", [{}]]}]),
        json!([{"filter": {"createdAt": [">", "1"]}}]),
        json!([{"filter": {}}, 1]),
    ] {
        let line = rpc.call("session.subscribeConversations", bad.clone());
        assert_eq!(line["error"]["kind"], "usage", "{bad}");
    }
    let mut nobody = Rpc::start(emulator.host(), "nobody", &[]);
    let list = nobody.subscribe("session.subscribeConversations", json!([]));
    let line = snapshot(&mut nobody, &list, |_| true);
    assert_eq!(
        line,
        json!({"subscription": list, "snapshot": [], "loadedAll": true})
    );
}

#[test]
fn window_losing_its_range_has_a_gap() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator, 1);
    let number = rpc.subscribe("conversation.subscribeMessages", json!(["c1"]));
    let line = snapshot(&mut rpc, &number, |_| true);
    assert_eq!(line.get("gap"), None);

    emulator.refuse_connections(true);
    block_on(emulator.drop_connections()).unwrap();
    // More messages than a refetch covers.
    for n in 0..2_100 {
        block_on(emulator.post_system_message("app", "c1", &n.to_string())).unwrap();
    }
    emulator.refuse_connections(false);
    // The newest messages may be visible before the gap is known.
    let line = rpc.wait_for(|line| line["subscription"] == number && line["gap"] == true);
    assert_eq!(line["loadedAll"], false);
    assert_eq!(line["snapshot"][0]["plaintext"], "2099");

    rpc.send("later", "conversation.send", json!(["c1", "later"]));
    let line = snapshot(&mut rpc, &number, |snapshot| {
        snapshot[0]["plaintext"] == "later"
    });
    assert_eq!(line.get("gap"), None);
}
