//! Unusual JSON that is accepted, and JSON that is refused with a reason.

use serde::de::value::{BytesDeserializer, Error, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Value, json};
use talk_proto::{
    Timestamp,
    command::SendMessage,
    content::{ContentBlock, TextNode},
    model::{Custom, MessageSnapshot, Notify, OneOrMany, Reactions},
};

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn reason<T: DeserializeOwned>(value: Value) -> String {
    match serde_json::from_value::<T>(value) {
        Ok(_) => panic!("it was understood"),
        Err(error) => error.to_string(),
    }
}

/// The service stores only strings. Other values are skipped, and the rest is kept.
#[test]
fn custom_data_is_strings() {
    let given = json!({"text": "a", "null": null, "bool": true, "int": -1, "uint": 1,
        "float": 1.5, "list": [1, [2]], "object": {"a": {"b": 1}}, "last": "z"});
    let text = given.to_string();
    let expected = Custom::from_iter([("text", "a"), ("last", "z")]);
    assert_eq!(read::<Custom>(given), expected);
    assert_eq!(serde_json::from_str::<Custom>(&text).unwrap(), expected);
    assert_eq!(read::<Custom>(Value::Null), Custom::default());
    let told = reason::<Custom>(json!(7));
    assert!(told.contains("an object of strings, or null"), "{told}");
}

#[test]
fn timestamp_accepts_any_number() {
    assert_eq!(read::<Timestamp>(json!(-5)), Timestamp::from_millis(-5));
    assert_eq!(
        read::<Timestamp>(json!(1.9e3)),
        Timestamp::from_millis(1900)
    );
    assert_eq!(
        read::<Timestamp>(json!(1e300)),
        Timestamp::from_millis(i64::MAX)
    );
    assert_eq!(
        read::<Timestamp>(json!(u64::MAX)),
        Timestamp::from_millis(i64::MAX)
    );
    let refusal = reason::<Timestamp>(json!("5"));
    assert!(refusal.contains("a number of milliseconds"), "{refusal}");
}

#[test]
fn notify_unknown_setting_is_kept() {
    let settings = [
        (json!(false), Notify::Never),
        (json!(true), Notify::Always),
        (json!("MentionsOnly"), Notify::MentionsOnly),
        (json!("Sundays"), Notify::Other("Sundays".into())),
    ];
    for (given, expected) in settings {
        let notify: Notify = read(given.clone());
        assert_eq!(notify, expected);
        assert_eq!(serde_json::to_value(notify).unwrap(), given);
    }
    assert!(reason::<Notify>(json!("")).contains("an empty notify setting"));
    let told = reason::<Notify>(json!(7));
    assert!(told.contains(r#"a boolean or "MentionsOnly""#), "{told}");
}

#[test]
fn value_wrong_shape_is_refused_with_expectation() {
    let told = reason::<OneOrMany>(json!(7));
    assert!(told.contains("a string or a list of strings"), "{told}");
    let told = reason::<Reactions>(json!(5));
    assert!(
        told.contains("an object or list of reaction counts"),
        "{told}"
    );
    let told = reason::<SendMessage>(json!(7));
    let wanted = "a text, or an object with text or content";
    assert!(told.contains(wanted), "{told}");
    let told = reason::<MessageSnapshot>(json!({"id": "m1", "content": "a text"}));
    assert!(told.contains("a list"), "{told}");
}

/// All JSON values are accepted. Other formats also have byte strings.
#[test]
fn bytes_are_refused_with_expectation() {
    fn reason<'de, T: DeserializeOwned>(given: impl Deserializer<'de, Error = Error>) -> String {
        T::deserialize(given).err().unwrap().to_string()
    }
    fn with<K>(name: K) -> MapDeserializer<'static, std::iter::Once<(K, &'static [u8])>, Error>
    where
        K: serde::de::IntoDeserializer<'static, Error>,
    {
        MapDeserializer::new(std::iter::once((name, b"x".as_slice())))
    }
    for (told, wanted) in [
        (
            reason::<ContentBlock>(BytesDeserializer::new(b"x")),
            "an object with a type",
        ),
        (
            reason::<TextNode>(BytesDeserializer::new(b"x")),
            "a string, or an object with a type",
        ),
        (reason::<ContentBlock>(with("type")), "a type"),
        (reason::<ContentBlock>(with("children")), "a list of nodes"),
        (reason::<TextNode>(with(b"x".as_slice())), "a member's name"),
        (reason::<Custom>(with("key")), "any value"),
    ] {
        assert_eq!(told, format!("invalid type: byte array, expected {wanted}"));
    }
}

#[test]
fn block_unknown_members_are_readable() {
    let given = json!({"type": "location", "latitude": 1.5, "longitude": 2.5, "floor": -3});
    let block: ContentBlock = read(given.clone());
    assert_eq!(serde_json::to_value(&block).unwrap(), given);
    let ContentBlock::Location(location) = block else {
        panic!("{block:?}");
    };
    assert!(!location.unknown_fields.is_empty());
    assert_eq!(location.unknown_fields.get("floor"), Some(&json!(-3)));
    assert_eq!(location.unknown_fields.get("latitude"), None);
    let given = json!({"type": "location", "latitude": 1.5, "longitude": 2.5});
    let ContentBlock::Location(location) = read(given) else {
        panic!("a location");
    };
    assert!(location.unknown_fields.is_empty());
    assert_eq!(location.unknown_fields.get("floor"), None);
}

#[test]
fn file_unknown_members_round_trip() {
    let given = json!({"type": "file", "subtype": 3, "fileToken": "t", "filename": ["a.txt"]});
    let block: ContentBlock = read(given.clone());
    assert_eq!(serde_json::to_value(&block).unwrap(), given);
    let ContentBlock::File(file) = block else {
        panic!("{block:?}");
    };
    assert_eq!((&file.subtype, &file.filename), (&None, &None));
    assert_eq!(file.unknown_fields.get("subtype"), Some(&json!(3)));
}

/// The name of a block is unknown as a node type, so the node is stored unchanged.
#[test]
fn block_within_text_is_kept_as_unknown() {
    let given = json!({"type": "text", "children": [{"type": "file", "fileToken": "t"}]});
    let block: ContentBlock = read(given.clone());
    assert_eq!(serde_json::to_value(&block).unwrap(), given);
}

/// A known node with missing members is stored unchanged.
#[test]
fn node_incomplete_round_trips_as_unknown() {
    let kinds = [
        "bold",
        "italic",
        "strikethrough",
        "bulletList",
        "bulletPoint",
        "link",
        "autoLink",
        "codeSpan",
        "customEmoji",
        "mention",
        "actionLink",
        "actionButton",
    ];
    for kind in kinds {
        let given = json!({"type": kind, "colour": "red"});
        let node: TextNode = read(given.clone());
        assert!(matches!(node, TextNode::Unknown(_)), "{kind}");
        assert_eq!(serde_json::to_value(&node).unwrap(), given);
    }
    for params in [json!("none"), json!({"a": "1", "b": 2}), json!(null)] {
        let given = json!({"type": "actionLink", "action": "a", "params": params, "children": []});
        let node: TextNode = read(given.clone());
        assert!(matches!(node, TextNode::Unknown(_)), "{given}");
        assert_eq!(serde_json::to_value(&node).unwrap(), given);
    }
    for children in [
        json!(null),
        json!(true),
        json!(-1),
        json!(1),
        json!(1.5),
        json!("a"),
        json!({"a": []}),
    ] {
        let given = json!({"type": "bold", "children": children});
        let node: TextNode = read(given.clone());
        assert!(matches!(node, TextNode::Unknown(_)), "{given}");
        assert_eq!(serde_json::to_value(&node).unwrap(), given);
    }
}
