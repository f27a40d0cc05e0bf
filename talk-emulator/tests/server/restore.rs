//! A restored server continues with the records of an earlier one.

use serde_json::json;
use talk_emulator::server::{Key, Server, Settings};

use super::support::{World, get, picture, text_block};

#[test]
fn restore_keeps_users_files_and_keys() {
    let mut world = World::keeping();
    let [alice, bob] = world.befriend();
    let params = json!({ "name": "A", "email": "a@example.com", "custom": { "k": "v" } });
    world.ok(alice, "PUT", "/users/alice", params);
    let token = world.upload(picture());
    let key = "00000000000000000000";
    let data = json!({
        "content": [{ "type": "file", "fileToken": token }],
        "idempotencyKey": key,
    });
    let sent = world.ok(alice, "POST", "/conversations/c/messages", data.clone());
    let path = format!(
        "/me/conversations/c/messages/{}",
        sent["id"].as_str().unwrap()
    );
    let users = json!({ "ids": ["alice", "bob", "carol"] });
    let before = world.ok(bob, "GET", "/users", users.clone());
    let block = world.ok(bob, "GET", &path, json!({}))["content"][0].clone();

    world.restart();
    let [alice, bob] = [world.connect("alice"), world.connect("bob")];
    assert_eq!(world.ok(bob, "GET", "/users", users), before);
    // A send with the same key after the restart returns the first message.
    assert_eq!(
        world.ok(alice, "POST", "/conversations/c/messages", data),
        sent
    );
    let list = world.ok(bob, "GET", "/me/conversations", json!({}));
    assert_eq!(list["data"][0]["unreadMessageCount"], 1);

    // The address of the server has changed, and with it the URLs of its files.
    let mut moved = world.ok(bob, "GET", &path, json!({}))["content"][0].clone();
    let url = moved["url"].take();
    let url = url.as_str().unwrap();
    assert_ne!(block["url"], url);
    assert_eq!(moved["size"], block["size"]);
    let found = world.server.download(&get(url)).unwrap();
    assert_eq!((found.token, found.file), (token, picture()));

    // The generator of IDs continues, so that no ID is repeated.
    let again = world.say(alice, "c", "after");
    assert_ne!(sent["id"], again);
}

#[test]
fn take_changes_reports_each_change_once() {
    let mut world = World::new();
    let [alice, _] = world.befriend();
    world.say(alice, "c", "hi");
    assert_eq!(world.server.take_changes(), []);

    let now = world.time();
    let mut server = Server::restore(Settings::default(), 1, now, []).unwrap();
    assert_eq!(server.take_changes().len(), 2, "settings and randomness");
    assert_eq!(server.take_changes(), []);
    server.set_settings(now, Settings::default());
    let keys: Vec<Key> = server.take_changes().into_iter().map(|it| it.key).collect();
    assert_eq!(keys, [Key::Settings]);
}

#[test]
fn restore_unreadable_record_names_key() {
    let now = World::new().time();
    let key = Key::User {
        app: "app".to_owned(),
        user: "alice".to_owned(),
    };
    let orphan = Key::Message {
        app: "app".to_owned(),
        conversation: "c".to_owned(),
        message: "m".to_owned(),
    };
    for (key, value) in [
        (key, "[]".to_owned()),
        (orphan, text_block("x").to_string()),
    ] {
        let wrong = Server::restore(Settings::default(), 1, now, [(key.clone(), value)]);
        assert_eq!(wrong.unwrap_err().key, key);
    }
}
