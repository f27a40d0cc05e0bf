//! Arbitrary calls, each with the requests that the protocol requires.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use talk_proto::{
    Call,
    command::{EditMessage, SendMessage},
    content::ContentBlock,
};

use super::{Understood, understood};

/// The page size of lists.
const PAGE: u32 = 30;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<String>(),
        1 => "[a-z/%?# ]{1,8}",
        1 => "[\"\\\\\u{0}-\u{1f}\u{2028}🎉é]{1,6}",
    ]
}

fn id() -> impl Strategy<Value = String> {
    text().prop_filter("IDs are not empty", |text| !text.is_empty())
}

fn custom() -> impl Strategy<Value = Value> {
    btree_map(text(), option::of(text()), 0..3).prop_map(|custom| json!(custom))
}

/// Returns some of these members, each with a value or a reset.
fn some_of(members: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let values = vec(option::of(option::of(text())), members.len());
    (values, option::of(custom())).prop_map(move |(values, custom)| {
        let given = members.iter().zip(values);
        let given = given.filter_map(|(member, value)| Some(((*member).to_owned(), json!(value?))));
        let custom = custom.map(|custom| ("custom".to_owned(), custom));
        Value::Object(given.chain(custom).collect())
    })
}

fn participation() -> impl Strategy<Value = Value> {
    let access = option::of(prop::sample::select(vec!["Read", "ReadWrite"]));
    let notify = option::of(prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        Just(json!("MentionsOnly")),
    ]);
    (access, notify).prop_map(|(access, notify)| {
        let mut params = json!({});
        if let Some(access) = access {
            params["access"] = json!(access);
        }
        if let Some(notify) = notify {
            params["notify"] = notify;
        }
        params
    })
}

fn merge(into: &mut Value, members: Value) {
    if let (Value::Object(into), Value::Object(members)) = (into, members) {
        into.extend(members);
    }
}

fn params<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).expect("parameters")
}

fn an<T: TryFrom<String>>(text: &str) -> T {
    let id = T::try_from(text.to_owned());
    id.unwrap_or_else(|_| panic!("{text:?} is an ID"))
}

/// Returns calls about conversations.
pub(super) fn about_conversations() -> impl Strategy<Value = (Call, Vec<Understood>)> {
    let change = some_of(&["subject", "photoUrl"]);
    (0..6, id(), change).prop_map(|(kind, c, change)| {
        let conversation = || an(&c);
        let mine = |name| understood("POST", ["me", "conversations", &c, name], json!({}));
        let joins = |method: &str| {
            let actions = json!([{"id": "alice", "method": method, "params": change}]);
            let path = ["conversations", &c, "participants"];
            let whole = understood(method, ["conversations", &c], change.clone());
            vec![whole, understood("POST", path, json!({"actions": actions}))]
        };
        match kind {
            0 => (
                Call::MarkAsRead {
                    conversation: conversation(),
                },
                vec![mine("read")],
            ),
            1 => (
                Call::MarkAsUnread {
                    conversation: conversation(),
                },
                vec![mine("unread")],
            ),
            2 => (
                Call::MarkAsTyping {
                    conversation: conversation(),
                },
                vec![mine("typing")],
            ),
            3 => {
                let get = understood("GET", ["me", "conversations", &c], json!({}));
                (
                    Call::GetConversation {
                        conversation: conversation(),
                    },
                    vec![get],
                )
            }
            4 => {
                let params = params(&change);
                (
                    Call::CreateConversation {
                        conversation: conversation(),
                        params,
                    },
                    joins("POST"),
                )
            }
            _ => {
                let params = params(&change);
                (
                    Call::SetConversation {
                        conversation: conversation(),
                        params,
                    },
                    joins("PUT"),
                )
            }
        }
    })
}

/// Returns calls about users and participants.
pub(super) fn about_people() -> impl Strategy<Value = (Call, Vec<Understood>)> {
    let change = some_of(&["name", "locale", "photoUrl", "welcomeMessage"]);
    (0..8, id(), id(), change, participation()).prop_map(|(kind, c, u, change, participation)| {
        let path = ["conversations", c.as_str(), "participants"];
        let action = |method: &str| {
            let action = json!({"id": u, "method": method, "params": participation});
            vec![understood("POST", path, json!({"actions": [action]}))]
        };
        let (conversation, user) = (an(&c), an(&u));
        match kind {
            0 => {
                let data = json!({"ids": [u], "includePrivateFields": false});
                (
                    Call::GetUser { user },
                    vec![understood("GET", ["users"], data)],
                )
            }
            1 => {
                let call = Call::CreateUser {
                    user,
                    params: params(&change),
                };
                let mut created = json!({"role": "default"});
                merge(&mut created, change);
                (call, vec![understood("POST", ["users", &u], created)])
            }
            2 => {
                let call = Call::SetUser {
                    user,
                    params: params(&change),
                };
                (call, vec![understood("PUT", ["users", &u], change)])
            }
            3 => {
                let path = ["me", "conversations", &c, "participants", &u];
                let get = understood("GET", path, json!({}));
                (Call::GetParticipant { conversation, user }, vec![get])
            }
            4 => {
                let path = ["conversations", &c, "participants", &u];
                let delete = understood("DELETE", path, json!({}));
                (Call::DeleteParticipant { conversation, user }, vec![delete])
            }
            5 => {
                let params = params(&participation);
                (
                    Call::CreateParticipant {
                        conversation,
                        user,
                        params,
                    },
                    action("POST"),
                )
            }
            6 => {
                let params = params(&participation);
                (
                    Call::SetParticipant {
                        conversation,
                        user,
                        params,
                    },
                    action("PUT"),
                )
            }
            _ => {
                let params = params(&participation);
                (
                    Call::EditParticipant {
                        conversation,
                        user,
                        params,
                    },
                    action("PATCH"),
                )
            }
        }
    })
}

/// Returns calls about messages.
pub(super) fn about_messages() -> impl Strategy<Value = (Call, Vec<Understood>)> {
    let details = (option::of(custom()), option::of(id()));
    (0..8, id(), id(), id(), details).prop_map(|(kind, c, m, word, (custom, quoted))| {
        let (conversation, message) = (an(&c), an(&m));
        let content = json!([{"type": "text", "children": [word]}]);
        let blocks = || [ContentBlock::text([word.as_str().into()])];
        let mut data = json!({ "content": content });
        if let Some(custom) = &custom {
            data["custom"] = custom.clone();
        }
        let path = ["conversations", &c, "messages", &m];
        let reactions = [
            "conversations",
            &c,
            "messages",
            &m,
            "reactions",
            &word,
            "alice",
        ];
        match kind {
            0 => {
                let mut send = SendMessage::content(blocks());
                send.custom = custom.as_ref().map(params).unwrap_or_default();
                send.referenced_message = quoted.as_deref().map(an);
                if let Some(quoted) = quoted {
                    data["referencedMessageId"] = json!(quoted);
                }
                let path = ["conversations", &c, "messages"];
                let call = Call::SendMessage {
                    conversation,
                    message: send,
                };
                (call, vec![understood("POST", path, data)])
            }
            1 => {
                let mut edit = EditMessage::content(blocks());
                edit.custom = custom.as_ref().map(params).unwrap_or_default();
                let call = Call::EditMessage {
                    conversation,
                    message,
                    edit,
                };
                (call, vec![understood("PATCH", path, data)])
            }
            2 => {
                let call = Call::DeleteMessage {
                    conversation,
                    message,
                };
                (call, vec![understood("DELETE", path, json!({}))])
            }
            3 => {
                let call = Call::GetMessage {
                    conversation,
                    message,
                };
                let path = ["me", "conversations", &c, "messages", &m];
                (call, vec![understood("GET", path, json!({}))])
            }
            4 => {
                let call = Call::AddReaction {
                    conversation,
                    message,
                    emoji: an(&word),
                };
                (call, vec![understood("PUT", reactions, json!({}))])
            }
            5 => {
                let call = Call::RemoveReaction {
                    conversation,
                    message,
                    emoji: an(&word),
                };
                (call, vec![understood("DELETE", reactions, json!({}))])
            }
            6 => {
                let call = Call::GetFirstReactions {
                    conversation,
                    message,
                    emoji: an(&word),
                };
                let path = [
                    "me",
                    "conversations",
                    &c,
                    "messages",
                    &m,
                    "reactions",
                    &word,
                ];
                (call, vec![understood("GET", path, json!({"limit": PAGE}))])
            }
            _ => {
                let language = word.clone();
                let call = Call::TranslateMessage {
                    conversation,
                    message,
                    language,
                };
                let path = ["me", "conversations", &c, "translate"];
                (
                    call,
                    vec![understood("GET", path, json!({"ids": [m], "lang": word}))],
                )
            }
        }
    })
}
