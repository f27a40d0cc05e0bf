use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::support::request;
use crate::server::support::World;

/// Creates conversations `a`, `b` and `c` of alice, one second apart; `a` has the last message and
/// `c` has none.
fn three() -> (World, [u64; 3]) {
    let mut world = World::new();
    world.provision(&["alice", "bob"]);
    let mut times = [0; 3];
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        world.wait(1000);
        let body = json!({
            "participants": ["alice"],
            "custom": { "n": n.to_string() },
        });
        world.done("PUT", &format!("/conversations/{id}"), body);
        times[n] = world.now();
    }
    for id in ["b", "a"] {
        world.wait(1000);
        let path = format!("/conversations/{id}/messages");
        world.done(
            "POST",
            &path,
            json!([{ "type": "SystemMessage", "text": "x" }]),
        );
    }
    (world, times)
}

fn versioned(world: &mut World, path: &str, version: &str) -> (u16, Value) {
    let mut request = request("GET", path, &Value::Null);
    let version = version.parse().unwrap();
    request.headers_mut().insert("talkjs-rest-version", version);
    world.http(request)
}

fn filtered(world: &mut World, list: &str, filter: &Value) -> Vec<String> {
    let filter = utf8_percent_encode(&filter.to_string(), NON_ALPHANUMERIC).to_string();
    world.ids(&format!("{list}?filter={filter}"))
}

#[test]
fn lists_order_by_activity_or_creation() {
    let (mut world, _) = three();
    for list in ["/conversations", "/users/alice/conversations"] {
        for (query, order) in [
            ("", ["a", "b", "c"]),
            ("?orderBy=lastActivity&orderDirection=ASC", ["c", "b", "a"]),
            ("?orderBy=createdAt", ["c", "b", "a"]),
            ("?orderBy=createdAt&orderDirection=ASC", ["a", "b", "c"]),
        ] {
            assert_eq!(world.ids(&format!("{list}{query}")), order, "{list}{query}");
        }
        for query in ["orderBy=x", "orderDirection=desc"] {
            let answer = world.rejected("GET", &format!("{list}?{query}"), Value::Null);
            assert_eq!(answer, (400, "INVALID_ORDER".to_owned()));
        }
    }
    assert!(world.ids("/users/bob/conversations").is_empty());
    let first = world.ids("/conversations?limit=2");
    assert_eq!(first, ["a", "b"]);
    assert_eq!(world.ids("/conversations?limit=2&startingAfter=b"), ["c"]);
}

#[test]
fn lists_offset_and_last_message_limit_times() {
    let (mut world, [a, b, c]) = three();
    let sent = c + 1000;
    for (query, found) in [
        (format!("orderBy=createdAt&offsetTs={c}"), &["b", "a"][..]),
        (
            format!("orderBy=createdAt&orderDirection=ASC&offsetTs={a}"),
            &["b", "c"],
        ),
        (
            format!("orderBy=createdAt&offsetTs={a}&startingAfter=c"),
            &["b", "a"],
        ),
        (format!("offsetTs={sent}"), &["c"]),
        (format!("lastMessageAfter={sent}"), &["a"]),
        (format!("lastMessageBefore={}", sent + 1000), &["b"]),
        (format!("lastMessageAfter={b}"), &["a", "b"]),
    ] {
        assert_eq!(
            world.ids(&format!("/conversations?{query}")),
            found,
            "{query}"
        );
    }
    for name in ["offsetTs", "lastMessageAfter", "lastMessageBefore"] {
        let answer = world.rejected("GET", &format!("/conversations?{name}=x"), Value::Null);
        assert_eq!(answer, (400, "INVALID_TIME".to_owned()));
    }
}

#[test]
fn lists_of_users_have_their_members_and_unread_filter() {
    let (mut world, alice, bob) = World::of_friends();
    world.done(
        "PUT",
        "/conversations/d",
        json!({ "participants": ["bob"] }),
    );
    world.wait(1000);
    world.say(alice, "c", "x");
    let list = "/users/bob/conversations";
    assert_eq!(world.ids(list), ["c", "d"]);
    assert_eq!(world.ids(&format!("{list}?unreadsOnly=true")), ["c"]);
    let item = world.read(list)["data"][0].clone();
    let side = world.ok(bob, "GET", "/me/conversations/c", json!({}));
    for member in [
        "access",
        "notify",
        "joinedAt",
        "readUntil",
        "isUnread",
        "unreadMessageCount",
        "everyoneReadUntil",
    ] {
        assert_eq!(item[member], side[member], "{member}");
    }
    assert_eq!(item["lastMessage"]["text"], "x");
    world.ok(bob, "POST", "/me/conversations/c/read", json!({}));
    assert!(world.ids(&format!("{list}?unreadsOnly=true")).is_empty());
}

#[test]
fn lists_filter_with_language_of_socket_and_classic_names() {
    let (mut world, [a, ..]) = three();
    let list = "/conversations";
    for (filter, found) in [
        (json!({ "custom": { "n": ["==", "1"] } }), &["b"][..]),
        (json!({ "custom": { "n": ["!oneOf", ["1"]] } }), &["a", "c"]),
        (json!({ "custom": { "x": ["!=", "1"] } }), &["a", "b", "c"]),
        (json!({ "createdAt": ["<=", a] }), &["a"]),
        (json!({ "hasMessages": false }), &["c"]),
        (json!({ "lastMessageTs": [">", a + 2000] }), &["a", "b"]),
        (
            json!(["any", [{ "custom": { "n": ["==", "0"] } }, { "hasMessages": false }]]),
            &["a", "c"],
        ),
    ] {
        assert_eq!(filtered(&mut world, list, &filter), found, "{filter}");
    }
    let mine = "/users/alice/conversations";
    for filter in [
        json!({ "isUnread": false }),
        json!({ "hasUnreadMessages": false }),
        json!({ "access": ["==", "ReadWrite"] }),
        json!({ "joinedAt": [">", 0] }),
    ] {
        assert_eq!(filtered(&mut world, mine, &filter).len(), 3, "{filter}");
        let text = utf8_percent_encode(&filter.to_string(), NON_ALPHANUMERIC).to_string();
        let answer = world.rejected("GET", &format!("{list}?filter={text}"), Value::Null);
        assert_eq!(answer, (400, "INVALID_FILTER".to_owned()), "{filter}");
    }
    // Some back ends encode twice.
    let filter = json!({ "custom": { "n": ["==", "1"] } }).to_string();
    let once = utf8_percent_encode(&filter, NON_ALPHANUMERIC).to_string();
    let twice = utf8_percent_encode(&once, NON_ALPHANUMERIC).to_string();
    assert_eq!(world.ids(&format!("{list}?filter={twice}")), ["b"]);
    for filter in ["x", "%7B%22unknown%22%3A1%7D", "%5B%5D"] {
        let answer = world.rejected("GET", &format!("{list}?filter={filter}"), Value::Null);
        assert_eq!(answer, (400, "INVALID_FILTER".to_owned()), "{filter}");
    }
}

#[test]
fn lists_in_older_versions_differ() {
    let (mut world, [.., c]) = three();
    let ids = |answer: (u16, Value)| -> Vec<String> {
        assert_eq!(answer.0, 200, "{}", answer.1);
        let items = answer.1["data"].as_array().unwrap().clone();
        let ids = items.iter().map(|it| it["id"].as_str().unwrap().to_owned());
        ids.collect()
    };
    let path = format!("/conversations?orderBy=x&orderDirection=ASC&offsetTs={c}");
    let first = versioned(&mut world, &path, "2021-01-01");
    assert_eq!(ids(first), ["c", "b", "a"]);
    assert_eq!(versioned(&mut world, &path, "2021-02-09").0, 400);
    let unknown = "/users/nobody/conversations";
    for version in ["2021-01-01", "2021-02-09", "2021-07-30"] {
        assert!(ids(versioned(&mut world, unknown, version)).is_empty());
    }
    assert_eq!(versioned(&mut world, unknown, "2024-01-01").0, 404);
    let answer = world.rejected("GET", unknown, Value::Null);
    assert_eq!(answer, (404, "USER_NOT_FOUND".to_owned()));
    assert_eq!(versioned(&mut world, unknown, "2022-01-01").0, 400);

    let now = world.time();
    let settings = json!({ "restVersion": "2021-07-30" });
    let settings = serde_json::from_value(settings).unwrap();
    world.server.set_settings(now, settings);
    assert_eq!(world.rest("GET", unknown, Value::Null).0, 200);
}

#[test]
fn list_filter_of_access_has_users_without_access() {
    let (mut world, _) = three();
    let path = "/conversations/b/participants/alice";
    world.done("PATCH", path, json!({ "access": "None" }));
    let mut filtered = |condition: Value| {
        let filter = json!({ "access": condition }).to_string();
        let filter = utf8_percent_encode(&filter, NON_ALPHANUMERIC);
        world.ids(&format!("/users/alice/conversations?filter={filter}"))
    };
    assert_eq!(filtered(json!(["==", "ReadWrite"])), ["a", "c"]);
    assert_eq!(
        filtered(json!(["oneOf", ["ReadWrite", "Read"]])),
        ["a", "c"]
    );
    assert_eq!(filtered(json!(["!=", "Read"])), ["a", "b", "c"]);
    assert_eq!(filtered(json!(["!oneOf", ["ReadWrite"]])), ["b"]);
}

#[test]
fn list_query_is_checked_before_the_user() {
    let mut world = World::new();
    for query in ["limit=0", "orderBy=x", "filter=x"] {
        let path = format!("/users/nobody/conversations?{query}");
        assert_eq!(world.rest("GET", &path, Value::Null).0, 400, "{query}");
    }
}
