use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::support::World;

const IMPORT: &str = "/import/conversations/c/messages";
const MESSAGES: &str = "/conversations/c/messages";

fn user(sender: &str, text: &str, created_at: u64) -> Value {
    json!({ "type": "UserMessage", "sender": sender, "text": text, "createdAt": created_at })
}

fn ids_of(created: &Value) -> Vec<String> {
    let created = created.as_array().unwrap().iter();
    created
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn import_keeps_times_and_causes_no_events() {
    let (mut world, alice, bob) = World::of_friends();
    let parts = ["/me/conversations", "/me/conversations/c/messages"];
    for peer in [alice, bob] {
        world.subscribe(peer, &parts);
    }
    world.forget_events(&[alice, bob]);
    let last = world.say(alice, "c", "new");
    world.forget_events(&[alice, bob]);
    let token = world.upload(crate::server::support::picture());
    let mut old = user("alice", "*Old*", 1_509_132_622_706);
    old["custom"] = json!({ "k": "v" });
    old["idempotencyKey"] = json!("k");
    let older_form = json!({
        "type": "UserMessage", "sender": "bob", "text": "Older form", "readBy": ["alice"],
        "timestamp": 1_509_132_692_706_u64, "attachmentToken": token,
    });
    let system = json!({
        "type": "SystemMessage", "text": "s", "createdAt": 1_509_132_612_706_u64,
    });
    let list = json!([old, older_form, system]);
    let ids = ids_of(&world.done("POST", IMPORT, list.clone()));
    assert!(world.events(alice).is_empty() && world.events(bob).is_empty());
    let order = [&last, &ids[1], &ids[0], &ids[2]];
    assert_eq!(world.ids(MESSAGES).iter().collect::<Vec<_>>(), order);
    let message = world.read(&format!("{MESSAGES}/{}", ids[0]));
    assert_eq!(message["origin"], "import");
    assert_eq!(message["createdAt"], 1_509_132_622_706_u64);
    assert_eq!(message["custom"], json!({ "k": "v" }));
    // Clients see it when they fetch.
    let fetched = world.ok(bob, "GET", "/me/conversations/c/messages", json!({}));
    assert_eq!(fetched["data"][2]["origin"], "import");
    // Nothing is deduplicated.
    let again = ids_of(&world.done("POST", IMPORT, list));
    assert!(again.iter().all(|id| !ids.contains(id)));
    assert_eq!(world.ids(MESSAGES).len(), 7);
}

#[test]
fn import_counts_unread_and_moves_readers() {
    let (mut world, _, bob) = World::of_friends();
    world.wait(1000);
    let now = world.now();
    let mut message = user("alice", "x", now - 500);
    world.done("POST", IMPORT, json!([message]));
    let side = world.ok(bob, "GET", "/me/conversations/c", json!({}));
    assert_eq!(side["unreadMessageCount"], 1);
    assert_eq!(side["lastMessageAt"], now - 500);
    message["createdAt"] = json!(now + 1_000_000);
    message["readBy"] = json!(["bob", "nobody"]);
    let id = ids_of(&world.done("POST", IMPORT, json!([message])));
    let side = world.ok(bob, "GET", "/me/conversations/c", json!({}));
    assert_eq!(side["unreadMessageCount"], 0);
    assert_eq!(side["readUntil"], now, "a time in the future becomes now");
    let message = world.read(&format!("{MESSAGES}/{}", id[0]));
    assert_eq!(message["readBy"], json!(["bob"]));
}

#[test]
fn import_invalid_list_imports_nothing() {
    let (mut world, _, _) = World::of_friends();
    let good = user("alice", "x", 1);
    let mut untimed = good.clone();
    untimed["createdAt"] = Value::Null;
    for (message, code) in [
        (untimed, "INVALID_MESSAGE"),
        (user("carol", "x", 1), "NOT_A_PARTICIPANT"),
        (user("alice", "", 1), "INVALID_MESSAGE"),
    ] {
        let answer = world.rejected("POST", IMPORT, json!([good, message]));
        assert_eq!(answer, (400, code.to_owned()), "{message}");
    }
    let many = json!(vec![good; 1001]);
    let answer = world.rejected("POST", IMPORT, many);
    assert_eq!(answer, (400, "INVALID_MESSAGE".to_owned()));
    assert!(world.ids(MESSAGES).is_empty());
}

/// Pages through a list of the REST API.
fn rest_pages(world: &mut World, limit: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.ids(&format!("{MESSAGES}?limit={limit}{after}"));
        let is_last = page.len() < limit;
        after = format!("&startingAfter={}", page.last().map_or("", |id| id));
        all.extend(page);
        if is_last {
            return all;
        }
    }
}

/// Pages through a list of the socket, or the results of a search.
fn cursor_pages(mut page: impl FnMut(Value) -> Value) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let found = page(cursor);
        let data = found["data"].as_array().unwrap().iter();
        all.extend(data.map(|it| it["id"].as_str().unwrap().to_owned()));
        cursor = found["cursor"].clone();
        if cursor.is_null() {
            return all;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Messages with equal times lose nothing, on any front, in any page size, and over a restart.
    #[test]
    fn pages_of_equal_times_lose_nothing(
        imports in prop::collection::vec(prop::collection::vec((0..2_usize, 1..4_u64), 1..6), 1..6),
        limit in 1..5_usize,
        deleted in 0..8_usize,
    ) {
        let mut world = World::keeping();
        let [alice, _] = world.befriend();
        world.done("PUT", "/conversations/d", json!({ "participants": ["alice"] }));
        let mut expected = Vec::new();
        for import in imports {
            for conversation in [0, 1] {
                let mine: Vec<_> = import.iter().filter(|(to, _)| *to == conversation).collect();
                if mine.is_empty() {
                    continue;
                }
                let name = ["c", "d"][conversation];
                let list: Vec<_> = mine.iter().map(|(_, at)| user("alice", "word", *at)).collect();
                let path = format!("/import/conversations/{name}/messages");
                let ids = ids_of(&world.done("POST", &path, json!(list)));
                expected.extend(mine.iter().zip(ids).map(|((_, at), id)| (*at, name, id)));
            }
        }
        if let Some((_, "c", id)) = expected.get(deleted).cloned() {
            world.done("DELETE", &format!("{MESSAGES}/{id}"), Value::Null);
            expected.remove(deleted);
        }
        // By time, then conversation, then arrival; newest first.
        expected.sort_by_key(|(at, name, _)| (*at, *name));
        expected.reverse();
        let in_c: Vec<&String> = expected
            .iter()
            .filter(|(_, name, _)| *name == "c")
            .map(|(_, _, id)| id)
            .collect();
        for restarts in [false, true] {
            if restarts {
                world.restart();
            }
            let alice = if restarts { world.connect("alice") } else { alice };
            let by_rest = rest_pages(&mut world, limit);
            prop_assert_eq!(by_rest.iter().collect::<Vec<_>>(), in_c.clone());
            let path = "/me/conversations/c/messages";
            let on_socket = cursor_pages(|cursor| {
                world.ok(alice, "GET", path, json!({ "limit": limit, "cursor": cursor }))
            });
            prop_assert_eq!(on_socket.iter().collect::<Vec<_>>(), in_c.clone());
        }
        let found = cursor_pages(|cursor| {
            let query = match cursor.as_str() {
                Some(cursor) => format!("cursor={cursor}"),
                None => "searchString=word".to_owned(),
            };
            let uri = format!("/public_api/v1/app/me/messages/search?limit={limit}&{query}");
            let mut request = crate::server::support::get(&uri);
            let token = super::support::sign(
                "any",
                &json!({ "tokenType": "user", "iss": "app", "sub": "alice" }),
            );
            let bearer = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", bearer);
            world.http(request).1
        });
        let all: Vec<&String> = expected.iter().map(|(_, _, id)| id).collect();
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), all);
    }

    /// Conversations with equal activity lose nothing.
    #[test]
    fn pages_of_equal_activity_lose_nothing(
        times in prop::collection::vec(1..3_u64, 1..9),
        limit in 1..4_usize,
        is_ascending in any::<bool>(),
    ) {
        let mut world = World::new();
        world.provision(&["alice"]);
        let alice = world.connect("alice");
        let mut expected = Vec::new();
        for (n, at) in times.into_iter().enumerate() {
            let id = format!("c{n}");
            let body = json!({ "participants": ["alice"] });
            world.done("PUT", &format!("/conversations/{id}"), body);
            let path = format!("/import/conversations/{id}/messages");
            world.done("POST", &path, json!([user("alice", "x", at)]));
            expected.push((at, id));
        }
        expected.sort();
        let ascending: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
        let descending: Vec<String> = ascending.iter().rev().cloned().collect();
        let on_socket = cursor_pages(|cursor| {
            let data = json!({ "limit": limit, "cursor": cursor });
            world.ok(alice, "GET", "/me/conversations", data)
        });
        prop_assert_eq!(&on_socket, &descending);
        let (direction, expected) =
            if is_ascending { ("ASC", ascending) } else { ("DESC", descending) };
        for list in ["/conversations", "/users/alice/conversations"] {
            let mut found: Vec<String> = Vec::new();
            loop {
                let after = found.last().map(|id| format!("&startingAfter={id}"));
                let query = format!(
                    "?limit={limit}&orderDirection={direction}{}",
                    after.unwrap_or_default()
                );
                let page = world.ids(&format!("{list}{query}"));
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            prop_assert_eq!(&found, &expected);
        }
    }
}
