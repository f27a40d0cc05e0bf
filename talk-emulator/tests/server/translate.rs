use serde_json::{Value, json};

use super::support::World;

const TRANSLATE: &str = "/me/conversations/c/translate";

#[test]
fn translate_prefixes_language() {
    let (mut world, alice, bob) = World::of_friends();
    let text = world.say(alice, "c", "hi");
    let place = json!([{ "type": "location", "latitude": 1, "longitude": 2 }]);
    let sent = world.ok(
        alice,
        "POST",
        "/conversations/c/messages",
        json!({ "content": place }),
    );
    let location = sent["id"].as_str().unwrap();
    let ids = json!({ "ids": [text, location, "none"], "lang": "nl-BE" });
    assert_eq!(
        world.ok(bob, "GET", TRANSLATE, ids),
        json!({ "data": {
            (&text): { "content": [{ "type": "text", "children": ["[nl] ", "hi"] }] },
            location: { "content": place },
            "none": null,
        }})
    );
    let taiwan = world.ok(
        bob,
        "GET",
        TRANSLATE,
        json!({ "ids": [text], "lang": "zh-TW" }),
    );
    assert_eq!(
        taiwan["data"][&text]["content"][0]["children"][0],
        "[zh-TW] "
    );
}

#[test]
fn translate_invalid_request_is_refused() {
    let (mut world, alice, _) = World::of_friends();
    let data = |lang: &str| json!({ "ids": [], "lang": lang });
    let carol = world.connect("carol");
    assert_eq!(world.refused(carol, "GET", TRANSLATE, data("nl")).0, 403);
    assert_eq!(
        world
            .refused(alice, "GET", "/me/conversations/none/translate", data("nl"))
            .0,
        404
    );
    assert_eq!(world.refused(alice, "GET", TRANSLATE, data("Dutch")).0, 400);
    let ids: Vec<Value> = (0..101).map(|n| n.to_string().into()).collect();
    assert_eq!(
        world
            .refused(alice, "GET", TRANSLATE, json!({ "ids": ids, "lang": "nl" }))
            .0,
        400
    );
    let now = world.time();
    let settings = serde_json::from_value(json!({ "limits": { "translation": false } })).unwrap();
    world.server.set_settings(now, settings);
    assert_eq!(world.refused(alice, "GET", TRANSLATE, data("nl")).0, 403);
}
