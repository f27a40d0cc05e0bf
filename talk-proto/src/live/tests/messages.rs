//! The window of messages.

use std::sync::Arc;

use serde_json::json;

use super::kit::*;
use crate::changes::{Changes, ListChanges, Removal, RemovalReason};
use crate::error::CommandError;

/// Subscribes to `c`, which shows `m30` to `m1`. There are more with a `cursor`.
fn loaded(kit: &mut Kit, cursor: Option<&str>) -> crate::SubscriptionId {
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(30, 1), cursor));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.count(id), 1);
    id
}

#[test]
fn first_window_is_emitted_when_complete() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    assert_eq!(
        kit.drain(),
        [
            "SUBSCRIBE /me/conversations/c/messages {}",
            r#"GET /me/conversations/c/messages {"limit":30}"#,
        ]
    );
    let sent = kit.answer(MESSAGES, &page(&messages(2, 1), None));
    assert_eq!(
        sent,
        [
            r#"SUBSCRIBE /users {"ids":["alice"]}"#,
            r#"GET /users {"ids":["alice"],"includePrivateFields":false}"#,
        ]
    );
    assert_eq!(kit.count(id), 0);
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.ids(id), ["m2", "m1"]);
    assert_eq!(kit.last(id)[0]["sender"]["name"], "Alice");
    assert!(kit.window(id).loaded_all());
}

#[test]
fn message_deleted_before_first_window_is_replaced() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(40, 11), Some("x")));
    let sent = kit.publish(&[deleted("m20")]);
    assert_eq!(sent, [format!(r#"{MESSAGES} {{"limit":1,"cursor":"x"}}"#)]);
    kit.answer(MESSAGES, &page(&messages(10, 10), Some("y")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 30));
}

#[test]
fn sender_id_of_event_shares_allocation() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    kit.publish(&[created(&message("m31", "alice", 31))]);
    let window = kit.window(id);
    let sender = |index: usize| {
        let sender = window[index].sender_id.as_ref();
        sender.map(|sender| sender.as_str().as_ptr())
    };
    assert!(sender(0).is_some());
    assert_eq!(sender(0), sender(1));
}

#[test]
fn users_are_fetched_in_order_of_first_use() {
    let mut kit = Kit::new();
    kit.messages("c");
    kit.drain();
    let page = page(&[message("m2", "zoe", 2), message("m1", "bob", 1)], None);
    let sent = kit.answer(MESSAGES, &page);
    assert_eq!(sent[0], r#"SUBSCRIBE /users {"ids":["zoe","bob"]}"#);
}

#[test]
fn message_of_unknown_sender_has_none() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(1, 1), None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.last(id)[0]["sender"], json!(null));
}

#[test]
fn user_fetch_refused_completes_the_window() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(1, 1), None));
    kit.refuse(USERS, 400, "TOO_MANY");
    assert_eq!(kit.last(id)[0]["sender"], json!(null));
    assert!(kit.ended.is_empty());
}

#[test]
fn new_message_is_first_and_widens_the_window() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    let before = kit.window(id).clone();
    kit.publish(&[created(&message("m31", "alice", 31))]);
    let after = kit.window(id);
    assert_eq!(after.len(), 31);
    assert!(Arc::ptr_eq(after.get(1).unwrap(), before.get(0).unwrap()));
    let mut changes = ListChanges::default();
    changes.inserted.push(0);
    assert_eq!(kit.changes[&id], Changes::List(changes));
}

#[test]
fn message_of_equal_time_is_first() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    kit.publish(&[created(&message("new", "alice", 30))]);
    assert_eq!(kit.ids(id)[..2], ["new", "m30"]);
}

#[test]
fn events_of_one_publish_are_one_update() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    kit.publish(&[
        created(&message("m31", "alice", 31)),
        created(&message("m32", "alice", 32)),
        edited("m31", json!({"custom": {"a": "b"}})),
        deleted("m30"),
        edited("m1", json!({"editedAt": 5})),
    ]);
    assert_eq!(kit.count(id), 2);
    let Changes::List(changes) = &kit.changes[&id] else {
        panic!("no list");
    };
    assert_eq!(changes.inserted, [0, 1]);
    assert_eq!(changes.removed, [Removal::new(0, RemovalReason::Deleted)]);
    assert_eq!(changes.updated, [30]);
}

#[test]
fn event_without_effect_causes_no_update() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    let before = kit.window(id).clone();
    kit.publish(&[
        edited("m1", json!({"custom": {}})),
        edited("nobody", json!({})),
    ]);
    kit.publish(&[renamed("alice", "Alice")]);
    // The name changes and changes back within one step.
    kit.publish(&[renamed("alice", "Bob"), renamed("alice", "Alice")]);
    kit.publish(&[
        edited("m1", json!({"editedAt": 9})),
        edited("m1", json!({"editedAt": null})),
    ]);
    kit.publish(&[deleted("m30"), created(&message("m30", "alice", 30))]);
    assert_eq!(kit.count(id), 1);
    kit.publish(&[created(&message("m31", "alice", 31))]);
    for index in 0..30 {
        let (old, new) = (before.get(index), kit.window(id).get(index + 1));
        assert!(Arc::ptr_eq(old.unwrap(), new.unwrap()), "{index}");
    }
}

#[test]
fn message_of_new_user_waits_for_the_user() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    let sent = kit.publish(&[created(&message("m31", "bob", 31))]);
    assert_eq!(sent[0], r#"SUBSCRIBE /users {"ids":["bob"]}"#);
    kit.publish(&[created(&message("m32", "alice", 32))]);
    assert_eq!(kit.count(id), 1);
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.count(id), 2);
    assert_eq!(kit.ids(id)[..2], ["m32", "m31"]);
}

#[test]
fn stream_of_new_users_delays_window_by_one_fetch() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    for n in 31..60 {
        kit.publish(&[created(&message(&format!("m{n}"), &format!("u{n}"), n))]);
        if n > 31 {
            let name = format!("u{}", n - 1);
            kit.answer(USERS, &json!({name.clone(): user(&name, "New")}));
        }
    }
    assert!(kit.count(id) > 10, "{}", kit.count(id));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.ids(id)[0], "m59");
    assert_eq!(kit.window(id).len(), 59);
}

#[test]
fn load_more_counts_from_the_visible_items() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(100, 71), Some("x")));
    kit.answer(USERS, &json!({}));
    let five = kit.load_more(id, 5);
    let sent = kit.drain();
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/messages {"limit":5,"cursor":"x"}"#]
    );
    let ten = kit.load_more(id, 10);
    assert_eq!(kit.drain(), [""; 0]);
    let sent = kit.answer(MESSAGES, &page(&messages(70, 66), Some("y")));
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/messages {"limit":5,"cursor":"y"}"#]
    );
    assert!(kit.resolved.is_empty());
    kit.answer(MESSAGES, &page(&messages(65, 61), Some("z")));
    assert_eq!(kit.window(id).len(), 40);
    assert_eq!(
        (kit.reply(five), kit.reply(ten)),
        (json!("done"), json!("done"))
    );
    assert!(!kit.window(id).loaded_all());
}

#[test]
fn load_more_of_a_full_list_resolves_at_once() {
    let mut kit = Kit::with_limits(|limits| limits.window = 30);
    let id = loaded(&mut kit, Some("x"));
    // The full list ends before the window, whose last message was deleted.
    kit.publish(&[deleted("m1"), created(&message("m31", "alice", 31))]);
    let more = kit.load_more(id, 1);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.reply(more), json!("done"));
    assert_eq!(kit.window(id).len(), 30);
    assert!(!kit.window(id).loaded_all());
}

#[test]
fn load_more_at_the_end_resolves_at_once() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    let more = kit.load_more(id, 7);
    kit.drain();
    kit.answer(MESSAGES, &page(&[], None));
    assert!(kit.window(id).loaded_all());
    assert_eq!(kit.reply(more), json!("done"));
    let more = kit.load_more(id, 7);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn load_more_does_not_touch_other_windows() {
    let mut kit = Kit::new();
    let a = loaded(&mut kit, Some("x"));
    let b = kit.messages("c");
    kit.drain();
    assert_eq!((kit.count(b), kit.window(b).len()), (1, 30));
    kit.load_more(b, 10);
    kit.drain();
    let ten: Vec<_> = (0..10)
        .map(|n| message(&format!("o{n}"), "alice", -n))
        .collect();
    kit.answer(MESSAGES, &page(&ten, Some("y")));
    assert_eq!((kit.window(a).len(), kit.window(b).len()), (30, 40));
    assert_eq!(kit.count(a), 1);
    kit.publish(&[created(&message("m31", "alice", 31))]);
    assert_eq!((kit.window(a).len(), kit.window(b).len()), (31, 41));
    // Items that another viewer loaded become visible without a request.
    let more = kit.load_more(a, 4);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.window(a).len(), 35);
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn load_more_before_first_window_waits_for_it() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    let more = kit.load_more(id, 5);
    assert_eq!(
        kit.drain()[1],
        r#"GET /me/conversations/c/messages {"limit":35}"#
    );
    kit.answer(MESSAGES, &page(&messages(50, 16), Some("x")));
    kit.answer(USERS, &json!({}));
    assert_eq!((kit.count(id), kit.window(id).len()), (1, 35));
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn first_window_includes_items_that_still_wait() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(32, 3), Some("x")));
    kit.lose();
    kit.reconnect();
    let mut items = messages(32, 5);
    items.extend([message("m2", "bob", 2), message("m1", "bob", 1)]);
    kit.answer(MESSAGES, &page(&items, Some("x")));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.window(id).len(), 30);
}

#[test]
fn arrivals_during_first_wait_widen_window() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(2, 1), None));
    let new = |n: i64| created(&message(&format!("m{n}"), "bob", n));
    kit.publish(&(3..=40).map(new).collect::<Vec<_>>());
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    assert_eq!(kit.window(id).len(), 40);
}

#[test]
fn load_more_count_out_of_range_is_refused() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    for given in [0, 101] {
        let error = kit.try_load_more(id, Some(given)).unwrap_err();
        assert_eq!(error, CommandError::CountOutOfRange { given, max: 100 });
    }
    let user = kit.user("alice");
    assert_eq!(
        kit.try_load_more(user, None).unwrap_err(),
        CommandError::NotAList
    );
    kit.unsubscribe(id);
    assert_eq!(
        kit.try_load_more(id, None).unwrap_err(),
        CommandError::Unknown
    );
}

#[test]
fn unsubscribe_cancels_pending_loads() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    let sent = kit.load_more(id, 5);
    kit.drain();
    let unsent = kit.load_more(id, 9);
    kit.unsubscribe(id);
    kit.drain();
    for (request, maybe_happened) in [(sent, true), (unsent, false)] {
        let cancelled = crate::TransportError::Cancelled {
            maybe_happened,
            idempotent: true,
        };
        assert_eq!(kit.resolved[&request], Err(cancelled.into()));
    }
    assert_eq!(kit.ended[&id], None);
}

#[test]
fn load_more_cancelled_is_never_resolved() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    let more = kit.load_more(id, 5);
    assert_eq!(kit.live.cancel(kit.now, more), Some(false));
    assert_eq!(kit.drain(), [""; 0]);
    let more = kit.load_more(id, 5);
    kit.drain();
    assert_eq!(kit.live.cancel(kit.now, more), Some(true));
    assert_eq!(kit.live.cancel(kit.now, more), None);
    kit.answer(MESSAGES, &page(&messages(0, -4), None));
    assert_eq!((kit.count(id), kit.resolved.len()), (1, 0));
}

#[test]
fn messages_above_the_cap_drop_the_oldest() {
    let mut kit = Kit::with_window(40);
    kit.live.handle_ready(kit.now);
    let id = loaded(&mut kit, None);
    assert!(kit.window(id).loaded_all());
    for n in 31..=50 {
        kit.publish(&[created(&message(&format!("m{n}"), "alice", n))]);
    }
    assert_eq!(kit.window(id).len(), 40);
    assert_eq!(kit.window(id).first().unwrap().id, "m50");
    assert!(!kit.window(id).loaded_all());
    let more = kit.load_more(id, 5);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.reply(more), json!("done"));
}

#[test]
fn outsider_has_no_messages_until_joining() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.refuse(MESSAGES, 403, "NOT_A_PARTICIPANT");
    assert_eq!(kit.last(id), json!(null));
    let sent =
        kit.publish(&[json!({"type": "side.created", "conversationId": "c", "state": side("c")})]);
    assert_eq!(sent, [r#"GET /me/conversations/c/messages {"limit":30}"#]);
    kit.answer(MESSAGES, &page(&messages(1, 1), None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.ids(id), ["m1"]);
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c"})]);
    assert_eq!(kit.last(id), json!(null));
    assert_eq!(kit.count(id), 3);
}

#[test]
fn join_during_the_fetch_refetches() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.publish(&[json!({"type": "side.created", "conversationId": "c", "state": side("c")})]);
    let sent = kit.refuse(MESSAGES, 404, "CONVERSATION_NOT_FOUND");
    assert_eq!(sent, [r#"GET /me/conversations/c/messages {"limit":30}"#]);
    kit.answer(MESSAGES, &page(&[], None));
    assert_eq!(kit.last(id), json!([]));
}

#[test]
fn leave_during_the_fetch_shows_nothing() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c"})]);
    kit.answer(MESSAGES, &page(&messages(1, 1), None));
    assert_eq!(kit.last(id), json!(null));
}

#[test]
fn other_refusal_ends_the_subscription() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let more = kit.load_more(id, 1);
    let sent = kit.refuse(MESSAGES, 403, "FORBIDDEN");
    assert!(kit.ended[&id].is_some() && kit.resolved[&more].is_err());
    assert_eq!(sent, ["UNSUBSCRIBE /me/conversations/c/messages {}"]);
    assert!(kit.live.is_idle());
}

#[test]
fn malformed_answer_ends_the_subscription() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &json!({"data": "?"}));
    let malformed = crate::TransportError::Malformed.into();
    assert_eq!(kit.ended[&id], Some(malformed));
}

#[test]
fn events_before_first_page_apply_once() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    kit.publish(&[created(&message("m4", "alice", 4))]);
    kit.publish(&[edited("m3", json!({"custom": {"in": "both"}}))]);
    kit.publish(&[deleted("m2"), created(&message("m5", "alice", 5))]);
    // The page contains m4, but neither the edit nor the deletion.
    kit.answer(MESSAGES, &page(&messages(4, 1), None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.ids(id), ["m5", "m4", "m3", "m1"]);
    assert_eq!(kit.last(id)[2]["custom"], json!({"in": "both"}));
}

#[test]
fn events_before_a_later_page_are_applied() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    kit.load_more(id, 3);
    kit.drain();
    kit.publish(&[edited("m0", json!({"editedAt": 7}))]);
    kit.publish(&[deleted("m-1")]);
    kit.answer(MESSAGES, &page(&messages(0, -2), None));
    assert_eq!(kit.window(id).len(), 32);
    assert_eq!(kit.last(id)[30]["editedAt"], 7);
    assert_eq!(kit.last(id)[31]["id"], "m-2");
}

#[test]
fn message_behind_the_window_stays_out() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    kit.publish(&[created(&message("old", "alice", -9))]);
    assert_eq!(kit.count(id), 1);
}

#[test]
fn clear_event_empties_the_window() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    kit.publish(&[json!({"type": "conversation.cleared", "conversationId": "c"})]);
    assert_eq!(kit.last(id), json!([]));
    assert!(kit.window(id).loaded_all());
}

/// The deletion arrives through a subscription to the reactions of the message.
#[test]
fn deletion_before_page_read_has_no_effect_on_others() {
    for last in [json!(null), message("m0", "alice", 0)] {
        let mut kit = Kit::new();
        let id = kit.messages("c");
        kit.drain();
        let mut event = deleted("m1");
        event["newLastMessage"] = last;
        kit.publish(&[event]);
        kit.answer(MESSAGES, &page(&[message("m2", "alice", 2)], None));
        kit.answer(USERS, &json!({}));
        assert_eq!(kit.ids(id), ["m2"]);
    }
}

#[test]
fn page_with_a_repeated_message_shows_it_once() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let [m2, m1] = [message("m2", "alice", 2), message("m1", "alice", 1)];
    kit.answer(MESSAGES, &page(&[m2.clone(), m2, m1], None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.ids(id), ["m2", "m1"]);
}

#[test]
fn message_behind_the_window_arrives_with_its_page() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, Some("x"));
    kit.publish(&[created(&message("m-2", "alice", -2))]);
    kit.load_more(id, 3);
    let sent = kit.drain();
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/messages {"limit":3,"cursor":"x"}"#]
    );
    kit.answer(MESSAGES, &page(&messages(0, -2), None));
    assert_eq!(kit.ids(id)[29..], ["m1", "m0", "m-1", "m-2"]);
}

#[test]
fn backdated_message_is_last_in_a_complete_window() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    kit.publish(&[created(&message("old", "alice", -9))]);
    assert_eq!(kit.ids(id)[29..], ["m1", "old"]);
    assert!(kit.window(id).loaded_all());
}

#[test]
fn messages_of_equal_time_keep_server_order() {
    let mut kit = Kit::new();
    let id = kit.messages("c");
    kit.drain();
    let at_nine = |id: &str| message(id, "alice", 9);
    kit.answer(MESSAGES, &page(&["a", "b", "c"].map(at_nine), None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.ids(id), ["a", "b", "c"]);
    kit.reconnect();
    kit.answer(MESSAGES, &page(&["c", "a", "b"].map(at_nine), None));
    kit.answer(USERS, &json!({}));
    assert_eq!(kit.ids(id), ["c", "a", "b"]);
    kit.publish(&[created(&at_nine("d"))]);
    assert_eq!(kit.ids(id), ["d", "c", "a", "b"]);
}

#[test]
fn message_with_a_changed_time_moves() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit, None);
    kit.reconnect();
    let mut page_now = messages(30, 1);
    page_now[2]["createdAt"] = json!(99);
    kit.answer(MESSAGES, &page(&page_now, None));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.ids(id)[..4], ["m28", "m30", "m29", "m27"]);
    assert_eq!((kit.count(id), kit.ids(id).len()), (2, 30));
}
