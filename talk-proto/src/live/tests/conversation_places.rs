//! Membership and order of conversations in lists.

use serde_json::{Value, json};

use super::conversation_list::filtered::{active_unread, unread};
use super::conversation_list::*;
use super::kit::*;
use crate::{Topic, changes::Changes};

#[test]
fn match_behind_the_window_waits_for_its_page() {
    let mut kit = Kit::new();
    let id = unread(&mut kit, Some("x"));
    let sent = kit.publish(&[side_edited(5, json!({"isUnread": true}))]);
    assert_eq!(sent, ["GET /me/conversations/c5 {}"]);
    kit.answer("GET /me/conversations/c5", &active_unread(5));
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 20));
    kit.load_more(id, 2);
    let sent = kit.drain();
    assert_eq!(sent, [r#"GET /me/conversations {"limit":2,"cursor":"x"}"#]);
    kit.answer(
        LIST,
        &page(&[active_unread(10), active_unread(5)], Some("y")),
    );
    no_messages(&mut kit, [10, 5]);
    assert_eq!(kit.ids(id)[19..], ["c11", "c10", "c5"]);
}

#[test]
fn evicted_conversation_returns_with_its_page() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.publish(&[side_edited(20, json!({"lastMessageAt": 2}))]);
    assert_eq!(kit.ids(id).len(), 19);
    kit.load_more(id, 1);
    let sent = kit.drain();
    assert_eq!(sent, [r#"GET /me/conversations {"limit":1,"cursor":"x"}"#]);
    kit.answer(LIST, &page(&[active(10)], Some("y")));
    no_messages(&mut kit, [10]);
    assert_eq!(kit.ids(id)[18..], ["c11", "c10"]);
}

/// The page contains the conversation at its place before the event.
#[test]
fn conversation_moved_behind_first_page_is_not_shown() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    kit.publish(&[side_edited(20, json!({"lastMessageAt": 2}))]);
    let sides: Vec<_> = (11..=30).rev().map(active).collect();
    let sent = kit.answer(LIST, &page(&sides, Some("x")));
    let next = r#"GET /me/conversations {"limit":1,"cursor":"x"}"#;
    assert!(sent.contains(&next.to_owned()), "{sent:?}");
    kit.answer(LIST, &page(&[active(10)], Some("y")));
    no_messages(&mut kit, (10..=30).filter(|n| *n != 20));
    assert_eq!(kit.ids(id)[18..], ["c11", "c10"]);
}

#[test]
fn conversation_moved_behind_next_page_is_not_shown() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.load_more(id, 2);
    kit.drain();
    kit.publish(&[side_edited(10, json!({"lastMessageAt": 2}))]);
    kit.answer(LIST, &page(&[active(10), active(9)], Some("y")));
    kit.answer(LIST, &page(&[active(8)], Some("z")));
    no_messages(&mut kit, [9, 8]);
    assert_eq!(kit.ids(id)[19..], ["c11", "c9", "c8"]);
}

/// A complete list has no items beyond the window, so only a change of a filtered attribute can add
/// a conversation.
#[test]
fn activity_adds_nothing_to_a_complete_list() {
    let mut kit = Kit::new();
    let id = unread(&mut kit, None);
    let sent = kit.publish(&[side_edited(5, json!({"lastMessageAt": 50}))]);
    assert_eq!(sent, [""; 0]);
    assert_eq!(kit.count(id), 1);
}

#[test]
fn conversations_of_equal_time_keep_server_order() {
    let mut kit = Kit::new();
    let id = subscribe(&mut kit);
    kit.drain();
    let at_nine = |n: i64| {
        let mut side = active(n);
        side["lastMessageAt"] = json!(9);
        side
    };
    kit.answer(LIST, &page(&[1, 2, 3].map(at_nine), None));
    no_messages(&mut kit, 1..=3);
    assert_eq!(kit.ids(id), ["c1", "c2", "c3"]);
    kit.reconnect();
    kit.answer(LIST, &page(&[3, 1, 2].map(at_nine), None));
    no_messages(&mut kit, 1..=3);
    assert_eq!(kit.ids(id), ["c3", "c1", "c2"]);
    // The newest of several with an equal time comes first.
    kit.publish(&[json!({"type": "side.created", "conversationId": "c4", "state": at_nine(4)})]);
    no_messages(&mut kit, [4]);
    assert_eq!(kit.ids(id), ["c4", "c3", "c1", "c2"]);
}

#[test]
fn list_after_a_loss_updates_only_differences() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 5, 1, None);
    kit.reconnect();
    let mut sides = [5, 4, 3, 2, 1].map(active);
    sides[2]["subject"] = json!("Tea");
    kit.answer(LIST, &page(&sides, None));
    no_messages(&mut kit, 1..=5);
    assert_eq!(kit.last(id)[2]["subject"], "Tea");
    let Changes::List(changes) = &kit.changes[&id] else {
        panic!("{:?}", kit.changes[&id]);
    };
    assert_eq!(changes.updated, [2]);
    assert!(changes.inserted.is_empty() && changes.removed.is_empty());
}

/// The page does not contain the conversation, which was beyond it when the page was made.
#[test]
fn arrival_during_a_page_fetch_is_kept() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.reconnect();
    kit.publish(&[side_edited(11, json!({"lastMessageAt": 40}))]);
    let sides: Vec<_> = (12..=31).rev().map(active).collect();
    kit.answer(LIST, &page(&sides, Some("y")));
    let sent = kit.answer(LIST, &page(&[active(10)], Some("z")));
    assert!(
        sent.contains(&"GET /me/conversations/c11 {}".to_owned()),
        "{sent:?}"
    );
    let mut c11 = active(40);
    c11["id"] = json!("c11");
    kit.answer("GET /me/conversations/c11", &c11);
    no_messages(&mut kit, 11..=31);
    assert_eq!(kit.ids(id)[..2], ["c11", "c31"]);
    assert_eq!(kit.ids(id).len(), 21);
}

#[test]
fn page_does_not_fetch_excluded_candidates() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    kit.reconnect();
    kit.publish(&[side_edited(5, json!({"lastMessageAt": 7}))]);
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c6"})]);
    let sides: Vec<_> = (11..=30).rev().map(active).collect();
    let sent = kit.answer(LIST, &page(&sides, Some("y")));
    let asked = |n: i64| sent.contains(&format!("GET /me/conversations/c{n} {{}}"));
    assert!(!asked(5) && !asked(6), "{sent:?}");
    no_messages(&mut kit, 11..=30);
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 20));
}

/// Returns `true` if the event makes an empty, complete list with this filter request `c5`.
fn is_asked(filter: &Value, event: &Value) -> bool {
    let mut kit = Kit::new();
    let filter = serde_json::from_value(filter.clone()).unwrap();
    let id = kit.subscribe(Topic::Conversations {
        filter: Some(filter),
    });
    kit.drain();
    kit.answer(LIST, &page(&[], None));
    let sent = kit.publish(std::slice::from_ref(event));
    assert_eq!(kit.count(id), 1);
    match sent.as_slice() {
        [] => false,
        [request] => request == "GET /me/conversations/c5 {}",
        more => panic!("{more:?}"),
    }
}

/// Only a change of a filtered attribute leads to a request, unless it rules the conversation out.
#[test]
fn change_that_may_match_is_verified() {
    let side = |diff| json!({"type": "side.edited", "conversationId": "c5", "diff": diff});
    let edited =
        |diff| json!({"type": "conversation.edited", "conversationId": "c5", "diff": diff});
    let access = |user: &str, diff: Value| {
        json!({"type": "participant.edited", "conversationId": "c5", "userId": user,
               "diff": diff})
    };
    let titled = json!({"subject": ["==", "Tea"]});
    let blue = json!({"custom": {"team": ["==", "blue"]}});
    let writable = json!({"access": ["==", "ReadWrite"]});
    let recent = json!({"lastActivityAt": [">", 10]});
    let used = json!({"hasMessages": true});
    let unread = json!({"isUnread": true});
    let either = json!(["any", [titled, unread]]);
    for (filter, event, expected) in [
        (&titled, edited(json!({"subject": "Tea"})), true),
        (&titled, edited(json!({"subject": "Coffee"})), false),
        (&titled, edited(json!({"custom": {"team": "blue"}})), false),
        (&titled, side(json!({"isUnread": true})), false),
        (&blue, edited(json!({"custom": {"team": "blue"}})), true),
        (&blue, edited(json!({"custom": {"team": "red"}})), false),
        (&blue, edited(json!({"custom": null})), false),
        (&blue, edited(json!({"subject": "Tea"})), false),
        (
            &writable,
            access("me", json!({"access": "ReadWrite"})),
            true,
        ),
        (&writable, access("me", json!({"access": "Read"})), false),
        (&writable, access("me", json!({"notify": false})), false),
        (
            &writable,
            access("bob", json!({"access": "ReadWrite"})),
            false,
        ),
        (&recent, side(json!({"lastMessageAt": 50})), true),
        (&recent, side(json!({"lastMessageAt": 5})), false),
        (&recent, side(json!({"isUnread": true})), false),
        (&used, side(json!({"lastMessageAt": 50})), true),
        (&used, side(json!({"unreadMessageCount": 1})), false),
        (&unread, side(json!({"isUnread": true})), true),
        (&unread, side(json!({"isUnread": false})), false),
        (&unread, side(json!({"lastMessageAt": 50})), false),
        (&unread, access("me", json!({"access": "Read"})), false),
        (&either, side(json!({"isUnread": true})), true),
        (&either, edited(json!({"subject": "Tea"})), true),
    ] {
        assert_eq!(is_asked(filter, &event), expected, "{filter} {event}");
    }
}

#[test]
fn arrival_at_the_window_edge_precedes_the_last() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 30, 11, Some("x"));
    let sent = kit.publish(&[side_edited(5, json!({"lastMessageAt": 11}))]);
    assert_eq!(sent, ["GET /me/conversations/c5 {}"]);
    let mut c5 = active(11);
    c5["id"] = json!("c5");
    kit.answer("GET /me/conversations/c5", &c5);
    no_messages(&mut kit, [5]);
    assert_eq!(kit.ids(id)[18..], ["c12", "c5", "c11"]);
}

#[test]
fn list_after_a_loss_is_one_update() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, 3, 1, None);
    kit.reconnect();
    let titled = |n: i64| {
        let mut side = active(n);
        side["subject"] = json!("Tea");
        side
    };
    kit.answer(LIST, &page(&[3, 2, 1].map(titled), None));
    for n in [3, 1] {
        no_messages(&mut kit, [n]);
        assert_eq!(kit.count(id), 1);
    }
    no_messages(&mut kit, [2]);
    assert_eq!(kit.count(id), 2);
    for index in 0..3 {
        assert_eq!(kit.last(id)[index]["subject"], "Tea");
    }
}
