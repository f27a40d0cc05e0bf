//! The list of conversations.

use serde_json::{Value, json};

use super::kit::*;
use crate::SubscriptionId;
use crate::collections::HashSet;
use crate::live::interface::Get;
use crate::live::stores::list_filter::ListFilter;
use crate::snapshot::{Snapshot, Topic};

pub(super) const LIST: &str = "GET /me/conversations";

pub(super) fn subscribe(kit: &mut Kit) -> SubscriptionId {
    kit.subscribe(Topic::Conversations { filter: None })
}

/// Returns `c{n}` with its last activity at `n`.
pub(super) fn active(n: i64) -> Value {
    let mut side = side(&format!("c{n}"));
    side["lastMessageAt"] = json!(n);
    side
}

pub(super) fn no_messages(kit: &mut Kit, conversations: impl IntoIterator<Item = i64>) {
    for n in conversations {
        kit.answer(
            &format!("GET /me/conversations/c{n}/messages"),
            &page(&[], None),
        );
    }
}

/// Subscribes to a list that shows `c{from}` down to `c{to}`.
pub(super) fn loaded(kit: &mut Kit, from: i64, to: i64, cursor: Option<&str>) -> SubscriptionId {
    let id = subscribe(kit);
    kit.drain();
    let sides: Vec<_> = (to..=from).rev().map(active).collect();
    kit.answer(LIST, &page(&sides, cursor));
    no_messages(kit, to..=from);
    assert_eq!(kit.count(id), 1);
    id
}

pub(super) fn side_edited(n: i64, diff: Value) -> Value {
    json!({"type": "side.edited", "conversationId": format!("c{n}"), "diff": diff})
}

fn loaded_all(kit: &Kit, id: SubscriptionId) -> bool {
    match kit.seen[&id].last() {
        Some(Snapshot::Conversations(window)) => window.loaded_all(),
        other => panic!("no conversations but {other:?}"),
    }
}

#[test]
fn list_includes_last_messages() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    assert_eq!(
        kit.drain(),
        [
            "SUBSCRIBE /me/conversations {}",
            r#"GET /me/conversations {"limit":20,"filter":{}}"#,
        ]
    );
    let sent = kit.answer(LIST, &page(&[active(2), active(1)], None));
    assert_eq!(
        sent,
        [
            "SUBSCRIBE /me/conversations/c2/messages {}",
            "SUBSCRIBE /me/conversations/c1/messages {}",
            r#"GET /me/conversations/c2/messages {"limit":1}"#,
            r#"GET /me/conversations/c1/messages {"limit":1}"#,
        ]
    );
    no_messages(&mut kit, [2]);
    assert_eq!(kit.count(id), 0);
    let last = page(&[message("m", "alice", 1)], None);
    kit.answer("GET /me/conversations/c1/messages", &last);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.ids(id), ["c2", "c1"]);
    assert_eq!(kit.last(id)[1]["lastMessage"]["sender"]["name"], "Alice");
    assert!(loaded_all(&kit, id));
}

#[test]
fn list_of_an_absent_user_is_empty() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    kit.refuse(LIST, 404, "USER_NOT_FOUND");
    assert_eq!(kit.last(id), json!([]));
    kit.publish(&[json!({"type": "side.created", "conversationId": "c1", "state": active(1)})]);
    no_messages(&mut kit, [1]);
    assert_eq!(kit.ids(id), ["c1"]);
}

#[test]
fn activity_moves_conversation_to_the_front() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    let mut new = created(&message("m9", "bob", 9));
    new["conversationId"] = json!("c1");
    let diff = json!({"lastMessageAt": 9, "unreadMessageCount": 1});
    kit.publish(&[new, side_edited(1, diff)]);
    assert_eq!(kit.count(id), 1);
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.ids(id), ["c1", "c3", "c2"]);
    assert_eq!(kit.last(id)[0]["lastMessage"]["id"], "m9");
    assert_eq!(kit.count(id), 2);
}

#[test]
fn join_and_leave_change_the_list() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 2, 1, None);
    let created = json!({"type": "side.created", "conversationId": "c5", "state": active(5)});
    let edit = json!({"type": "conversation.edited", "conversationId": "c5",
                      "diff": {"subject": "Tea"}});
    let sent = kit.publish(&[created, edit]);
    assert_eq!(
        sent,
        [
            "SUBSCRIBE /me/conversations/c5/messages {}",
            r#"GET /me/conversations/c5/messages {"limit":1}"#,
        ]
    );
    no_messages(&mut kit, [5]);
    assert_eq!(kit.ids(id), ["c5", "c2", "c1"]);
    assert_eq!(kit.last(id)[0]["subject"], "Tea");
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c2"})]);
    assert_eq!(kit.ids(id), ["c5", "c1"]);
    let sent = kit.wait(10);
    assert_eq!(sent, ["UNSUBSCRIBE /me/conversations/c2/messages {}"]);
}

#[test]
fn new_activity_brings_conversation_into_the_window() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    // The conversation keeps its position.
    assert_eq!(
        kit.publish(&[side_edited(5, json!({"unreadMessageCount": 0}))]),
        [""; 0]
    );
    assert_eq!(
        kit.publish(&[side_edited(5, json!({"lastMessageAt": 7}))]),
        [""; 0]
    );
    let sent = kit.publish(&[side_edited(5, json!({"lastMessageAt": 40}))]);
    assert_eq!(sent, ["GET /me/conversations/c5 {}"]);
    let mut c5 = active(5);
    c5["lastMessageAt"] = json!(40);
    kit.answer("GET /me/conversations/c5", &c5);
    no_messages(&mut kit, [5]);
    assert_eq!((kit.ids(id).len(), &*kit.ids(id)[0]), (21, "c5"));
    // The next page does not add it again.
    let more = kit.load_more(id, 2);
    let sent = kit.drain();
    assert_eq!(sent, [r#"GET /me/conversations {"limit":2,"cursor":"x"}"#]);
    kit.answer(LIST, &page(&[active(10), active(9)], Some("y")));
    no_messages(&mut kit, [10, 9]);
    assert_eq!(kit.ids(id).len(), 23);
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn loaded_all_is_set_with_the_last_page() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    let more = kit.load_more(id, 30);
    kit.drain();
    kit.answer(LIST, &page(&[active(10), active(9)], None));
    no_messages(&mut kit, [10]);
    assert_eq!((kit.count(id), loaded_all(&kit, id)), (1, false));
    no_messages(&mut kit, [9]);
    assert_eq!(kit.ids(id).len(), 22);
    assert_eq!((kit.count(id), loaded_all(&kit, id)), (2, true));
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn conversation_lost_before_first_window_is_replaced() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    let sides: Vec<_> = (11..=30).rev().map(active).collect();
    kit.answer(LIST, &page(&sides, Some("x")));
    let left = json!({"type": "side.deleted", "conversationId": "c20"});
    let sent = kit.publish(&[left]);
    assert!(sent.contains(&r#"GET /me/conversations {"limit":1,"cursor":"x"}"#.to_owned()));
    no_messages(&mut kit, (11..=30).filter(|n| *n != 20));
    assert_eq!(kit.count(id), 0);
    kit.answer(LIST, &page(&[active(10)], Some("y")));
    no_messages(&mut kit, [10]);
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 20));
}

#[test]
fn conversation_behind_the_window_is_removed() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.publish(&[side_edited(20, json!({"lastMessageAt": 2}))]);
    assert_eq!(kit.ids(id).len(), 19);
    assert!(!kit.ids(id).contains(&"c20".to_owned()));
}

#[test]
fn conversation_and_list_share_state() {
    let mut kit = Kit::new();
    let list = loaded(&mut kit, 2, 1, None);
    let one = kit.conversation("c1");
    assert_eq!(kit.drain(), ["SUBSCRIBE /me/conversations/c1 {}"]);
    assert_eq!(kit.last(one)["id"], "c1");
    kit.publish(&[side_edited(1, json!({"unreadMessageCount": 3}))]);
    assert_eq!(kit.last(one)["unreadMessageCount"], 3);
    assert_eq!(kit.last(list)[1]["unreadMessageCount"], 3);
    // It needs no separate subscription once only the list shows it.
    kit.unsubscribe(one);
    kit.drain();
    assert_eq!(kit.wait(30), ["UNSUBSCRIBE /me/conversations/c1 {}"]);
    kit.publish(&[side_edited(1, json!({"unreadMessageCount": 4}))]);
    assert_eq!(kit.last(list)[1]["unreadMessageCount"], 4);
    let get = kit.get(Get::Conversation("c2".try_into().unwrap()));
    kit.drain();
    assert_eq!(kit.reply(get)["id"], "c2");
}

#[test]
fn list_after_linger_releases_everything() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 2, 1, None);
    let other = subscribe(&mut kit);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.ids(other), ["c2", "c1"]);
    kit.unsubscribe(id);
    kit.unsubscribe(other);
    kit.drain();
    assert_eq!(kit.wait(10), ["UNSUBSCRIBE /me/conversations {}"]);
    assert_eq!(
        kit.wait(10),
        [
            "UNSUBSCRIBE /me/conversations/c1/messages {}",
            "UNSUBSCRIBE /me/conversations/c2/messages {}",
        ]
    );
    assert!(kit.live.is_idle());
}

#[test]
fn events_before_first_page_apply_once() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    kit.publish(&[side_edited(1, json!({"unreadMessageCount": 7}))]);
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c2"})]);
    kit.publish(&[json!({"type": "side.created", "conversationId": "c4", "state": active(4)})]);
    kit.publish(&[side_edited(4, json!({"lastMessageAt": 5}))]);
    kit.publish(&[json!({"type": "side.created", "conversationId": "c3", "state": active(3)})]);
    kit.answer(LIST, &page(&[active(3), active(2), active(1)], None));
    no_messages(&mut kit, [4, 3, 1]);
    assert_eq!(kit.ids(id), ["c4", "c3", "c1"]);
    assert_eq!(kit.last(id)[2]["unreadMessageCount"], 7);
    assert_eq!(kit.last(id)[0]["lastMessageAt"], 5);
    assert_eq!(kit.count(id), 1);
}

#[test]
fn list_after_a_loss_is_correct() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    kit.reconnect();
    let mut c1 = active(1);
    c1["lastMessageAt"] = json!(9);
    c1["subject"] = json!("Tea");
    kit.answer(LIST, &page(&[c1, active(4), active(3)], None));
    assert_eq!(kit.count(id), 1);
    no_messages(&mut kit, [4, 3]);
    assert_eq!(kit.count(id), 1);
    no_messages(&mut kit, [1]);
    assert_eq!(kit.count(id), 1);
    kit.refuse("GET /me/conversations/c2", 403, "NOT_A_PARTICIPANT");
    assert_eq!(kit.ids(id), ["c1", "c4", "c3"]);
    assert_eq!(kit.last(id)[0]["subject"], "Tea");
    assert_eq!(kit.count(id), 2);
}

#[test]
fn loss_without_changes_causes_no_update() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    let one = kit.conversation("c1");
    kit.drain();
    kit.reconnect();
    kit.answer("GET /me/conversations/c1", &active(1));
    kit.answer(LIST, &page(&[active(3), active(2), active(1)], None));
    no_messages(&mut kit, 1..=3);
    assert_eq!((kit.count(id), kit.count(one)), (1, 1));
}

#[test]
fn list_refused_ends_the_subscription() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    kit.refuse(LIST, 400, "INVALID_FILTER");
    assert!(kit.ended[&id].is_some());
    assert!(kit.live.is_idle());
}

#[test]
fn shared_subscription_refused_ends_every_list() {
    let mut kit = Kit::new();
    let all = loaded(&mut kit, 2, 1, None);
    let filter = Some(crate::filter::SimpleFilter::new().is_unread(true).into());
    let unread = kit.subscribe(Topic::Conversations { filter });
    kit.drain();
    kit.refuse("SUBSCRIBE /me/conversations", 402, "PLAN_LIMIT");
    assert!(kit.ended[&all].is_some());
    assert!(kit.ended[&unread].is_some());
}

/// A list shows complete conversations only, so a refused part of one ends the list.
#[test]
fn conversation_part_refused_ends_the_list() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    kit.answer(LIST, &page(&[active(2), active(1)], None));
    kit.refuse("GET /me/conversations/c1/messages", 402, "PLAN_LIMIT");
    assert!(kit.ended[&id].is_some());
    assert_eq!(kit.count(id), 0);
}

#[test]
fn load_more_cancelled_is_never_resolved() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    let more = kit.load_more(id, 5);
    kit.drain();
    assert_eq!(kit.live.cancel(kit.now, more), Some(true));
    assert_eq!(kit.live.cancel(kit.now, more), None);
    let sides: Vec<_> = (6..=10).rev().map(active).collect();
    kit.answer(LIST, &page(&sides, Some("y")));
    no_messages(&mut kit, 6..=10);
    assert_eq!((kit.count(id), kit.resolved.len()), (1, 0));
    assert_eq!(kit.live.pending_requests(), 0);
}

#[test]
fn candidate_refused_does_not_affect_the_list() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.publish(&[side_edited(5, json!({"lastMessageAt": 40}))]);
    kit.refuse("GET /me/conversations/c5", 403, "FORBIDDEN");
    assert_eq!(kit.ended.len(), 0);
    kit.publish(&[side_edited(5, json!({"lastMessageAt": 41}))]);
    kit.refuse("GET /me/conversations/c5", 404, "CONVERSATION_NOT_FOUND");
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 20));
}

pub(super) mod filtered {
    use super::*;
    use crate::filter::SimpleFilter;

    /// Subscribes to a list of the unread conversations `c30` down to `c11`. There are more with a
    /// `cursor`.
    pub(in crate::live::tests) fn unread(kit: &mut Kit, cursor: Option<&str>) -> SubscriptionId {
        let filter = Some(SimpleFilter::new().is_unread(true).into());
        let id = kit.subscribe(Topic::Conversations { filter });
        assert_eq!(
            kit.drain()[1],
            r#"GET /me/conversations {"limit":20,"filter":{"isUnread":true}}"#
        );
        let sides: Vec<_> = (11..=30).rev().map(active_unread).collect();
        kit.answer(LIST, &page(&sides, cursor));
        no_messages(kit, 11..=30);
        assert_eq!(kit.count(id), 1);
        id
    }

    pub(in crate::live::tests) fn active_unread(n: i64) -> Value {
        let mut side = active(n);
        side["isUnread"] = json!(true);
        side
    }

    #[test]
    fn conversation_leaves_and_returns_with_its_match() {
        let mut kit = Kit::new();
        let id = unread(&mut kit, None);
        kit.publish(&[side_edited(20, json!({"isUnread": false}))]);
        assert_eq!(kit.ids(id).len(), 19);
        let sent = kit.publish(&[side_edited(20, json!({"isUnread": true}))]);
        assert_eq!(sent, ["GET /me/conversations/c20 {}"]);
        kit.answer("GET /me/conversations/c20", &active_unread(20));
        kit.drain();
        assert_eq!(kit.ids(id).len(), 20);
        assert_eq!(kit.count(id), 3);
    }

    #[test]
    fn candidate_that_cannot_match_is_not_fetched() {
        let mut kit = Kit::new();
        let id = unread(&mut kit, Some("x"));
        for diff in [
            json!({"isUnread": false, "lastMessageAt": 50}),
            json!({"isUnread": true, "lastMessageAt": 3}),
            json!({"unreadMessageCount": 0}),
        ] {
            assert_eq!(kit.publish(&[side_edited(5, diff)]), [""; 0]);
        }
        let edit = json!({"type": "conversation.edited", "conversationId": "c5",
                          "diff": {"subject": "Tea"}});
        assert_eq!(kit.publish(&[edit]), [""; 0]);
        let mut read = active(60);
        read["isUnread"] = json!(false);
        let joined = json!({"type": "side.created", "conversationId": "c60", "state": read});
        assert_eq!(kit.publish(&[joined]), [""; 0]);
        assert_eq!(kit.count(id), 1);
    }

    #[test]
    fn candidate_with_unknown_match_is_fetched_once() {
        let mut kit = Kit::new();
        let id = unread(&mut kit, Some("x"));
        let sent = kit.publish(&[side_edited(5, json!({"lastMessageAt": 50}))]);
        assert_eq!(sent, ["GET /me/conversations/c5 {}"]);
        // The answer decides, and this event precedes it.
        let sent = kit.publish(&[side_edited(
            5,
            json!({"lastMessageAt": 51, "isUnread": true}),
        )]);
        assert_eq!(sent, [""; 0]);
        kit.answer("GET /me/conversations/c5", &active(5));
        kit.answer("GET /me/conversations/c5/messages", &page(&[], None));
        assert_eq!(kit.ids(id)[0], "c5");
        assert_eq!(kit.last(id)[0]["lastMessageAt"], 51);
    }

    #[test]
    fn lists_with_other_filters_share_the_subscription() {
        let mut kit = Kit::new();
        let a = unread(&mut kit, None);
        let b = subscribe(&mut kit);
        assert_eq!(
            kit.drain(),
            [r#"GET /me/conversations {"limit":20,"filter":{}}"#]
        );
        let sides: Vec<_> = (11..=30).rev().map(active_unread).collect();
        kit.answer(LIST, &page(&sides, None));
        assert_eq!((kit.ids(a).len(), kit.ids(b).len()), (20, 20));
        kit.unsubscribe(a);
        kit.drain();
        assert_eq!(kit.wait(10), [""; 0]);
        kit.publish(&[side_edited(20, json!({"isUnread": false}))]);
        assert_eq!(kit.count(b), 2);
        kit.unsubscribe(b);
        kit.drain();
        assert_eq!(kit.wait(10), ["UNSUBSCRIBE /me/conversations {}"]);
    }
}

#[test]
fn load_more_in_flight_keeps_events_for_visible_items() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.load_more(id, 2);
    assert_eq!(kit.drain().len(), 1);
    kit.publish(&[side_edited(
        30,
        json!({"lastMessageAt": 31, "isUnread": true}),
    )]);
    let sent = kit.answer(LIST, &page(&[active(10), active(9)], None));
    let is_known = |request: &String| request.contains("/c30");
    assert!(!sent.iter().any(is_known), "{sent:?}");
    no_messages(&mut kit, 9..=10);
    let ids: Vec<_> = (9..=30).rev().map(|n| format!("c{n}")).collect();
    assert_eq!(kit.ids(id), ids);
    assert_eq!(kit.last(id)[0]["isUnread"], true);
}

/// Lists with equivalent filters share a store, even if the filters look different.
#[test]
fn equivalent_filters_have_one_key() {
    let filter = |subjects: Value| {
        let filter = json!({"subject": ["oneOf", subjects]});
        ListFilter::new(Some(serde_json::from_value(filter).unwrap()))
    };
    let [a, same, b] = [json!(["a", "b"]), json!(["b", "a", "b"]), json!(["b"])].map(filter);
    assert_eq!(a, same);
    assert_ne!(a, b);
    assert!((a < b) != (b < a));
    let names = HashSet::from_iter([a.clone(), same, b]);
    assert_eq!(names.len(), 2);
    assert_eq!(format!("{a:?}"), r#"{"subject":["oneOf",["a","b"]]}"#);
}
