use std::net::TcpListener;

use futures_executor::block_on;
use serde_json::{Value, json};
use talk_emulator::Emulator;

use crate::peer::Peer;
use crate::support::Rpc;

fn alice(emulator: &Emulator) -> Rpc {
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.result("user.set", json!(["alice", {"name": "Alice"}]));
    rpc.result("conversation.createIfNotExists", json!(["c1", null]));
    rpc
}

#[test]
fn rpc_answers_have_the_ids_of_their_calls() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    assert_eq!(
        rpc.result("conversation.markAsTyping", json!(["c1"])),
        Value::Null
    );
    let sent = rpc.result("conversation.send", json!(["c1", {"text": "hi *you*"}]));
    let message = sent["messageRef"].as_str().unwrap().to_owned();
    assert!(message.starts_with("msg_"), "{message}");
    assert_eq!(
        rpc.result("message.edit", json!(["c1", message, "ho"])),
        Value::Null
    );

    rpc.send(
        json!({"any": ["json", 1.5, null]}),
        "message.delete",
        json!(["c1", message]),
    );
    rpc.wait("id", json!({"any": ["json", 1.5, null]}));
    rpc.write(&format!(
        "{}\n",
        r#"{"id":   "\u00e9"  , "call": "session.networkChanged"}"#
    ));
    assert_eq!(rpc.wait("id", "é"), json!({"id": "é", "result": null}));
}

#[test]
fn rpc_error_carries_server_reasons() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    let answer = rpc.call("conversation.markAsRead", json!(["nowhere"]));
    let error = &answer["error"];
    assert_eq!(error["kind"], "server");
    assert_eq!(error["status"], 404);
    assert_eq!(error["errorCode"], "CONVERSATION_NOT_FOUND");
    assert!(error["reasons"].is_array());
    assert!(error["message"].is_string());
    assert!(answer.get("result").is_none());
}

#[test]
fn rpc_invalid_lines_are_usage_errors() {
    let peer = Peer::start(|_, _| Some(json!({})));
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token", "t"]);
    for (line, id) in [
        ("", json!(null)),
        ("hello", json!(null)),
        (r#"[1, "session.networkChanged", []]"#, json!(null)),
        (r#"{"call": "session.networkChanged"}"#, json!(null)),
        (r#"{"id": 1}"#, json!(1)),
        (
            r#"{"id": 2, "call": "user.frobnicate", "args": ["u"]}"#,
            json!(2),
        ),
        (r#"{"id": 3, "call": "user.get"}"#, json!(3)),
        (r#"{"id": 4, "call": "user.get", "args": [""]}"#, json!(4)),
        (
            r#"{"id": 5, "call": "user.get", "args": ["u", "v"]}"#,
            json!(5),
        ),
        (
            r#"{"id": 6, "call": "user.set", "args": ["u", {"nmae": "U"}]}"#,
            json!(6),
        ),
        (
            r#"{"id": 7, "call": "conversation.send", "args": ["c1", {}]}"#,
            json!(7),
        ),
        (
            r#"{"id": 8, "call": "subscription.loadMore", "args": [1]}"#,
            json!(8),
        ),
        (
            r#"{"id": 9, "call": "subscription.unsubscribe", "args": [1]}"#,
            json!(9),
        ),
        (
            r#"{"id": 10, "call": "cancel", "args": ["none"]}"#,
            json!(10),
        ),
    ] {
        rpc.write(&format!("{line}\n"));
        let answer = rpc.wait_for(|_| true);
        assert_eq!(answer["id"], id, "{line}");
        assert_eq!(answer["error"]["kind"], "usage", "{line}: {answer}");
    }
    assert_eq!(peer.requests(), Vec::<Value>::new());
    // A line may end with CR LF or with the end of the input.
    rpc.write("{\"id\": 1, \"call\": \"session.networkChanged\"}\r\n");
    rpc.wait("id", 1);
    rpc.write("{\"id\": 2, \"call\": \"session.networkChanged\"}");
    rpc.end_input();
    assert_eq!(
        rpc.exit(),
        (vec![json!({"id": 2, "result": null})], Some(0))
    );
}

#[test]
fn rpc_errors_repeat_no_text_of_the_request() {
    let peer = Peer::start(|_, _| Some(json!({})));
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token", "t"]);
    for line in [
        r#""secret""#,
        r#"["secret"]"#,
        r#"{"id": 1, "call": ["secret"]}"#,
        r#"{"id": 1, "call": "user.get", "args": "secret"}"#,
    ] {
        rpc.write(&format!("{line}\n"));
        let answer = rpc.wait_for(|line| line.get("id").is_some());
        assert_eq!(answer["error"]["kind"], "usage", "{line}: {answer}");
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
    let list = "session.subscribeConversations";
    for (call, args) in [
        (
            "conversation.send",
            json!(["c1", {"content": "a \"secret"}]),
        ),
        ("conversation.send", json!(["c1", {"custom": "secret"}])),
        ("message.edit", json!(["c1", "m1", {"content": "secret"}])),
        ("conversation.enqueue", json!(["c1", "a", {"at": "secret"}])),
        (
            "conversation.set",
            json!(["c1", {"welcomeMessages": "secret"}]),
        ),
        (
            "participant.edit",
            json!(["c1", "b", {"access": 1, "notify": "secret"}]),
        ),
        ("session.inbox", json!(["i", {"filter": "secret"}])),
        (list, json!([{"filter": {"subject": "secret"}}])),
        (list, json!([{"filter": {"access": ["secret", "a"]}}])),
        ("session.uploadFile", json!(["/", {"width": "secret"}])),
    ] {
        let answer = rpc.call(call, args);
        assert_eq!(answer["error"]["kind"], "usage", "{answer}");
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
}

#[test]
fn rpc_lines_read_together_share_a_frame() {
    let peer = Peer::start(|_, path| {
        Some(match path {
            "/conversations/c1/participants" => json!({"responses": [
                {"status": 200}, {"status": 200}, {"status": 200},
            ]}),
            "/conversations/c1/messages" => json!({"id": "msg_1"}),
            _ => json!({}),
        })
    });
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token", "t"]);
    rpc.result("conversation.markAsRead", json!(["c1"]));
    rpc.write(concat!(
        r#"{"id": 1, "call": "participant.set", "args": ["c1", "x"]}"#,
        "\n",
        r#"{"id": 2, "call": "participant.edit", "args": ["c1", "y", {"access": "Read"}]}"#,
        "\n",
        r#"{"id": 3, "call": "participant.createIfNotExists", "args": ["c1", "z"]}"#,
        "\n",
        r#"{"id": 4, "call": "conversation.send", "args": ["c1", "hi"]}"#,
        "\n",
        r#"{"id": 5, "call": "conversation.markAsUnread", "args": ["c1"]}"#,
        "\n",
    ));
    for id in 1..=5 {
        let answer = rpc.wait("id", id);
        assert!(answer.get("error").is_none(), "{answer}");
    }
    let requests = peer.requests();
    let paths: Vec<_> = requests.iter().map(|request| &request[1]).collect();
    assert_eq!(
        paths,
        [
            "/session/renew",
            "/me/conversations/c1/read",
            "/conversations/c1/participants",
            "/conversations/c1/messages",
            "/me/conversations/c1/unread",
        ]
    );
    assert_eq!(
        requests[2][2]["actions"],
        json!([
            {"id": "x", "method": "PUT", "params": {}},
            {"id": "y", "method": "PATCH", "params": {"access": "Read"}},
            {"id": "z", "method": "POST", "params": {}},
        ])
    );
}

#[test]
fn rpc_answers_arrive_in_order_of_completion() {
    let peer = Peer::start(|_, path| (!path.contains("/slow/")).then(|| json!({})));
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token", "t"]);
    rpc.send("slow", "conversation.markAsRead", json!(["slow"]));
    rpc.send("fast", "conversation.markAsRead", json!(["fast"]));
    let answer = rpc.wait_for(|line| line.get("id").is_some());
    assert_eq!(answer, json!({"id": "fast", "result": null}));
}

#[test]
fn rpc_cancel_fails_the_call() {
    let peer = Peer::start(|_, _| None);
    let mut rpc = Rpc::start(&peer.host, "alice", &["--token", "t"]);
    rpc.send(json!(["my", 1]), "conversation.markAsRead", json!(["c1"]));
    rpc.send(2, "cancel", json!([["my", 1]]));
    let mut answers = [
        rpc.wait_for(|line| line.get("id").is_some()),
        rpc.wait_for(|line| line.get("id").is_some()),
    ];
    answers.sort_by_key(|answer| answer["id"].is_array());
    assert_eq!(answers[0], json!({"id": 2, "result": null}));
    assert_eq!(answers[1]["id"], json!(["my", 1]));
    assert_eq!(answers[1]["error"]["kind"], "transport");
    let again = rpc.call("cancel", json!([["my", 1]]));
    assert_eq!(again["error"]["kind"], "usage");
}

#[test]
fn rpc_session_lines_follow_the_connection() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = Rpc::start(emulator.host(), "alice", &[]);
    rpc.send(1, "user.set", json!(["alice", {"name": "Alice"}]));
    rpc.wait("session", "connected");
    rpc.wait("id", 1);
    let fault = r#"{"kind": "drop", "path": "/users/alice"}"#;
    block_on(emulator.inject(serde_json::from_str(fault).unwrap())).unwrap();
    rpc.send(2, "user.set", json!(["alice", {"name": "Alicia"}]));
    let lost = rpc.wait("session", "reconnecting");
    assert!(lost["reason"].is_string(), "{lost}");
    assert!(lost["retryAt"].is_i64(), "{lost}");
    assert_eq!(
        rpc.wait("session", "connected"),
        json!({"session": "connected"})
    );
    assert_eq!(rpc.wait("id", 2)["result"], Value::Null);
    // An idle connection is closed after a while.
    rpc.wait("session", "idle");
}

#[test]
fn rpc_unreachable_host_lines_carry_the_reason() {
    // A listener that is closed again leaves a port that refuses connections.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut rpc = Rpc::start(&host, "alice", &["--drain-timeout", "0.5"]);
    rpc.send(1, "conversation.send", json!(["c1", "hi"]));
    let first = rpc.wait("session", "reconnecting");
    let reason = first["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("cannot connect to 127.0.0.1 port "),
        "{first}"
    );
    let next = rpc.wait("session", "reconnecting");
    assert!(
        next["retryAt"].as_i64() > first["retryAt"].as_i64(),
        "{first} {next}"
    );
    rpc.end_input();
    let error = rpc.wait("id", 1)["error"].clone();
    assert_eq!(error["kind"], "transport");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.ends_with(&format!("; not connected: {reason}")),
        "{message}"
    );
}

/// JavaScript writes half an emoji as an unpaired surrogate.
#[test]
fn rpc_lone_surrogates_are_replaced() {
    let emulator = Emulator::start_blocking().unwrap();
    let mut rpc = alice(&emulator);
    rpc.result("conversation.set", json!(["c1", {"subject": "Tea"}]));
    let message = r#"{"text": "Hi \ud83d!", "custom": {"\udc4d": "\ud83d"}}"#;
    for (message, custom) in [
        (r#""Hi \ud83d!""#, json!({})),
        (message, json!({"\u{fffd}": "\u{fffd}"})),
    ] {
        let call = r#""call": "conversation.send""#;
        rpc.write(&format!(
            "{{\"id\": 4, {call}, \"args\": [\"c1\", {message}]}}\n"
        ));
        let sent = rpc.wait("id", 4)["result"]["messageRef"].clone();
        let message = rpc.result("message.get", json!(["c1", sent]));
        assert_eq!(message["plaintext"], "Hi \u{fffd}!");
        assert_eq!(message["custom"], custom);
    }
    let filter = r#"{"filter": {"subject": ["!=", "\ud83d"]}}"#;
    rpc.write(&format!(
        "{{\"id\": 5, \"call\": \"session.subscribeConversations\", \"args\": [{filter}]}}\n"
    ));
    let subscription = rpc.wait("id", 5)["result"]["subscription"].clone();
    let line = rpc.wait_for(|line| line.get("snapshot").is_some());
    assert_eq!(line["subscription"], subscription);
    assert_eq!(line["snapshot"][0]["id"], "c1");

    rpc.write("{\"id\": 6, \"call\": \"user.\\ud83d\", \"\\ud83d\": 1}\n");
    let error = rpc.wait("id", 6)["error"].clone();
    assert_eq!(error["kind"], "usage");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("user.\u{fffd}"), "{message}");
}
