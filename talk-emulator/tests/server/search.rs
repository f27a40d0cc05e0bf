use serde_json::{Value, json};

use super::support::{APP, Peer, World, get, picture};

fn world() -> (World, Peer, Peer) {
    let mut world = World::new();
    let alice = world.open("alice");
    world.ok(
        alice,
        "POST",
        "/session/renew",
        json!({ "token": "of-alice" }),
    );
    let [_, bob] = world.befriend();
    (world, alice, bob)
}

/// Returns the status and the chunks of a search.
fn search(world: &mut World, what: &str, query: &str) -> (u16, Vec<String>) {
    let uri = format!("/public_api/v1/{APP}/me/{what}/search?{query}");
    let mut request = get(&uri);
    request
        .headers_mut()
        .insert("authorization", "Bearer of-alice".parse().unwrap());
    let now = world.time();
    let response = world.server.http(now, &request);
    let chunks = response
        .body()
        .iter()
        .map(|it| String::from_utf8(it.to_vec()).unwrap());
    (response.status().as_u16(), chunks.collect())
}

fn results(world: &mut World, what: &str, query: &str) -> (Vec<Value>, Option<String>) {
    let (status, chunks) = search(world, what, query);
    assert_eq!(status, 200, "{chunks:?}");
    let body: Value = serde_json::from_str(&chunks.concat()).unwrap();
    let cursor = body.get("cursor").map(|it| it.as_str().unwrap().to_owned());
    (body["data"].as_array().unwrap().clone(), cursor)
}

fn texts(found: &[Value]) -> Vec<&str> {
    found
        .iter()
        .map(|it| it["content"][0]["children"][0].as_str().unwrap())
        .collect()
}

#[test]
fn search_messages_newest_first() {
    let (mut world, alice, bob) = world();
    world.ok(alice, "POST", "/conversations/d", json!({}));
    world.add(alice, "d", &["alice"]);
    world.ok(bob, "POST", "/conversations/bobs", json!({}));
    world.add(bob, "bobs", &["bob"]);
    for (peer, conversation, text) in [
        (alice, "c", "hello 1"),
        (alice, "d", "Hello 2"),
        (bob, "bobs", "hello of others"),
        (alice, "c", "other"),
        (alice, "c", "hello 3"),
    ] {
        world.say(peer, conversation, text);
    }
    let (found, cursor) = results(
        &mut world,
        "messages",
        "searchString=hel&conversationFilter=%7B%7D&limit=2",
    );
    assert_eq!(texts(&found), ["hello 3", "Hello 2"]);
    assert_eq!(found[1]["conversationId"], "d");
    let query = format!("cursor={}&limit=10", cursor.unwrap());
    let (found, cursor) = results(&mut world, "messages", &query);
    assert_eq!(texts(&found), ["hello 1"]);
    assert_eq!(cursor, None);
}

#[test]
fn search_results_stream_by_line() {
    let (mut world, alice, _) = world();
    for _ in 0..3 {
        world.say(alice, "c", "hi");
    }
    let (_, chunks) = search(&mut world, "messages", "searchString=hi&limit=2");
    assert_eq!(chunks[0], "{\"data\":[\n");
    assert!(chunks[1].starts_with("{\"conversationId\"") && chunks[1].ends_with("}\n"));
    assert!(chunks[2].starts_with(",{"));
    assert!(chunks[3].starts_with("],\"cursor\":\"") && chunks[3].ends_with("\"}"));
    let (_, chunks) = search(&mut world, "messages", "searchString=nothing&limit=2");
    assert_eq!(chunks.concat(), "{\"data\":[\n]}");
}

#[test]
fn search_ignores_formatting() {
    let (mut world, alice, _) = world();
    let content = json!([{ "type": "text", "children": [
        "fan",
        { "type": "bold", "children": ["tastic"] },
        { "type": "mention", "id": "bob", "text": "Bob" },
    ] }]);
    world.ok(
        alice,
        "POST",
        "/conversations/c/messages",
        json!({ "content": content }),
    );
    let token = world.upload(picture());
    let file = json!([{ "type": "file", "fileToken": token }]);
    world.ok(
        alice,
        "POST",
        "/conversations/c/messages",
        json!({ "content": file }),
    );
    assert_eq!(
        results(&mut world, "messages", "searchString=fantas")
            .0
            .len(),
        1
    );
    assert_eq!(
        results(&mut world, "messages", "searchString=cat").0.len(),
        0
    );
}

#[test]
fn search_conversations_by_subject_or_field() {
    let (mut world, alice, _) = world();
    for (id, params) in [
        (
            "1",
            json!({ "subject": "Blue bike", "custom": { "search": "red car" } }),
        ),
        ("2", json!({ "subject": "Blue car" })),
        (
            "3",
            json!({ "custom": { "search": "blue CARAVAN", "other": "blue bus" } }),
        ),
    ] {
        world.ok(alice, "POST", &format!("/conversations/{id}"), params);
        world.add(alice, id, &["alice"]);
    }
    let mut ids = |query: &str| -> Vec<String> {
        let (found, _) = results(&mut world, "conversations", query);
        found
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        ids("searchString=blue%2520car"),
        ["3", "2"],
        "all words in one of the two"
    );
    assert_eq!(ids("searchString=bus"), [] as [&str; 0]);
    let filter = "%7B%22subject%22%3A%5B%22%3D%3D%22%2Cnull%5D%7D";
    assert_eq!(
        ids(&format!("searchString=blue&conversationFilter={filter}")),
        ["3"]
    );
}

#[test]
fn search_invalid_query_is_refused() {
    let (mut world, alice, _) = world();
    world.say(alice, "c", "hi");
    for query in [
        "",
        "searchString=x&limit=0",
        "searchString=x&limit=a",
        "searchString=x&conversationFilter=x",
        "cursor=x",
    ] {
        assert_eq!(search(&mut world, "messages", query).0, 400, "{query}");
    }
    let status = world
        .http(get(&format!(
            "/public_api/v1/{APP}/me/messages/search?searchString=x"
        )))
        .0;
    assert_eq!(status, 200, "the token is anybody's that it came with last");
    let unknown = http::Request::get(format!(
        "/public_api/v1/{APP}/me/messages/search?searchString=x"
    ));
    assert_eq!(world.http(unknown.body(Default::default()).unwrap()).0, 401);
}

#[test]
fn search_not_in_plan_is_refused() {
    let (mut world, _, _) = world();
    let now = world.time();
    let settings = serde_json::from_value(json!({ "limits": { "search": false } })).unwrap();
    world.server.set_settings(now, settings);
    let (status, chunks) = search(&mut world, "messages", "searchString=x");
    let body: Value = serde_json::from_str(&chunks.concat()).unwrap();
    assert_eq!(
        (status, &body["errorCode"]),
        (403, &json!("SEARCH_NOT_AVAILABLE"))
    );
}
