//! Partial reading of JSON: an unreadable part is dropped and the rest is kept.
//!
//! The typed decoders are tried first. This code runs only after one of them failed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::response::Page;
use crate::fault_injection::FaultInjection;
use crate::model::{
    ConversationDiff, ConversationSnapshot, MessageDiff, MessageSnapshot, Online, Participant,
    ParticipantDiff, Reaction, ReadStateDiff, Typing, TypingDiff, User, UserDiff, UserId,
};

/// A body that can be read in part.
pub(crate) trait Salvage: DeserializeOwned {
    /// Reads the readable parts. Adds the number of items that were skipped or lost a member to
    /// `damaged`.
    fn salvage(json: &str, damaged: &mut usize) -> Option<Self>;
}

/// Reads a body, partially if necessary.
pub(crate) fn read<T: Salvage>(json: &str, damaged: &mut usize) -> Option<T> {
    serde_json::from_str(json).ok().or_else(|| {
        let json = replace_lone_surrogates(json);
        let whole = serde_json::from_str(&json).ok();
        if FaultInjection::DroppedPage.is_on() {
            return whole;
        }
        whole.or_else(|| T::salvage(&json, damaged))
    })
}

/// An object whose other members are kept if one is unreadable.
pub(crate) trait Entity: DeserializeOwned {
    /// The members that must be readable if they are present: the identity and the sort key.
    const REQUIRED: &'static [&'static str];
}

macro_rules! entities {
    ($($type:ty: $required:expr,)*) => {
        $(
            impl Entity for $type {
                const REQUIRED: &'static [&'static str] = &$required;
            }
        )*
    };
}

entities! {
    ConversationDiff: [],
    ConversationSnapshot: ["id", "joinedAt", "lastMessageAt"],
    MessageDiff: [],
    MessageSnapshot: ["id", "createdAt"],
    Online: [],
    Participant: ["id", "joinedAt"],
    ParticipantDiff: [],
    Reaction: ["userId", "createdAt"],
    ReadStateDiff: [],
    Typing: [],
    TypingDiff: [],
    User: ["id"],
    UserDiff: [],
}

impl<T: Entity> Salvage for T {
    fn salvage(json: &str, damaged: &mut usize) -> Option<Self> {
        *damaged += 1;
        serde_json::from_str(&readable_part::<Self>(json)?).ok()
    }
}

impl<T: Salvage> Salvage for Page<T> {
    fn salvage(json: &str, damaged: &mut usize) -> Option<Self> {
        #[derive(Deserialize)]
        struct RawPage<'a> {
            #[serde(borrow)]
            data: Vec<&'a RawValue>,
            #[serde(default)]
            cursor: Option<String>,
        }

        let page: RawPage<'_> = serde_json::from_str(json).ok()?;
        let items = page.data.iter();
        Some(Self {
            data: items.filter_map(|item| read(item.get(), damaged)).collect(),
            cursor: page.cursor,
        })
    }
}

impl Salvage for BTreeMap<UserId, User> {
    fn salvage(json: &str, damaged: &mut usize) -> Option<Self> {
        let users: BTreeMap<UserId, &RawValue> = serde_json::from_str(json).ok()?;
        let mut read_user =
            |(id, user): (UserId, &RawValue)| Some((id, read(user.get(), damaged)?));
        Some(users.into_iter().filter_map(&mut read_user).collect())
    }
}

/// Returns an object with the members that `T` can read. Lists and objects among them are reduced
/// to their readable items. Returns `None` if a required member is unreadable.
pub(super) fn readable_part<T: Entity>(json: &str) -> Option<String> {
    let mut members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json).ok()?;
    let mut kept = Object::default();
    for name in T::REQUIRED {
        if let Some(value) = members.remove(*name) {
            kept.push(name, value.get());
        }
    }
    // Each other member is tried with only the required ones, so that the time is linear.
    let base = kept.clone();
    serde_json::from_str::<T>(&base.clone().finish()).ok()?;
    let is_readable = |name: &str, value: &str| {
        let json = base.clone().with(name, value).finish();
        serde_json::from_str::<T>(&json).is_ok()
    };
    for (name, value) in &members {
        let value = value.get();
        if is_readable(name, value) {
            kept.push(name, value);
        } else if let Some(part) = readable_items(name, value, is_readable) {
            kept.push(name, &part);
        }
    }
    Some(kept.finish())
}

/// Returns the readable items of a member's list or object.
fn readable_items(
    name: &str,
    json: &str,
    is_readable: impl Fn(&str, &str) -> bool,
) -> Option<String> {
    let part = if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) {
        let items = items.iter().map(|item| item.get());
        let readable = items.filter(|item| is_readable(name, &format!("[{item}]")));
        format!("[{}]", readable.collect::<Vec<_>>().join(","))
    } else {
        let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json).ok()?;
        let mut kept = Object::default();
        for (key, value) in members {
            let alone = Object::default().with(&key, value.get());
            if is_readable(name, &alone.finish()) {
                kept.push(&key, value.get());
            }
        }
        kept.finish()
    };
    is_readable(name, &part).then_some(part)
}

/// A JSON object under construction.
#[derive(Clone, Default)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&serde_json::Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(value);
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}

/// Replaces each unpaired surrogate in JSON by U+FFFD. JavaScript writes unpaired surrogates if a
/// string was cut within a character.
pub fn replace_lone_surrogates(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(escape) = json[at..].find('\\') {
        let start = at + escape;
        at = start + 2;
        let Some(unit) = escaped_unit(json, start) else {
            if !json.is_char_boundary(at) {
                // A backslash before a multi-byte character is invalid JSON.
                break;
            }
            continue;
        };
        at = start + 6;
        match unit {
            0xd800..=0xdbff if matches!(escaped_unit(json, at), Some(0xdc00..=0xdfff)) => at += 6,
            0xd800..=0xdfff => {
                out.push_str(&json[copied..start]);
                out.push_str("\\ufffd");
                copied = at;
            }
            _ => {}
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// Returns the UTF-16 unit of an escape `\uXXXX` at `start`.
fn escaped_unit(json: &str, start: usize) -> Option<u16> {
    let digits = json.get(start..start + 6)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        for (json, expected) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\udc4d!""#, "\u{fffd}!"),
            (r#""\ud83d\ud83d\udc4d""#, "\u{fffd}👍"),
            (r#""\uD83D\n\\ud83d""#, "\u{fffd}\n\\ud83d"),
            (r#""\\\ud83dx""#, "\\\u{fffd}x"),
            (r#""\ud83d\u0041é""#, "\u{fffd}Aé"),
        ] {
            let read: String = serde_json::from_str(&replace_lone_surrogates(json)).unwrap();
            assert_eq!(read, expected, "{json}");
        }
        for json in [
            r#""plain""#,
            r#""\ud83d\udc4d""#,
            r#""\\ud83d""#,
            "\\é",
            "\\u",
            "\\",
        ] {
            assert!(
                matches!(replace_lone_surrogates(json), Cow::Borrowed(_)),
                "{json}"
            );
        }
    }

    /// A message, conversation or user stays readable if any one member is replaced by junk.
    #[test]
    fn junk_member_leaves_other_members_readable() {
        let junk = [
            "null",
            "5",
            "-1",
            "1.5",
            "1e999",
            "\"\\ud83d\"",
            "[]",
            "[null,{}]",
            "{\"a\":[]}",
        ];
        let message = r#"{"id":"m","senderId":"bob","custom":{"k":"v"},"createdAt":5,
            "editedAt":6,"referencedMessageId":"r","origin":"rest","type":"UserMessage",
            "content":[{"type":"text","children":["x"]}],"reactions":{}}"#;
        let conversation = r#"{"id":"c","subject":"s","photoUrl":null,"welcomeMessages":["w"],
            "custom":{},"createdAt":1,"joinedAt":2,"lastMessageAt":3,"unreadMessageCount":4,
            "isUnread":true,"readUntil":5,"everyoneReadUntil":6,"access":"Read","notify":true}"#;
        let user = r#"{"id":"u","name":"n","custom":{},"locale":"l","photoUrl":"p","role":"r",
            "welcomeMessage":"w"}"#;
        fn check<T: Entity + PartialEq + std::fmt::Debug>(json: &str, junk: &[&str]) {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
            for name in members.keys() {
                for junk in junk {
                    let mut damaged = Object::default();
                    for (other, value) in &members {
                        let value = if other == name { junk } else { value.get() };
                        damaged.push(other, value);
                    }
                    let damaged = damaged.finish();
                    let item = read::<T>(&damaged, &mut 0);
                    let is_required = T::REQUIRED.contains(&name.as_str());
                    assert!(item.is_some() || is_required, "{name}: {junk}");
                    let page = format!("{{\"data\":[{json},{damaged},{junk},{json}]}}");
                    let page = read::<Page<T>>(&page, &mut 0).unwrap();
                    assert_eq!(page.data.first(), page.data.last());
                    assert!(page.data.len() >= 2 + usize::from(item.is_some()));
                }
            }
        }
        check::<MessageSnapshot>(message, &junk);
        check::<ConversationSnapshot>(conversation, &junk);
        check::<User>(user, &junk);
    }

    #[test]
    fn unreadable_items_of_a_member_are_skipped() {
        let deep = format!("{}\"x\"{}", "[".repeat(200), "]".repeat(200));
        let json = format!(
            r#"{{"id":"m","content":[{{"type":"text","children":["a"]}},{{"type":{deep}}}],
            "reactions":{{"a":{{"count":2}},"b":7}}}}"#
        );
        let mut damaged = 0;
        let message: MessageSnapshot = read(&json, &mut damaged).unwrap();
        assert_eq!((damaged, message.plaintext().as_str()), (1, "a"));
        assert_eq!(message.reactions.get("a").map(|count| count.count), Some(2));
        assert_eq!(message.reactions.len(), 1);
        assert_eq!(
            read::<MessageSnapshot>(r#"{"content":[]}"#, &mut damaged),
            None
        );
    }
}
