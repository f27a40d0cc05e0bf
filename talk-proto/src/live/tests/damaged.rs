//! Unreadable items in responses.

use serde_json::json;

use super::kit::*;

#[test]
fn page_unreadable_message_is_skipped() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let mut items = messages(4, 1);
    items[1]["id"] = json!(7);
    items[2]["custom"] = json!([]);
    items[2]["reactions"] = json!({"👍": {"count": -1}, "🎉": 7});
    kit.answer(MESSAGES, &page(&items, None));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.ids(id), ["m4", "m2", "m1"]);
    let repaired = &kit.window(id)[1];
    assert_eq!(
        repaired.reactions.get("👍").map(|count| count.count),
        Some(0)
    );
    assert_eq!(repaired.reactions.len(), 1);
    assert_eq!(kit.damaged, 2);
}

#[test]
fn users_unreadable_user_leaves_the_others() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let mut items = messages(2, 1);
    items[0]["senderId"] = json!("bob");
    kit.answer(MESSAGES, &page(&items, None));
    let mut alice = user("alice", "Alice");
    alice["custom"] = json!("none");
    kit.answer(USERS, &json!({"alice": alice, "bob": 5}));
    let senders = kit.window(id).iter().map(|message| message.sender.clone());
    let names: Vec<_> = senders
        .map(|sender| sender.map(|user| user.name.clone()))
        .collect();
    assert_eq!(names, [None, Some("Alice".to_owned())]);
    assert_eq!(kit.damaged, 2);
}

#[test]
fn conversation_page_unreadable_item_is_skipped() {
    let mut kit = Kit::new();
    let id = kit.subscribe(crate::Topic::Conversations { filter: None });
    kit.drain();
    let mut items = ["a", "b", "c"].map(side);
    items[1]["lastMessageAt"] = json!("yesterday");
    items[2]["subject"] = json!(5);
    items[2]["unreadMessageCount"] = json!(1.5);
    let sent = kit
        .answer("GET /me/conversations", &page(&items, None))
        .join("\n");
    let is_loaded = ["a", "b", "c"].map(|id| sent.contains(&format!("/conversations/{id}/")));
    assert_eq!(is_loaded, [true, false, true], "{sent}");
    assert!(!kit.ended.contains_key(&id));
    assert_eq!(kit.damaged, 2);
}
