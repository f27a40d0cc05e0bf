//! Defaults of absent members, and application of diffs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Custom, MessageSnapshot, MessageType, Participant, Patch, ReactionCount, Reactions,
    UnknownName, User, UserId,
};
use crate::content::ContentBlock;
use crate::timestamp::Timestamp;

/// A member that a diff may omit.
pub(crate) trait IsAbsent {
    fn is_absent(&self) -> bool;
}

impl<T> IsAbsent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> IsAbsent for Patch<T> {
    fn is_absent(&self) -> bool {
        self.is_keep()
    }
}

fn json_of(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn bob() -> UserId {
    "bob".try_into().unwrap()
}

#[test]
fn user_diff_applies_and_resets() {
    let mut user = User::new(bob(), "Bob");
    let new = json!({"id": "bob", "name": "Bob", "custom": {}, "locale": null, "photoUrl": null,
        "role": "default", "welcomeMessage": null});
    assert_eq!(json_of(&user), new);
    assert_eq!(read::<User>(json!({"id": "bob", "name": "Bob"})), user);
    user.apply(read(json!({"role": "admin", "locale": "nl"})));
    assert_eq!(json_of(&user)["role"], "admin");
    user.apply(read(json!({"role": null, "locale": null})));
    assert_eq!(json_of(&user), new);
}

#[test]
fn participant_diff_null_resets_to_defaults() {
    let new: Participant = read(json!({"id": "bob", "joinedAt": 5}));
    let mut bob = new.clone();
    bob.apply(read(json!({"access": "Read", "notify": "MentionsOnly"})));
    let changed = json!({"id": "bob", "access": "Read", "notify": "MentionsOnly", "joinedAt": 5});
    assert_eq!(bob, read(changed));
    bob.apply(read(json!({"access": null, "notify": null})));
    assert_eq!(bob, new);
}

#[test]
fn message_new_type_follows_sender() {
    let content = || [ContentBlock::text(["hi".into()])];
    let id = || "msg_1".try_into().unwrap();
    let sender = Arc::new(User::new(bob(), "Bob"));
    let message = MessageSnapshot::new(id(), Some(sender), Timestamp::from_millis(5), content());
    assert_eq!(message.message_type, MessageType::UserMessage);
    assert_eq!(message.sender_id, Some(bob()));
    let message = MessageSnapshot::new(id(), None, Timestamp::from_millis(5), content());
    assert_eq!(message.message_type, MessageType::SystemMessage);
    assert_eq!(message.sender_id, None);
    let bare: MessageSnapshot = read(json!({"id": "msg_1"}));
    assert_eq!(bare.content.len(), 0);
}

#[test]
fn message_json_round_trips() {
    let user = |id| json!({"id": id, "name": id});
    let of = |id: &str, reference: (&str, Value)| {
        let mut message = json!({"id": id, "type": "UserMessage", "sender": user("bob"),
            "custom": {"k": "v"}, "createdAt": 5, "editedAt": 6, "origin": "web",
            "content": [{"type": "text", "children": ["hi"]}],
            "reactions": [{"emoji": "b", "count": 1, "currentUserReacted": true},
                {"emoji": "a", "count": 2, "currentUserReacted": false}]});
        message[reference.0] = reference.1;
        message
    };
    let quote = of("msg_1", ("referencedMessageId", json!("msg_0")));
    let message: MessageSnapshot = read(of("msg_2", ("referencedMessage", quote)));
    assert_eq!(message.sender_id, Some(bob()));
    assert_eq!(message.referenced_message_id.as_ref().unwrap(), "msg_1");
    let again: MessageSnapshot = read(json_of(&message));
    assert_eq!(again, message);
}

#[test]
fn custom_patch_changes_single_keys() {
    let mut custom = Custom::default();
    assert!(custom.is_empty());
    custom.apply(read(json!({"a": "1", "b": "2", "c": "3"})));
    custom.apply(Patch::Keep);
    assert_eq!(custom.len(), 3);
    custom.apply(read(json!({"a": null, "b": "two", "missing": null})));
    assert_eq!(custom, Custom::from_iter([("b", "two"), ("c", "3")]));
    custom.remove("b");
    assert_eq!(custom.get("b"), None);
    assert!(!custom.is_empty());
    custom.apply(Patch::Reset);
    assert_eq!(custom, Custom::default());
}

/// Reactions are ordered by the time at which the emoji was first added, then by the emoji.
#[test]
fn reactions_are_in_order_of_addition() {
    let count = |at: i64, n: u64| ReactionCount::new(Timestamp::from_millis(at), n, false);
    let emoji = |text: &str| text.try_into().unwrap();
    let mut reactions: Reactions = [
        (emoji("c"), count(2, 1)),
        (emoji("b"), count(9, 1)),
        (emoji("a"), count(9, 2)),
        (emoji("d"), count(1, 1)),
    ]
    .into_iter()
    .collect();
    let order = |reactions: &Reactions| {
        let emoji = reactions.iter().map(|(emoji, _)| emoji.to_string());
        emoji.collect::<String>()
    };
    assert_eq!(order(&reactions), "dcab");
    let json = json_of(&reactions);
    assert_eq!(
        json["a"],
        json!({"createdAt": 9, "count": 2, "currentUserReacted": false})
    );
    assert_eq!(read::<Reactions>(json), reactions);
    reactions.set(emoji("c"), None);
    reactions.set(emoji("d"), Some(count(10, 5)));
    assert_eq!(order(&reactions), "abd");
    assert_eq!(reactions.len(), 3);
    assert!(!reactions.is_empty());
    assert!(Reactions::default().is_empty());
}

#[test]
fn patch_map_keeps_and_resets() {
    assert_eq!(Patch::Set(2).map(|n| n + 1), Patch::Set(3));
    assert_eq!(Patch::Keep.map(|n: u8| n + 1), Patch::Keep);
    assert_eq!(Patch::Reset.map(|n: u8| n + 1), Patch::Reset);
    assert_eq!(Patch::<u8>::from(2), Patch::Set(2));
    assert_eq!(Patch::<u8>::from(None), Patch::Reset);
}

#[test]
fn unknown_name_is_displayed_unchanged() {
    let name = UnknownName::from("Hologram");
    assert_eq!(name.to_string(), "Hologram");
    assert_eq!(name.as_str(), "Hologram");
}

#[test]
fn custom_data_keys_are_sorted_and_last_value_counts() {
    let expected = [("a", "4"), ("b", "2"), ("c", "1"), ("d", "5")];
    let read: Custom =
        serde_json::from_str(r#"{"c": "1", "a": "0", "b": "2", "a": "3", "d": "5", "a": "4"}"#)
            .unwrap();
    assert_eq!(read.iter().collect::<Vec<_>>(), expected);
    let mut inserted = Custom::default();
    for (key, value) in [("c", "0"), ("a", "4"), ("d", "5"), ("b", "2"), ("c", "1")] {
        inserted.insert(key, value);
    }
    assert_eq!(inserted, read);
    let mut patched = Custom::from_iter([("d", "0"), ("b", "2"), ("b0", "0")]);
    patched.apply(Patch::Set(
        [
            ("d", Some("5")),
            ("c", Some("1")),
            ("a", Some("4")),
            ("b0", None),
        ]
        .map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
        .into(),
    ));
    assert_eq!(patched, read);
    assert_eq!(read.get("c"), Some("1"));
    assert_eq!(read.get("b0"), None);
}

#[test]
fn custom_data_without_keys_is_empty() {
    let mut custom = Custom::from_iter([("a", "1"), ("b", "2")]);
    custom.remove("c");
    custom.remove("a");
    assert_eq!(custom, Custom::from_iter([("b", "2")]));
    custom.remove("b");
    assert_eq!(custom, Custom::default());
    assert_eq!(json_of(&custom), json!({}));
    custom.remove("b");
    assert_eq!(custom, Custom::default());
}
