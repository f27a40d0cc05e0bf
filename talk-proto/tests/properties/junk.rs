//! An unreadable item of a page, map, publish or search leaves all others as they are.

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::support::junk::{places, replace_item};

/// Junk that has been a problem, or could be one.
const JUNK: [&str; 14] = [
    "null",
    "true",
    "5",
    "-1",
    "1.5",
    "1e999",
    "\"\"",
    r#""\ud83d""#,
    "[]",
    "[null,{}]",
    "{}",
    r#"{"id":5,"userId":[],"name":{}}"#,
    r#"{"id":"x","\udc4d":"\ud83d","createdAt":null,"custom":[]}"#,
    r#"{"a":{"a":{"a":[[[[[[]]]]]]}}}"#,
];

/// Names of members that are in items or hold them.
const NAMES: [&str; 15] = [
    "id",
    "userId",
    "createdAt",
    "joinedAt",
    "lastMessageAt",
    "custom",
    "content",
    "children",
    "reactions",
    "name",
    "subject",
    "usersTyping",
    "many",
    "referencedMessageId",
    "senderId",
];

fn deep() -> String {
    format!("{}1{}", "[{\"a\":".repeat(200), "}]".repeat(200))
}

/// Returns JSON whose members have the names of the protocol.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        4 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[test]
fn known_junk_leaves_other_items() {
    let deep = deep();
    for (kind, place) in places() {
        for junk in JUNK.iter().copied().chain([deep.as_str()]) {
            replace_item(kind, place, junk);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_junk_leaves_other_items(place in prop::sample::select(places()), junk in json()) {
        let (kind, place) = place;
        replace_item(kind, place, &junk.to_string());
    }
}
