//! The control API of the inspector and of test suites.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use talk_emulator::server::Settings;
use talk_emulator::{Emulator, Seed};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Socket, change, get, json_of, ok, read, send};

/// Much longer than any step takes.
const TIMEOUT: Duration = Duration::from_secs(60);

async fn seeded() -> Emulator {
    let lobby = Seed::new("app")
        .user("alice", "Alice")
        .user("bob", "Bob")
        .conversation("lobby", ["alice", "bob"]);
    let settings = Settings {
        secret: Some("secret".to_owned()),
        ..Settings::default()
    };
    let builder = Emulator::builder().initial_data(lobby).settings(settings);
    builder.start().await.unwrap()
}

async fn token(emulator: &Emulator, user: &str) -> String {
    let secret = emulator.settings().await.unwrap().secret.unwrap();
    let claims = talk_proto::token::TokenClaims::new(
        talk_proto::model::AppId::new("app").unwrap(),
        talk_proto::model::UserId::new(user).unwrap(),
    );
    claims.mint(&secret.into()).expose().to_owned()
}

async fn connect(emulator: &Emulator, user: &str) -> Socket {
    let mut socket = Socket::open(emulator, "app", user).await;
    let token = token(emulator, user).await;
    let data = json!({ "token": token });
    assert_eq!(socket.call("POST", "/session/renew", data).await.0, 200);
    socket
}

/// A stream of server-sent events.
struct Events {
    body: Incoming,
    buffer: String,
}

#[derive(Debug)]
struct Event {
    id: Option<u64>,
    name: String,
    data: Value,
}

impl Events {
    async fn open(emulator: &Emulator, query: &str, last_id: Option<u64>) -> Self {
        let stream = TcpStream::connect(emulator.host()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request =
            Request::get(format!("/_emulator/events{query}")).header("host", emulator.host());
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            buffer: String::new(),
        }
    }

    async fn next(&mut self) -> Event {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                let member = |name: &str| {
                    let mut lines = event.lines();
                    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    found.map(str::to_owned)
                };
                if let Some(name) = member("event") {
                    return Event {
                        id: member("id").map(|id| id.parse().unwrap()),
                        name,
                        data: serde_json::from_str(&member("data").unwrap()).unwrap(),
                    };
                }
                continue;
            }
            self.next_part().await;
        }
    }

    /// Returns the number of events in the next part of the stream.
    async fn next_part(&mut self) -> usize {
        let frame = timeout(TIMEOUT, self.body.frame()).await.unwrap();
        let data = frame.unwrap().unwrap().into_data().unwrap();
        let part = std::str::from_utf8(&data).unwrap();
        self.buffer.push_str(part);
        part.matches("\nevent: ").count()
    }

    /// Returns the next event with this name.
    async fn wait(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn events_stream_spreads_a_burst_without_loss() {
    let emulator = seeded().await;
    let mut socket = connect(&emulator, "alice").await;
    let mut events = Events::open(&emulator, "", None).await;
    assert_eq!(events.next().await.name, "hello");
    for _ in 0..150 {
        assert_eq!(socket.call("GET", "/ping", json!({})).await.0, 200);
    }
    let mut received = 0;
    while received < 300 {
        let count = events.next_part().await;
        assert!(count <= 25, "{count} events at once");
        received += count;
    }
    for number in 0..300 {
        let event = events.next().await;
        assert_eq!(event.name, "frame", "event {number}");
        let direction = ["in", "out"][number % 2];
        assert_eq!(event.data["direction"], direction, "event {number}");
    }
}

#[tokio::test]
async fn events_stream_shows_frames_and_masks_tokens() {
    let emulator = seeded().await;
    let mut events = Events::open(&emulator, "", None).await;
    let hello = events.next().await;
    assert_eq!((hello.name.as_str(), hello.id), ("hello", None));
    assert_eq!(hello.data["recording"], true);
    assert_eq!(hello.data["last"], 0);
    let frames = read(&emulator, "/frames").await;
    assert_eq!(frames["instance"], hello.data["instance"]);

    let mut socket = connect(&emulator, "alice").await;
    let opened = events.wait("connection").await;
    assert_eq!(opened.data["state"], "opened");
    let renewal = events.wait("frame").await;
    assert_eq!(renewal.data["path"], "/session/renew");
    let text = renewal.data["text"].as_str().unwrap();
    assert_eq!(text, r#"[0,"POST","/session/renew",{"token":"***"},{}]"#);
    socket.call("GET", "/ping", json!({})).await;
    let ping = loop {
        let frame = events.wait("frame").await;
        if frame.data["kind"] == "ping" && frame.data["direction"] == "out" {
            break frame;
        }
    };
    assert_eq!(ping.data["status"], 200);
    assert_eq!(ping.data["n"], ping.id.unwrap());
    ok(&emulator, "POST", "/clock", json!({ "advanceMs": 5 })).await;
    events.wait("clock").await;

    // The same frames without a stream.
    let frames = read(&emulator, "/frames?limit=1").await;
    let [frame] = frames["frames"].as_array().unwrap().as_slice() else {
        panic!("{frames}");
    };
    assert_eq!(frame["n"], renewal.id.unwrap());
    assert_eq!(frames["last"], frame["n"]);
    assert_eq!(frames["recording"], true);
    let after = format!("/frames?after={}", ping.id.unwrap());
    assert_eq!(read(&emulator, &after).await["frames"], json!([]));
}

#[tokio::test]
async fn events_stream_resumes_after_last_event_id() {
    let emulator = seeded().await;
    let mut events = Events::open(&emulator, "", None).await;
    events.wait("hello").await;
    let mut socket = connect(&emulator, "alice").await;
    let first = events.wait("frame").await.id.unwrap();
    drop(events);
    socket.call("GET", "/ping", json!({})).await;

    // The log is kept for a while.
    for (query, header) in [
        (String::new(), Some(first)),
        (format!("?after={first}"), None),
    ] {
        let mut events = Events::open(&emulator, &query, header).await;
        assert_eq!(events.next().await.name, "hello");
        let next = events.next().await;
        assert_eq!(next.id, Some(first + 1), "{query} {next:?}");
    }
    // A number of an earlier emulator.
    let mut events = Events::open(&emulator, "?after=1000000", None).await;
    assert_eq!(events.next().await.name, "hello");
    let gap = events.next().await;
    assert_eq!((gap.name.as_str(), gap.id), ("gap", None));
    assert_eq!(events.next().await.id, Some(1));
    let response = get(&emulator, "/_emulator/events?after=x").await;
    assert_eq!(response.status(), 400);
    let response = get(&emulator, "/_emulator/frames?since=1").await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn events_are_recorded_only_while_a_stream_is_open() {
    let emulator = seeded().await;
    let mut socket = connect(&emulator, "alice").await;
    let frames = read(&emulator, "/frames").await;
    assert_eq!(frames["recording"], false);
    assert_eq!(frames["last"], 0);

    let mut events = Events::open(&emulator, "", None).await;
    events.wait("hello").await;
    drop(events);
    // The emulator notices the end of the stream at one of its next steps.
    let is_ended = async {
        loop {
            socket.call("GET", "/ping", json!({})).await;
            ok(&emulator, "POST", "/clock", json!({ "advanceMs": 60_000 })).await;
            if read(&emulator, "/frames").await["recording"] == false {
                break;
            }
        }
    };
    timeout(TIMEOUT, is_ended).await.unwrap();
    socket.call("GET", "/ping", json!({})).await;
    let last = read(&emulator, "/frames").await["last"].clone();
    socket.call("GET", "/ping", json!({})).await;
    let frames = read(&emulator, "/frames").await;
    assert_eq!(frames["frames"], json!([]));
    assert_eq!(frames["last"], last);

    // A stream that continues reports the gap at once.
    let after = last.as_u64().unwrap() - 1;
    let mut events = Events::open(&emulator, "", Some(after)).await;
    assert_eq!(events.next().await.name, "hello");
    assert_eq!(events.next().await.name, "gap");
    socket.call("GET", "/ping", json!({})).await;
    assert_eq!(events.next().await.id, Some(after + 2));
}

#[tokio::test]
async fn events_new_stream_shows_changes_of_data() {
    let emulator = seeded().await;
    let mut first = Events::open(&emulator, "", None).await;
    first.wait("hello").await;
    for _ in 0..2 {
        emulator
            .post_system_message("app", "lobby", "hi")
            .await
            .unwrap();
        let mut events = Events::open(&emulator, "", None).await;
        events.wait("hello").await;
        emulator
            .post_system_message("app", "lobby", "hi")
            .await
            .unwrap();
        assert_eq!(events.wait("data").await.data["app"], "app");
    }
}

#[tokio::test]
async fn connections_are_listed_closed_and_expired() {
    let emulator = seeded().await;
    let mut alice = connect(&emulator, "alice").await;
    alice
        .call("SUBSCRIBE", "/me/conversations", json!({}))
        .await;
    let mut bob = connect(&emulator, "bob").await;
    let list = read(&emulator, "/connections").await;
    let [first, second] = list["connections"].as_array().unwrap().as_slice() else {
        panic!("{list}");
    };
    assert_eq!(first["user"], "alice");
    assert_eq!(first["subscriptions"], json!(["/me/conversations"]));
    assert_eq!(first["authenticated"], true);
    assert_eq!(first["framesIn"], 2);
    assert_eq!(first["framesOut"], 2);

    let path =
        |connection: &Value, action: &str| format!("/connections/{}/{action}", connection["id"]);
    ok(&emulator, "POST", &path(first, "expire"), json!({})).await;
    let frame = alice.frame().await.unwrap();
    assert_eq!(frame[2]["type"], "session.expired");
    ok(&emulator, "POST", &path(second, "close"), json!({})).await;
    assert_eq!(bob.frame().await, None);
    let response = change(&emulator, "POST", &path(second, "close"), &json!({})).await;
    assert_eq!(response.status(), 404);
    let list = read(&emulator, "/connections").await;
    assert_eq!(list["connections"][0]["authenticated"], false);
    assert_eq!(read(&emulator, "/apps").await, json!({ "apps": ["app"] }));
}

/// Returns the reason of a refusal.
async fn reason(emulator: &Emulator, method: &str, path: &str, body: &Value) -> String {
    let response = change(emulator, method, path, body).await;
    assert!(response.status().is_client_error(), "{path}: {response:?}");
    let error = json_of(&response);
    error["reasons"][0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn control_errors_name_the_invalid_member() {
    let emulator = seeded().await;
    for (path, body, start) in [
        (
            "/settings",
            json!({ "limits": { "maxFileSize": -1 } }),
            "limits.maxFileSize: invalid value",
        ),
        (
            "/settings",
            json!({ "roles": { "guest": { "reply": "no" } } }),
            "roles.guest.reply: invalid type",
        ),
        ("/settings", json!([]), "invalid type"),
        (
            "/faults",
            json!({ "kind": "500", "times": "x" }),
            "times: invalid type",
        ),
        (
            "/faults",
            json!({ "kind": "500", "times": 0 }),
            "A fault occurs at least once",
        ),
        (
            "/clock",
            json!({ "advanceMs": -1 }),
            "advanceMs: invalid value",
        ),
        (
            "/seed",
            json!({ "app": "app", "users": { "zoe": { "name": 1 } } }),
            "users.zoe.name: invalid type",
        ),
    ] {
        let reason = reason(&emulator, "POST", path, &body).await;
        assert!(reason.starts_with(start), "{path}: {reason}");
    }
    assert_eq!(read(&emulator, "/faults").await["armed"], json!([]));
    let request = Request::post("/_emulator/clock")
        .header("content-type", "application/json")
        .body(Bytes::from(r#"{"advanceMs": 1} 2"#));
    let response = send(&emulator, request.unwrap()).await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn control_large_body_is_refused_with_its_limit() {
    let emulator = seeded().await;
    let large = Value::from("x".repeat(5 << 20));
    let small = "A body may have up to 2097152 bytes.";
    // The REST API has its own limit.
    let rest = "A body has up to 1048576 bytes.";
    for (method, path, expected) in [
        ("POST", "/settings", small),
        ("POST", "/act", small),
        ("PUT", "/rest/app/users/alice", rest),
    ] {
        let found = reason(&emulator, method, path, &large).await;
        assert_eq!(found, expected, "{path}");
    }
    let seed = json!({ "app": "app", "users": { "zoe": { "name": "x".repeat(5 << 20) } } });
    let response = change(&emulator, "POST", "/seed", &seed).await;
    assert_ne!(response.status(), 413);
}

#[tokio::test]
async fn upload_answers_are_recorded() {
    let emulator = seeded().await;
    let _events = Events::open(&emulator, "", None).await;
    let upload = async |form: &str| {
        let body = form.replace('|', "\r\n");
        let request = Request::post("/v1/app/files")
            .header("authorization", "Bearer secret")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Bytes::from(body));
        send(&emulator, request.unwrap()).await
    };
    let file = "--b|Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"||x|--b--|";
    let mut answers = vec![upload(file).await, upload("--b--|").await];
    for after_bytes in [1, 1 << 20] {
        let fault = json!({ "kind": "429", "path": "/files", "after_bytes": after_bytes });
        ok(&emulator, "POST", "/faults", fault).await;
        answers.push(upload(file).await);
    }
    let statuses: Vec<_> = answers.iter().map(|it| it.status().as_u16()).collect();
    assert_eq!(statuses, [200, 400, 429, 429]);
    let frames = read(&emulator, "/frames").await;
    let frames = frames["frames"].as_array().unwrap();
    let sent: Vec<_> = frames
        .iter()
        .filter(|it| it["direction"] == "out")
        .collect();
    assert_eq!(sent.len(), answers.len(), "{frames:?}");
    for (frame, answer) in sent.iter().zip(&answers) {
        assert_eq!(frame["status"], answer.status().as_u16());
        assert_eq!(frame["path"], "/v1/app/files");
        assert_eq!(frame["method"], "POST");
        let text: Value = serde_json::from_str(frame["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, json_of(answer));
    }
}

#[tokio::test]
async fn act_typing_is_change_of_data() {
    let emulator = seeded().await;
    let mut events = Events::open(&emulator, "", None).await;
    assert_eq!(events.next().await.name, "hello");
    let typing = json!({
        "app": "app",
        "user": "alice",
        "method": "POST",
        "path": "/me/conversations/lobby/typing",
    });
    ok(&emulator, "POST", "/act", typing).await;
    let event = timeout(TIMEOUT, events.next()).await.unwrap();
    assert_eq!((&*event.name, &event.data["app"]), ("data", &json!("app")));
}

#[tokio::test]
async fn control_errors_are_json() {
    let emulator = seeded().await;
    let large = Value::from("x".repeat(3 << 20));
    for (path, body, status) in [
        ("/connections/abc/close", &json!({}), 400),
        ("/connections/-1/expire", &json!({}), 400),
        ("/connections/0/close", &json!({ "code": 999 }), 400),
        ("/connections/0/close", &json!({ "code": 1005 }), 400),
        ("/connections/0/close", &json!({ "code": 1006 }), 400),
        ("/connections/0/close", &json!({ "code": 1015 }), 400),
        ("/connections/0/close", &json!({ "code": 3000 }), 404),
        ("/connections/0/close", &large, 413),
        ("/snapshots/%FF/save", &json!({}), 400),
        ("/webhooks/%FF/resend", &json!({}), 400),
        ("/settings", &large, 413),
        ("/faults", &large, 413),
        ("/act", &large, 413),
        ("/wait", &large, 413),
        ("/clock", &large, 413),
    ] {
        let response = change(&emulator, "POST", path, body).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        let error = json_of(&response);
        assert!(error["errorCode"].is_string(), "{path}: {error}");
        assert!(error["reasons"][0].is_string(), "{path}: {error}");
    }
    let response = get(&emulator, "/_emulator/assets/%FF").await;
    assert_eq!(json_of(&response)["errorCode"], "INVALID_REQUEST");
    // A connection can be closed without a body.
    let alice = connect(&emulator, "alice").await;
    let list = read(&emulator, "/connections").await;
    let path = format!(
        "/_emulator/connections/{}/close",
        list["connections"][0]["id"]
    );
    let request = Request::post(path).header("content-type", "application/json");
    let response = send(&emulator, request.body(Bytes::new()).unwrap()).await;
    assert_eq!(response.status(), 200);
    drop(alice);
}

#[tokio::test]
async fn rest_needs_no_secret() {
    let emulator = seeded().await;
    let users = read(&emulator, "/rest/app/users?limit=1").await;
    assert_eq!(users["data"].as_array().unwrap().len(), 1);
    for path in ["/rest/app", "/rest/app/"] {
        assert_eq!(read(&emulator, path).await["id"], "app");
    }
    let path = "/rest/app/users/d%C3%A9%2Fs";
    ok(&emulator, "PUT", path, json!({ "name": "Dés" })).await;
    let user = emulator.user("app", "dé/s").await.unwrap().unwrap();
    assert_eq!(user.name, "Dés");
    ok(
        &emulator,
        "DELETE",
        "/rest/app/conversations/lobby",
        json!({}),
    )
    .await;
    let lobby = emulator.conversation("app", "lobby").await.unwrap();
    assert_eq!(lobby, None);
    let response = change(&emulator, "DELETE", "/rest/app/users/alice", &json!({})).await;
    assert_eq!(response.status(), 404);
    assert_eq!(json_of(&response), "Not found");
}

#[tokio::test]
async fn act_sends_as_user() {
    let emulator = seeded().await;
    let mut bob = connect(&emulator, "bob").await;
    bob.call("SUBSCRIBE", "/me/conversations/lobby/messages", json!({}))
        .await;
    let act = |user: &str| {
        json!({
            "app": "app",
            "user": user,
            "method": "POST",
            "path": "/conversations/lobby/messages",
            "data": { "content": [{ "type": "text", "children": ["hi"] }] },
        })
    };
    let answer = ok(&emulator, "POST", "/act", act("alice")).await;
    assert_eq!(answer["status"], 200);
    assert_eq!(bob.frame().await.unwrap()[2]["type"], "message.created");
    let response = change(&emulator, "POST", "/act", &act("dave")).await;
    assert_eq!(response.status(), 404);
    assert_eq!(json_of(&response)["errorCode"], "USER_NOT_FOUND");
}

#[tokio::test]
async fn act_text_is_markup_of_message() {
    let emulator = seeded().await;
    let act = |extra: Value| {
        let mut act = json!({
            "app": "app",
            "user": "alice",
            "method": "POST",
            "path": "/conversations/lobby/messages",
            "text": "hi *bob*",
        });
        act["data"] = extra;
        act
    };
    let custom = json!({ "custom": { "k": "v" } });
    let answer = ok(&emulator, "POST", "/act", act(custom)).await;
    assert_eq!(answer["status"], 200);
    let messages = read(&emulator, "/rest/app/conversations/lobby/messages").await;
    let message = &messages["data"][0];
    assert_eq!(message["content"][0]["children"][1]["type"], "bold");
    assert_eq!(message["custom"], json!({ "k": "v" }));
    for data in [json!({ "content": [] }), json!([])] {
        let response = change(&emulator, "POST", "/act", &act(data)).await;
        assert_eq!(response.status(), 400);
    }
}

#[tokio::test]
async fn faults_are_listed_and_disarmed() {
    let emulator = seeded().await;
    let mut alice = connect(&emulator, "alice").await;
    let fault = json!({ "kind": "500", "times": 2 });
    ok(&emulator, "POST", "/faults", fault).await;
    assert_eq!(alice.call("GET", "/ping", json!({})).await.0, 500);
    let faults = read(&emulator, "/faults").await;
    assert_eq!(faults["armed"], json!([{ "kind": "500", "times": 1 }]));
    assert_eq!(faults["struck"][0]["path"], "/ping");
    ok(&emulator, "DELETE", "/faults", json!({})).await;
    assert_eq!(read(&emulator, "/faults").await["armed"], json!([]));
    assert_eq!(alice.call("GET", "/ping", json!({})).await.0, 200);
}

#[tokio::test]
async fn seed_is_added() {
    let emulator = seeded().await;
    let seed = json!({ "app": "app", "users": { "carol": { "name": "Carol" } } });
    ok(&emulator, "POST", "/seed", seed).await;
    assert_eq!(emulator.users("app").await.unwrap().len(), 3);
    let seed =
        json!({ "app": "app", "conversations": [{ "id": "x", "participants": ["nobody"] }] });
    let response = change(&emulator, "POST", "/seed", &seed).await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn requests_are_numbered_and_masked() {
    let emulator = seeded().await;
    let mut alice = connect(&emulator, "alice").await;
    alice.call("GET", "/ping", json!({})).await;
    let list = read(&emulator, "/requests").await;
    let requests = list["requests"].as_array().unwrap();
    let renewal = requests
        .iter()
        .find(|it| it["path"] == "/session/renew")
        .unwrap();
    assert_eq!(renewal["user"], "alice");
    assert_eq!(renewal["data"], json!({ "token": "***" }));
    let path = format!("/requests?limit=1&after={}", renewal["n"]);
    let next = read(&emulator, &path).await;
    assert_eq!(next["requests"][0]["path"], "/ping");
    assert_eq!(next["last"], next["requests"][0]["n"]);
    let path = format!("/requests?after={}", next["last"]);
    assert_eq!(read(&emulator, &path).await["requests"], json!([]));
}

#[tokio::test]
async fn wait_returns_objects_that_exist_or_come() {
    let emulator = seeded().await;
    let limit = 60_000;
    let wait = |kind: &str, pattern: Value| {
        let mut wait = json!({ "for": kind, "app": "app", "timeoutMs": limit });
        wait["match"] = pattern;
        wait
    };
    let user = wait("user", json!({ "name": "Alice" }));
    let found = ok(&emulator, "POST", "/wait", user).await;
    assert_eq!(found["found"]["id"], "alice");

    let message = wait(
        "message",
        json!({ "text": "hello", "conversationId": "lobby" }),
    );
    let waiting = ok(&emulator, "POST", "/wait", message);
    let posting = emulator.post_system_message("app", "lobby", "hello");
    let (found, posted) = tokio::join!(waiting, posting);
    assert_eq!(found["found"]["id"], posted.unwrap().unwrap());

    let connection = wait(
        "connection",
        json!({ "user": "bob", "authenticated": true }),
    );
    let waiting = ok(&emulator, "POST", "/wait", connection);
    let (found, _bob) = tokio::join!(waiting, connect(&emulator, "bob"));
    assert_eq!(found["found"]["user"], "bob");
    let request = wait("request", json!({ "method": "POST", "user": "bob" }));
    let found = ok(&emulator, "POST", "/wait", request).await;
    assert_eq!(found["found"]["path"], "/session/renew");
}

#[tokio::test]
async fn wait_in_vain_reports_compared_objects() {
    let emulator = seeded().await;
    let wait = json!({ "for": "user", "app": "app", "match": { "id": "x" }, "timeoutMs": 1 });
    let response = change(&emulator, "POST", "/wait", &wait).await;
    assert_eq!(response.status(), 408);
    let body = json_of(&response);
    assert_eq!(body["errorCode"], "WAIT_TIMEOUT");
    assert_eq!(
        body["reasons"][0],
        "No match in 1 ms. 2 objects of this kind were compared."
    );
    let wait = json!({ "for": "user", "app": "app", "timeoutMs": 60_001 });
    assert_eq!(
        change(&emulator, "POST", "/wait", &wait).await.status(),
        400
    );
    let wait = json!({ "for": "weather", "app": "app" });
    assert_eq!(
        change(&emulator, "POST", "/wait", &wait).await.status(),
        400
    );
}
