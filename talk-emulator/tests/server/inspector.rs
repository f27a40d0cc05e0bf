//! The events that an inspector shows.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use talk_emulator::server::{FindKind, InspectorEventBody, Seed, Server};

use super::support::{World, text_block};

/// Returns the events after a number as JSON, with their names.
fn events(server: &mut Server, after: u64) -> Vec<(&'static str, Value)> {
    let events = server.events_after(after, usize::MAX).events;
    let json = |body: &InspectorEventBody| serde_json::to_value(body).unwrap();
    let events = events.iter();
    events
        .map(|event| (event.body.name(), json(&event.body)))
        .collect()
}

fn frames(server: &mut Server, after: u64) -> Vec<Value> {
    let events = events(server, after).into_iter();
    events
        .filter(|(name, _)| *name == "frame")
        .map(|(_, json)| json)
        .collect()
}

#[test]
fn inspector_off_records_nothing() {
    let (mut world, alice, _) = World::of_friends();
    world.ok(alice, "GET", "/ping", json!({}));
    assert!(!world.server.is_recording_events());
    assert_eq!(world.server.last_event(), 0);
    assert_eq!(events(&mut world.server, 0), []);
}

#[test]
fn inspector_frames_have_request_and_response() {
    let (mut world, alice, bob) = World::of_friends();
    world.subscribe(bob, &["/me/conversations/c/messages"]);
    world.server.record_events();
    let data = json!({ "content": text_block("hi") });
    let seq = world.send(alice, "POST", "/conversations/c/messages", data);
    let frames = frames(&mut world.server, 0);
    let [request, response, event] = frames.as_slice() else {
        panic!("{frames:?}");
    };
    assert_eq!(request["direction"], "in");
    assert_eq!(request["kind"], "request");
    assert_eq!(request["user"], "alice");
    assert!(request["text"].as_str().unwrap().contains("hi"));
    assert_eq!(request["bytes"], request["text"].as_str().unwrap().len());
    assert_eq!(response["direction"], "out");
    assert_eq!(response["kind"], "response");
    assert_eq!(response["status"], 200);
    assert_eq!(response["ms"], 0);
    for frame in [request, response] {
        assert_eq!(frame["id"], seq);
        assert_eq!(frame["method"], "POST");
        assert_eq!(frame["path"], "/conversations/c/messages");
        assert_eq!(frame["connection"], alice.0.0);
        assert_eq!(frame["at"], world.now());
    }
    assert_eq!(event["kind"], "event");
    assert_eq!(event["user"], "bob");
    assert_eq!(event["id"], Value::Null);
    assert_eq!(event.get("method"), None);
}

#[test]
fn inspector_slow_response_has_its_time() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    let fault = json!({ "kind": "slow", "after_ms": 700 });
    let now = world.time();
    world
        .server
        .inject(now, serde_json::from_value(fault).unwrap());
    world.send(alice, "GET", "/ping", json!({}));
    world.wait(700);
    let events = events(&mut world.server, 0);
    let names: Vec<_> = events.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["frame", "fault", "frame"]);
    assert_eq!(events[0].1["kind"], "ping");
    assert_eq!(events[1].1["path"], "/ping");
    assert_eq!(events[2].1["ms"], 700);
}

#[test]
fn inspector_tokens_are_masked() {
    let mut world = World::new();
    world.server.record_events();
    let peer = world.open("alice");
    for frame in [
        r#"[0,"POST","/session/renew",{"token":"s3cret"},{"Authorization":"s3cret"}]"#,
        r#"[1,"POST","\/session\/renew",{"\u0074oken":"s3cret","more":["s3cret"]},{}]"#,
        r#"[2,"POST","/session/renew",{"token":"s3cret""#,
        r#"[3,"POST","/session/renew","s3cret",{}]"#,
        r#"{"token":"s3cret"}"#,
        r#"[4,"GET","/ping",{},{"AUTHORIZATION":"Bearer s3cret"}]"#,
        r#"[5,"GET","/ping",{},{},{"authorization":"Bearer s3cret"}]"#,
        r#"[6,"POST","/session%2Frenew",{"t":"s3cret"},{}]"#,
        r#"[7,"POST","/session/renew/",{"t":"s3cret"},{}]"#,
        r#"[8,"POST","/session/renew?token=s3cret",{"t":"s3cret"},{}]"#,
        r#"[9,"POST","/Session/Renew",["s3cret"],{}]"#,
        r#"[10,"GET","/ping",{"Token":"s3cret"},{}]"#,
        r#"[11,"GET","/ping?signature=s3cret",{},{}]"#,
        r#"{"TOKEN":"s3cret"}"#,
    ] {
        world.raw(peer, frame);
    }
    let now = world.time();
    for path in ["/v1/app/session/renew", "/v1/app/users?token=s3cret"] {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(r#"{"token":"s3cret"}"#.into());
        world.server.http(now, &request.unwrap());
    }
    let issued = ["bokens", "b%6Fkens"].map(|name| {
        let boken = format!("/api/v0/app/{name}/bob?signature=s3cret");
        let request = Request::get(boken)
            .header("authorization", "Bearer s3cret")
            .body(bytes::Bytes::new());
        let response = world.server.http(now, &request.unwrap());
        let body: Value = serde_json::from_slice(&response.body().concat()).unwrap();
        body["boken"].as_str().unwrap().to_owned()
    });

    let shown = events(&mut world.server, 0);
    let frames = shown.iter().filter(|(name, _)| *name == "frame").count();
    assert!(frames >= 22, "{shown:?}");
    for (_, event) in &shown {
        let event = event.to_string();
        assert!(!event.contains("s3cret"), "{event}");
        for issued in &issued {
            assert!(!event.contains(issued), "{event}");
        }
    }
    assert_eq!(
        shown[1].1["text"],
        r#"[0,"POST","/session/renew",{"token":"***"},{"Authorization":"***"}]"#
    );
    let debug = format!("{:?}", world.server.events_after(0, usize::MAX));
    assert!(!debug.contains("renew"), "{debug}");
    let requests = world.server.received_requests();
    let data: Vec<_> = requests.filter_map(|it| it.masked_data()).collect();
    assert!(!format!("{data:?}").contains("s3cret"));
    let mut requests = world.server.received_requests();
    assert!(requests.all(|it| !it.path.contains("s3cret")));
}

#[test]
fn inspector_log_keeps_latest_events() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    for _ in 0..3000 {
        world.ok(alice, "GET", "/ping", json!({}));
    }
    let log = world.server.events_after(0, usize::MAX);
    assert_eq!(log.events.len(), 5000);
    assert_eq!(log.dropped, 1000);
    assert_eq!(log.events[0].number, 1001);
    let log = world.server.events_after(5999, usize::MAX);
    assert_eq!((log.events.len(), log.dropped), (1, 0));
    let log = world.server.events_after(500, 10);
    assert_eq!((log.events.len(), log.dropped), (10, 500));
    // A number of an earlier server.
    let log = world.server.events_after(6001, usize::MAX);
    assert!(log.is_restarted);
    assert_eq!((log.events.len(), log.dropped), (5000, 1000));
}

#[test]
fn inspector_response_after_its_request_has_no_line() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    let fault = json!({ "kind": "slow", "path": "/me", "after_ms": 700 });
    let now = world.time();
    world
        .server
        .inject(now, serde_json::from_value(fault).unwrap());
    let seq = world.send(alice, "GET", "/me/conversations", json!({}));
    let acknowledgement = "[\"ACK\",1]";
    for _ in 0..5000 {
        world.raw(alice, acknowledgement);
    }
    world.wait(700);
    let frames = frames(&mut world.server, 0);
    assert_eq!(frames[0]["text"], acknowledgement);
    let response = frames.last().unwrap();
    assert_eq!(
        (&response["id"], &response["ms"]),
        (&json!(seq), &json!(700))
    );
    assert_eq!(response.get("path"), None);
}

#[test]
fn frames_after_returns_frames_only() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    let data = json!({ "content": text_block("hi") });
    world.ok(alice, "POST", "/conversations/c/messages", data);
    world.ok(alice, "GET", "/ping", json!({}));
    let all = frames(&mut world.server, 0);
    assert!(all.len() >= 4, "{all:?}");
    let mut after = 0;
    for frame in &all {
        let page = world.server.frames_after(after, 1).events;
        assert_eq!(serde_json::to_value(&page[0].body).unwrap(), *frame);
        after = page[0].number;
    }
    assert_eq!(world.server.frames_after(after, 1).events.len(), 0);
}

#[test]
fn inspector_log_is_limited_in_bytes() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    let text = "é".repeat(50_000);
    let frame = format!("[\"ACK\",\"x{text}\"]");
    for _ in 0..200 {
        world.raw(alice, &frame);
    }
    let shown = frames(&mut world.server, 0);
    let bytes: usize = shown
        .iter()
        .map(|it| it["text"].as_str().unwrap().len())
        .sum();
    assert!(bytes <= 8 << 20, "{bytes}");
    assert!(bytes > 7 << 20, "{bytes}");
    assert_eq!(shown[0]["cut"], true);
    assert_eq!(shown[0]["bytes"], frame.len());
}

#[test]
fn inspector_recording_ends_after_its_time() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    let now = world.time();
    world.server.record_events_for(now, Duration::from_secs(60));
    world.wait(59_999);
    world.ok(alice, "GET", "/ping", json!({}));
    assert_eq!(world.server.last_event(), 2);
    world.wait(1);
    assert!(!world.server.is_recording_events());
    for _ in 0..2 {
        world.ok(alice, "GET", "/ping", json!({}));
        // One number stands for all events that are not recorded.
        assert_eq!(world.server.last_event(), 3);
    }
    assert_eq!(events(&mut world.server, 0), []);
    // A reader that continues finds a gap, also before the next event.
    let log = world.server.events_after(2, usize::MAX);
    assert_eq!((log.events.len(), log.dropped), (0, 1));
    // The numbers go on.
    world.server.record_events();
    world.ok(alice, "GET", "/ping", json!({}));
    let log = world.server.events_after(2, usize::MAX);
    assert_eq!((log.events[0].number, log.dropped), (4, 1));
    let log = world.server.events_after(3, usize::MAX);
    assert_eq!((log.events[0].number, log.dropped), (4, 0));
}

#[test]
fn inspector_reopened_in_time_has_no_gap() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    world.ok(alice, "GET", "/ping", json!({}));
    let now = world.time();
    world.server.record_events_for(now, Duration::from_secs(60));
    world.wait(59_999);
    world.ok(alice, "GET", "/ping", json!({}));
    world.server.record_events();
    world.wait(60_000);
    world.ok(alice, "GET", "/ping", json!({}));
    let log = world.server.events_after(2, usize::MAX);
    let numbers: Vec<_> = log.events.iter().map(|event| event.number).collect();
    assert_eq!((numbers, log.dropped), (vec![3, 4, 5, 6], 0));
}

#[test]
fn inspector_new_reader_receives_changes_of_data() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    let change = |world: &mut World| {
        let data = json!({ "content": text_block("hi") });
        world.ok(alice, "POST", "/conversations/c/messages", data);
    };
    change(&mut world);
    // No reader has read that change.
    world.server.record_events();
    let after = world.server.last_event();
    change(&mut world);
    let shown = events(&mut world.server, after);
    assert!(shown.iter().any(|(name, _)| *name == "data"), "{shown:?}");
}

#[test]
fn inspector_response_is_that_of_its_request() {
    let mut world = World::new();
    let peer = world.open("alice");
    world.server.record_events();
    let now = world.time();
    let fault = json!({ "kind": "slow", "after_ms": 700 });
    let fault = serde_json::from_value(fault).unwrap();
    world.server.inject(now, fault);
    let token = json!({ "token": "not.a.t0ken" });
    world.send(peer, "POST", "/session/renew", token);
    world.send(peer, "GET", "/ping", json!({}));
    world.send(peer, "GET", "/me/conversations", json!({}));
    world.wait(700);
    let shown = frames(&mut world.server, 0);
    let paths = |direction: &str| -> Vec<_> {
        let shown = shown.iter().filter(|it| it["direction"] == direction);
        shown.map(|it| it["path"].as_str().unwrap()).collect()
    };
    assert_eq!(
        paths("out"),
        ["/session/renew", "/ping", "/me/conversations"]
    );
    assert_eq!(paths("in"), paths("out"));
    let renewal = shown.iter().rfind(|it| it["path"] == "/session/renew");
    assert_eq!(renewal.unwrap()["method"], "POST");
}

#[test]
fn inspector_unknown_response_is_masked() {
    let (mut world, alice, _) = World::of_friends();
    let now = world.time();
    let fault = json!({ "kind": "slow", "after_ms": 700 });
    let fault = serde_json::from_value(fault).unwrap();
    world.server.inject(now, fault);
    let token = json!({ "token": 5 });
    world.send(alice, "POST", "/session/renew", token);
    world.server.record_events();
    for frame in [
        // A repeated number: either request may be the one that is answered.
        r#"[900,"POST","/session/renew",{"token":5},{}]"#,
        r#"[900,"GET","/x",{},{}]"#,
        // A response does not repeat an unreadable request.
        r#"[901,"GET",5,{},{}]"#,
    ] {
        world.server.handle_frame(now, alice.0, frame);
    }
    world.server.tick(now + Duration::from_millis(700));
    let shown = frames(&mut world.server, 0);
    let responses: Vec<_> = shown.iter().filter(|it| it["direction"] == "out").collect();
    assert_eq!(responses.len(), 4, "{shown:?}");
    for (response, is_masked) in responses.iter().zip([true, true, true, false]) {
        let text = response["text"].as_str().unwrap();
        assert_eq!(text.contains(r#""errorCode":"***""#), is_masked, "{text}");
    }
}

#[test]
fn inspector_shows_connections_and_changes_of_data() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_events();
    let carol = world.connect("carol");
    let now = world.time();
    world.server.expire_connection(now, carol.0);
    world.close(carol);
    let shown = events(&mut world.server, 0);
    let states: Vec<_> = shown
        .iter()
        .filter(|(name, _)| *name == "connection")
        .map(|(_, it)| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["opened", "authenticated", "expired", "closed"]);

    // Changes that were not read yet are noted once.
    let after = world.server.last_event();
    let data = json!({ "content": text_block("hi") });
    for _ in 0..3 {
        world.ok(alice, "POST", "/conversations/c/messages", data.clone());
    }
    let changes = |shown: Vec<(&'static str, Value)>| {
        let is_data = |(name, _): &(&'static str, Value)| *name == "data";
        shown.into_iter().filter(is_data).collect::<Vec<_>>()
    };
    let shown = changes(events(&mut world.server, after));
    assert_eq!(shown, [("data", json!({ "app": "app" }))]);
    let after = world.server.last_event();
    world.ok(alice, "POST", "/conversations/c/messages", data);
    world.server.clear(now);
    let shown = changes(events(&mut world.server, after));
    let expected = [json!({ "app": "app" }), json!({ "app": null })];
    assert_eq!(shown, expected.map(|json| ("data", json)));
}

#[test]
fn connections_show_subscriptions_as_paths() {
    let (mut world, alice, bob) = World::of_friends();
    let paths = [
        "/me/conversations",
        "/me/conversations/a%20b/messages",
        "/me/conversations/a%20b",
        "/me/conversations/c/messages/m/reactions/%F0%9F%91%8D",
        "/me/conversations/c/participants",
        "/me/conversations/c/participants/b%2Fc",
        "/me/conversations/c/typing",
        "/users/bob/online",
    ];
    for path in paths {
        world.ok(alice, "SUBSCRIBE", path, json!({}));
    }
    let connections: Vec<_> = world.server.connections().collect();
    assert_eq!(connections.len(), 2);
    let mut shown = connections[0].subscriptions.clone();
    shown.sort();
    let mut expected = paths.map(str::to_owned);
    expected.sort();
    assert_eq!(shown, expected);
    assert!(connections[0].authenticated);
    assert_eq!(connections[0].id, alice.0);
    assert_eq!(connections[1].user, "bob");
    assert!(connections[1].frames_in >= 1);

    let now = world.time();
    assert!(world.server.close_connection(now, bob.0, Some(4000)));
    assert!(!world.server.close_connection(now, bob.0, None));
    world.wait(0);
    assert_eq!(world.is_closed(bob), Some(Some(4000)));
}

#[test]
fn act_reaches_connected_clients() {
    let (mut world, _, bob) = World::of_friends();
    world.subscribe(bob, &["/me/conversations/c/messages"]);
    let now = world.time();
    let data = json!({ "content": text_block("hi") }).to_string();
    let data: Box<serde_json::value::RawValue> = serde_json::from_str(&data).unwrap();
    let line = ("POST", "/conversations/c/messages");
    let acted = world
        .server
        .act(now, ("app", "alice"), line, Some(&data))
        .unwrap();
    assert_eq!(acted.0, 200);
    world.wait(0);
    assert_eq!(world.events(bob)[0]["type"], "message.created");
    let mut status = |user: &str, line| {
        let acted = world.server.act(now, ("app", user), line, None);
        acted.map(|(status, _)| status)
    };
    assert_eq!(status("carol", ("GET", "/me/conversations/c")), Some(403));
    assert_eq!(
        status("alice", ("SUBSCRIBE", "/me/conversations")),
        Some(400)
    );
    assert_eq!(status("alice", ("POST", "/session/renew")), Some(404));
    assert_eq!(status("dave", ("GET", "/ping")), None);
    assert_eq!(world.server.act(now, ("other", "alice"), line, None), None);
}

#[test]
fn armed_faults_are_listed_and_disarmed() {
    let (mut world, alice, _) = World::of_friends();
    let now = world.time();
    for fault in [
        json!({ "kind": "drop", "after_ms": 1000 }),
        json!({ "kind": "500", "times": 2 }),
    ] {
        let fault = serde_json::from_value(fault).unwrap();
        world.server.inject(now, fault);
    }
    world.refused(alice, "GET", "/ping", json!({}));
    let armed: Vec<_> = world.server.armed_faults().map(|it| it.times).collect();
    assert_eq!(armed, [1, 1]);
    let struck: Vec<_> = world.server.struck_faults().cloned().collect();
    assert_eq!(struck.len(), 1);
    assert_eq!(struck[0].connection, Some(alice.0));
    world.server.disarm_faults(now);
    assert_eq!(world.server.armed_faults().count(), 0);
    world.wait(1000);
    world.ok(alice, "GET", "/ping", json!({}));
    assert_eq!(world.server.struck_faults().count(), 1);
}

#[test]
fn add_seed_adds_to_existing_data() {
    let (mut world, _, bob) = World::of_friends();
    world.subscribe(bob, &["/me/conversations/c/messages"]);
    let seed = Seed::new("app")
        .user("alice", "Alicia")
        .user("dave", "Dave")
        .conversation("c", ["alice", "dave"])
        .conversation("d", ["dave"])
        .message_ago(5, "c", "alice", "added");
    let now = world.time();
    world.server.add_seed(now, &seed).unwrap();
    world.wait(0);
    let name = world.server.user("app", "alice").unwrap().name;
    assert_eq!(name, "Alicia");
    let conversation = world.server.conversation("app", "c").unwrap();
    assert_eq!(conversation.participants.len(), 3);
    assert_eq!(world.server.messages("app", "c").len(), 1);
    assert_eq!(world.events(bob)[0]["type"], "message.created");
    let refused = Seed::new("app").message("c", "nobody", "x");
    assert!(world.server.add_seed(now, &refused).is_err());
}

#[test]
fn find_compares_members_of_objects() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_requests(10);
    for text in ["one", "two"] {
        let data = json!({ "content": text_block(text), "custom": { "k": "v" } });
        world.ok(alice, "POST", "/conversations/c/messages", data);
    }
    let find = |kind, pattern: Value| {
        let found = world.server.find(kind, "app", pattern.as_object().unwrap());
        found.map_err(|not_found| not_found.seen)
    };
    let found = find(FindKind::Message, json!({ "custom": { "k": "v" } })).unwrap();
    assert_eq!(found["text"], "two");
    let found = find(
        FindKind::Message,
        json!({ "conversationId": "c", "text": "one" }),
    );
    assert_eq!(found.unwrap()["senderId"], "alice");
    let pattern = json!({ "conversationId": "d" });
    assert_eq!(find(FindKind::Message, pattern), Err(0));
    assert_eq!(find(FindKind::Message, json!({ "text": "x" })), Err(2));
    let pattern = json!({ "senderId": null });
    assert_eq!(find(FindKind::Message, pattern), Err(2));
    let pattern =
        json!({ "senderId": "alice", "referencedMessageId": null, "type": "UserMessage" });
    assert_eq!(find(FindKind::Message, pattern).unwrap()["text"], "two");
    let found = find(FindKind::User, json!({ "name": "Carol" })).unwrap();
    assert_eq!(found["id"], "carol");
    let found = find(FindKind::Conversation, json!({ "id": "c" })).unwrap();
    assert!(found["participants"]["alice"].is_object());
    let pattern = json!({ "method": "POST", "data": { "custom": { "k": "v" } } });
    let found = find(FindKind::Request, pattern).unwrap();
    assert_eq!(found["n"], 2);
    let found = find(FindKind::Connection, json!({ "user": "bob" })).unwrap();
    assert_eq!(found["authenticated"], true);
    assert_eq!(find(FindKind::Webhook, json!({})), Err(0));
}

#[test]
fn find_returns_newest_match() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_requests(10);
    // The newer message is in the conversation with the smaller ID.
    for id in ["b", "a"] {
        let conversation = format!("/conversations/{id}");
        world.ok(alice, "POST", &conversation, json!({ "subject": "s" }));
        world.add(alice, id, &["alice"]);
        let messages = format!("{conversation}/messages");
        for text in ["same", "other", "same", "last"] {
            let data = json!({ "content": text_block(text) });
            world.ok(alice, "POST", &messages, data);
            world.wait(1);
        }
    }
    // Imported messages may have equal times.
    let messages = ["first", "second", "third"].map(|key| {
        json!({
            "text": "equal",
            "type": "UserMessage",
            "sender": "alice",
            "custom": { "key": key },
            "createdAt": 1_600_000_000_000_u64,
        })
    });
    let request = Request::post("/v1/app/import/conversations/c/messages")
        .header("authorization", "Bearer any")
        .header("content-type", "application/json")
        .body(json!(messages).to_string().into())
        .unwrap();
    let now = world.time();
    let response = world.server.http(now, &request);
    assert_eq!(response.status(), 200, "{:?}", response.body());

    let find = |kind, pattern: Value| {
        let found = world.server.find(kind, "app", pattern.as_object().unwrap());
        found.unwrap()
    };
    let same = find(FindKind::Message, json!({ "text": "same" }));
    assert_eq!(same["conversationId"], "a");
    let pattern = json!({ "text": "same", "id": same["id"] });
    assert_eq!(find(FindKind::Message, pattern), same);
    let last = find(FindKind::Message, json!({}));
    assert_eq!(last["text"], "last");
    let equal = find(FindKind::Message, json!({ "text": "equal" }));
    assert_eq!(equal["custom"]["key"], "third");
    let found = find(FindKind::Conversation, json!({ "subject": "s" }));
    assert_eq!(found["id"], "a");
    let found = find(FindKind::Request, json!({ "method": "POST" }));
    assert_eq!(found["path"], "/v1/app/import/conversations/c/messages");
    let pattern = json!({ "path": "/conversations/b/messages" });
    assert_eq!(find(FindKind::Request, pattern)["user"], "alice");
}

#[test]
fn version_changes_with_objects() {
    let (mut world, alice, _) = World::of_friends();
    world.server.record_requests(10);
    let version = |world: &World, kind| world.server.version_of(kind);
    for kind in [FindKind::Message, FindKind::Request] {
        let before = version(&world, kind);
        assert_eq!(version(&world, kind), before);
        let data = json!({ "content": text_block("hi") });
        world.ok(alice, "POST", "/conversations/c/messages", data);
        assert_ne!(version(&world, kind), before);
    }
    let before = version(&world, FindKind::User);
    world.ok(alice, "GET", "/ping", json!({}));
    assert_eq!(version(&world, FindKind::User), before);
    assert_eq!(version(&world, FindKind::Connection), None);
}
