//! Long windows after a connection loss: the first 300 items precede the rest.

use std::sync::Arc;

use serde_json::{Value, json};

use super::conversation_list::{LIST, side_edited, subscribe};
use super::kit::*;
use super::ranges::{answer_page, is_get, shown, shown_in};
use crate::SubscriptionId;
use crate::changes::{Changes, RemovalReason};
use crate::snapshot::Snapshot;

/// Answers `count` pages of messages in `c`.
fn answer_pages(kit: &mut Kit, newest: i64, count: usize) {
    for _ in 0..count {
        assert!(answer_page(kit, "c", newest), "no request is open");
    }
}

/// Returns the conversations and limits of the open GETs of messages.
fn open_pages(kit: &Kit) -> Vec<(String, Value)> {
    let pages = kit.open.iter().map(|(_, request)| request);
    let pages = pages.filter(|r| is_get(r) && r.path.ends_with("/messages"));
    let pages = pages.map(|r| {
        let conversation = r.path.split('/').nth(3).unwrap().to_owned();
        let data: Value = serde_json::from_str(&r.data).unwrap();
        (conversation, data["limit"].clone())
    });
    pages.collect()
}

/// Returns the IDs `m{from}` down to `m{to}`.
fn ids(from: i64, to: i64) -> Vec<String> {
    (to..=from).rev().map(|n| format!("m{n}")).collect()
}

/// Returns the reasons for the removals of the last update.
fn removals(kit: &Kit, id: SubscriptionId) -> Vec<RemovalReason> {
    let Changes::List(changes) = &kit.changes[&id] else {
        panic!("no list of changes but {:?}", kit.changes[&id]);
    };
    let reasons = changes.removed.iter().map(|removal| removal.reason);
    let mut reasons: Vec<_> = reasons.collect();
    reasons.dedup();
    reasons
}

#[test]
fn first_300_items_are_shown_before_the_rest() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 450, 400);
    let count = kit.count(id);
    kit.reconnect();
    answer_pages(&mut kit, 460, 2);
    assert_eq!(kit.count(id), count);
    answer_pages(&mut kit, 460, 1);
    assert_eq!(kit.count(id), count + 1);
    assert_eq!(kit.ids(id), ids(460, 51));
}

#[test]
fn window_with_missing_items_has_outdated_ones() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 450, 400);
    kit.reconnect();
    answer_pages(&mut kit, 900, 3);
    // The messages from 451 to 600 are missing.
    assert_eq!(kit.ids(id), [ids(900, 601), ids(450, 51)].concat());
    assert!(kit.window(id).has_outdated());
    while answer_page(&mut kit, "c", 900) {}
    assert_eq!(kit.ids(id), ids(900, 51));
    assert!(!kit.window(id).has_outdated());
}

#[test]
fn rest_keeps_old_items_until_its_page() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 500, 500);
    let before = kit.window(id).clone();
    kit.reconnect();
    for (from, to) in [(500, 401), (400, 301), (300, 201)] {
        kit.answer(MESSAGES, &page(&messages(from, to), Some("x")));
    }
    // Nothing has changed so far.
    assert!(Arc::ptr_eq(
        kit.window(id).get(499).unwrap(),
        before.get(499).unwrap()
    ));
    assert!(kit.window(id).loaded_all());
    let count = kit.count(id);
    // One message of each further page was deleted, and one edited.
    for (from, to, cursor) in [(200, 101, Some("y")), (100, 1, None)] {
        let mut now = messages(from, to);
        now[9]["custom"] = json!({"a": "b"});
        now.remove(49);
        kit.answer(MESSAGES, &page(&now, cursor));
        assert_eq!(removals(&kit, id), [RemovalReason::Deleted]);
    }
    assert_eq!(kit.count(id), count + 2);
    let gone = ["m151", "m51"].map(str::to_owned);
    let expected: Vec<_> = ids(500, 1)
        .into_iter()
        .filter(|id| !gone.contains(id))
        .collect();
    assert_eq!(kit.ids(id), expected);
}

#[test]
fn long_window_without_changes_causes_no_update() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 450, 450);
    let count = kit.count(id);
    kit.reconnect();
    answer_pages(&mut kit, 450, 5);
    assert!(open_pages(&kit).is_empty());
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    assert_eq!(kit.count(id), count);
}

#[test]
fn rest_follows_the_first_items_of_all_windows() {
    let mut kit = Kit::new();
    let long = shown(&mut kit, 450, 450);
    shown_in(&mut kit, "d", 400, 130);
    kit.reconnect();
    answer_pages(&mut kit, 450, 3);
    assert_eq!(kit.window(long).len(), 450);
    assert_eq!(open_pages(&kit), [("d".to_owned(), json!(100))]);
    answer_page(&mut kit, "d", 400);
    assert_eq!(open_pages(&kit), [("d".to_owned(), json!(30))]);
    answer_page(&mut kit, "d", 400);
    assert_eq!(open_pages(&kit), [("c".to_owned(), json!(100))]);
}

#[test]
fn rest_is_one_page_of_all_windows_at_a_time() {
    let mut kit = Kit::new();
    let conversations = ["c", "d", "e"];
    for conversation in conversations {
        shown_in(&mut kit, conversation, 500, 500);
    }
    kit.reconnect();
    for conversation in conversations {
        for _ in 0..3 {
            answer_page(&mut kit, conversation, 500);
        }
    }
    let mut order = Vec::new();
    while let [(conversation, _)] = &open_pages(&kit)[..] {
        order.push(conversation.clone());
        answer_page(&mut kit, &order[order.len() - 1], 500);
    }
    assert!(open_pages(&kit).is_empty());
    assert_eq!(order, ["c", "d", "e", "c", "d", "e"]);
}

#[test]
fn new_window_does_not_wait_for_a_rest() {
    let mut kit = Kit::new();
    shown(&mut kit, 500, 500);
    kit.reconnect();
    answer_pages(&mut kit, 500, 3);
    let id = kit.messages("d");
    kit.drain();
    assert_eq!(open_pages(&kit).len(), 2);
    answer_page(&mut kit, "d", 40);
    assert_eq!(kit.window(id).len(), 30);
    answer_pages(&mut kit, 500, 2);
    assert!(open_pages(&kit).is_empty());
}

#[test]
fn complete_long_window_grown_offline_stays_complete() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 350, 350);
    kit.reconnect();
    // The first items do not reach the old ones.
    answer_pages(&mut kit, 800, 3);
    assert_eq!(kit.ids(id), [ids(800, 501), ids(350, 1)].concat());
    assert!(kit.window(id).loaded_all());
    while answer_page(&mut kit, "c", 800) {}
    assert!(open_pages(&kit).is_empty());
    assert_eq!(kit.ids(id), ids(800, 1));
    assert!(kit.window(id).loaded_all());
}

#[test]
fn long_window_grown_offline_keeps_its_range() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 1_000, 400);
    kit.reconnect();
    answer_pages(&mut kit, 1_250, 7);
    assert!(open_pages(&kit).is_empty());
    assert_eq!(kit.ids(id), ids(1_250, 601));
    assert!(!kit.window(id).loaded_all() && kit.changes[&id] != Changes::Gap);
    let more = kit.load_more(id, 10);
    kit.drain();
    // The last page went beyond the window.
    assert_eq!(kit.reply(more), json!("done"));
    assert_eq!(kit.ids(id), ids(1_250, 591));
}

#[test]
fn refetch_limit_within_the_rest_reports_a_gap() {
    let mut kit = Kit::with_limits(|limits| limits.refetch = 500);
    let id = shown(&mut kit, 600, 600);
    kit.reconnect();
    answer_pages(&mut kit, 900, 4);
    assert_ne!(kit.changes[&id], Changes::Gap);
    answer_pages(&mut kit, 900, 1);
    assert_eq!(kit.changes[&id], Changes::Gap);
    assert!(open_pages(&kit).is_empty());
    assert_eq!(kit.ids(id), ids(900, 401));
    assert!(!kit.window(id).loaded_all());
}

#[test]
fn item_pushed_out_of_a_long_window_is_evicted() {
    let mut kit = Kit::with_limits(|limits| limits.window = 400);
    let id = shown(&mut kit, 600, 400);
    kit.reconnect();
    answer_pages(&mut kit, 650, 3);
    assert_eq!(removals(&kit, id), [RemovalReason::Evicted]);
    assert_eq!(kit.ids(id), [ids(650, 351), ids(350, 251)].concat());
    answer_pages(&mut kit, 650, 1);
    assert!(open_pages(&kit).is_empty());
    assert_eq!(kit.ids(id), ids(650, 251));
    assert_ne!(kit.changes[&id], Changes::Gap);
}

#[test]
fn first_items_that_fill_the_list_end_the_rest() {
    let mut kit = Kit::with_limits(|limits| limits.window = 100);
    let id = shown(&mut kit, 600, 100);
    kit.reconnect();
    answer_pages(&mut kit, 1_200, 3);
    assert!(open_pages(&kit).is_empty());
    assert_eq!(kit.ids(id), ids(1_200, 1_101));
    assert_eq!(removals(&kit, id), [RemovalReason::Evicted]);
}

#[test]
fn event_on_an_item_of_the_rest_applies_at_once() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 500, 500);
    kit.reconnect();
    answer_pages(&mut kit, 500, 3);
    kit.publish(&[deleted("m10"), edited("m20", json!({"custom": {"a": "b"}}))]);
    assert_eq!(kit.window(id).len(), 499);
    assert_eq!(kit.last(id)[480]["custom"], json!({"a": "b"}));
    answer_pages(&mut kit, 500, 1);
    // The pending page is older than the next deletion.
    kit.publish(&[deleted("m11")]);
    let mut last = messages(100, 1);
    last[80]["custom"] = json!({"a": "b"});
    last.retain(|message| message["id"] != "m10");
    kit.answer(MESSAGES, &page(&last, None));
    assert_eq!(kit.window(id).len(), 498);
    assert_eq!(kit.last(id)[480]["custom"], json!({"a": "b"}));
}

#[test]
fn event_overtaken_by_a_page_of_the_rest_is_kept() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 400, 400);
    kit.reconnect();
    answer_pages(&mut kit, 400, 3);
    kit.publish(&[created(&message("m401", "alice", 401)), deleted("m50")]);
    answer_pages(&mut kit, 400, 1);
    let expected: Vec<_> = ids(401, 1).into_iter().filter(|id| id != "m50").collect();
    assert_eq!(kit.ids(id), expected);
    assert!(kit.window(id).loaded_all());
}

#[test]
fn loss_in_the_middle_of_the_rest_loses_nothing() {
    for pages in 0..6 {
        let mut kit = Kit::new();
        let id = shown(&mut kit, 600, 600);
        let other = shown_in(&mut kit, "d", 1_000, 400);
        kit.reconnect();
        answer_pages(&mut kit, 600, 3.min(pages));
        for _ in 0..3 {
            answer_page(&mut kit, "d", 1_000);
        }
        for _ in 3..pages {
            answer_page(&mut kit, "d", 1_000);
            answer_page(&mut kit, "c", 600);
        }
        kit.reconnect();
        while answer_page(&mut kit, "c", 610) || answer_page(&mut kit, "d", 1_010) {}
        assert_eq!(kit.ids(id), ids(610, 1));
        assert!(kit.window(id).loaded_all());
        assert_eq!(kit.ids(other), ids(1_010, 601));
    }
}

#[test]
fn load_more_during_the_rest_is_resolved_after_it() {
    let mut kit = Kit::new();
    let id = shown(&mut kit, 600, 400);
    kit.reconnect();
    answer_pages(&mut kit, 600, 3);
    let more = kit.load_more(id, 50);
    kit.drain();
    assert!(!kit.resolved.contains_key(&more));
    while answer_page(&mut kit, "c", 600) {}
    assert_eq!(kit.reply(more), json!("done"));
    assert_eq!(kit.ids(id), ids(600, 151));
}

#[test]
fn window_dropped_during_the_rest_frees_its_turn() {
    let mut kit = Kit::new();
    let first = shown(&mut kit, 500, 500);
    let second = shown_in(&mut kit, "d", 500, 500);
    kit.reconnect();
    for _ in 0..3 {
        answer_page(&mut kit, "c", 500);
        answer_page(&mut kit, "d", 500);
    }
    assert_eq!(open_pages(&kit), [("c".to_owned(), json!(100))]);
    kit.unsubscribe(first);
    kit.drain();
    kit.wait(11);
    assert!(open_pages(&kit).contains(&("d".to_owned(), json!(100))));
    while answer_page(&mut kit, "d", 500) {}
    assert_eq!(kit.window(second).len(), 500);
}

#[test]
fn quotes_of_first_items_are_fetched_with_them() {
    const QUOTE: &str = "GET /me/conversations/c/messages/m0";
    let mut kit = Kit::new();
    let id = shown(&mut kit, 400, 100);
    let quoting = |n: i64| {
        let mut page = messages(n, n - 99);
        page[99] = reply_to(page[99].clone(), "m0");
        page
    };
    for n in [300, 200] {
        kit.load_more(id, 100);
        kit.drain();
        let quoted = if n == 200 {
            quoting(n)
        } else {
            messages(n, n - 99)
        };
        kit.answer(MESSAGES, &page(&quoted, Some(&(n - 100).to_string())));
    }
    kit.answer(QUOTE, &message("m0", "alice", 0));
    kit.load_more(id, 100);
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(100, 1), None));
    assert_eq!(kit.window(id).len(), 400);
    kit.reconnect();
    for n in [400, 300, 200] {
        let quoted = if n == 200 {
            quoting(n)
        } else {
            messages(n, n - 99)
        };
        kit.answer(MESSAGES, &page(&quoted, Some(&(n - 100).to_string())));
    }
    kit.refuse(QUOTE, 404, "MESSAGE_NOT_FOUND");
    kit.answer(MESSAGES, &page(&messages(100, 1), None));
    assert_eq!(kit.last(id)[299]["referencedMessage"], json!(null));
    assert_eq!(kit.ids(id), ids(400, 1));
}

#[test]
fn quote_by_the_rest_only_waits_for_its_page() {
    const QUOTE: &str = "GET /me/conversations/c/messages/m0";
    let mut kit = Kit::new();
    let id = shown(&mut kit, 400, 300);
    let mut last = messages(100, 1);
    last[99] = reply_to(last[99].clone(), "m0");
    kit.load_more(id, 100);
    kit.drain();
    kit.answer(MESSAGES, &page(&last, None));
    kit.answer(QUOTE, &message("m0", "alice", 0));
    kit.reconnect();
    answer_pages(&mut kit, 401, 3);
    // The first items do not wait for the quote.
    assert_eq!(kit.ids(id)[0], "m401");
    assert_eq!(
        kit.open
            .iter()
            .filter(|(_, r)| r.path.ends_with("m0"))
            .count(),
        0
    );
    last.insert(0, message("m101", "alice", 101));
    kit.answer(MESSAGES, &page(&last, None));
    let mut m0 = message("m0", "alice", 0);
    m0["editedAt"] = json!(8);
    kit.answer(QUOTE, &m0);
    assert_eq!(kit.last(id)[400]["referencedMessage"]["editedAt"], 8);
}

/// Conversations with their last activity, the most recent first.
type Sides = Vec<(i64, i64)>;

fn sides(newest: i64) -> Sides {
    (1..=newest).rev().map(|n| (n, n)).collect()
}

fn side_at((n, at): (i64, i64)) -> Value {
    let mut side = side(&format!("c{n}"));
    side["lastMessageAt"] = json!(at);
    side
}

/// Moves a conversation to the front.
fn touch(sides: &mut Sides, n: i64, at: i64) {
    sides.retain(|(other, _)| *other != n);
    sides.insert(0, (n, at));
}

/// Answers the open page of the list, and all other requests.
fn answer_list(kit: &mut Kit, sides: &Sides) {
    answer_others(kit, sides);
    let mut open = kit.open.iter();
    let (_, request) = open
        .find(|(_, r)| is_get(r) && r.path == "/me/conversations")
        .unwrap();
    let data: Value = serde_json::from_str(&request.data).unwrap();
    let before = data["cursor"]
        .as_str()
        .map_or(i64::MAX, |c| c.parse().unwrap());
    let limit = usize::try_from(data["limit"].as_u64().unwrap().min(30)).unwrap();
    let left: Vec<_> = sides
        .iter()
        .copied()
        .filter(|(_, at)| *at < before)
        .collect();
    let data = &left[..limit.min(left.len())];
    let cursor = (left.len() > limit).then(|| data[limit - 1].1.to_string());
    let data: Vec<_> = data.iter().copied().map(side_at).collect();
    kit.answer(LIST, &page(&data, cursor.as_deref()));
    answer_others(kit, sides);
}

/// Answers all requests but those of the list.
fn answer_others(kit: &mut Kit, sides: &Sides) {
    let is_other = |path: &str| path.starts_with("/me/conversations/");
    while let Some((_, request)) = kit
        .open
        .iter()
        .find(|(_, r)| is_get(r) && is_other(&r.path))
    {
        let path = format!("GET {}", request.path);
        let n = path.split('/').nth(3).unwrap()[1..].parse::<i64>().unwrap();
        let side = sides.iter().find(|(other, _)| *other == n);
        match side {
            _ if path.ends_with("/messages") => kit.answer(&path, &page(&[], None)),
            Some(side) => kit.answer(&path, &side_at(*side)),
            None => kit.refuse(&path, 403, "NOT_A_PARTICIPANT"),
        };
    }
}

fn has_open_page(kit: &Kit) -> bool {
    let is_page = |path: &str| path == "/me/conversations";
    kit.open.iter().any(|(_, r)| is_get(r) && is_page(&r.path))
}

/// Subscribes to a list and loads all of it.
fn long_list(kit: &mut Kit, sides: &Sides) -> SubscriptionId {
    let id = subscribe(kit);
    kit.drain();
    answer_list(kit, sides);
    while kit.ids(id).len() < sides.len() {
        kit.load_more(id, 30);
        kit.drain();
        answer_list(kit, sides);
    }
    id
}

fn assert_shows_all(kit: &Kit, id: SubscriptionId, sides: &Sides) {
    let expected: Vec<_> = sides.iter().map(|(n, _)| format!("c{n}")).collect();
    assert_eq!(kit.ids(id), expected);
    match kit.seen[&id].last() {
        Some(Snapshot::Conversations(window)) => assert!(window.loaded_all()),
        other => panic!("no conversations but {other:?}"),
    }
}

#[test]
fn conversation_of_the_rest_moves_to_the_front_at_once() {
    let mut kit = Kit::new();
    let mut now = sides(370);
    let id = long_list(&mut kit, &now);
    kit.reconnect();
    for _ in 0..10 {
        answer_list(&mut kit, &now);
    }
    touch(&mut now, 5, 1_000);
    kit.publish(&[side_edited(5, json!({"lastMessageAt": 1_000}))]);
    answer_others(&mut kit, &now);
    assert_shows_all(&kit, id, &now);
    while has_open_page(&kit) {
        answer_list(&mut kit, &now);
    }
    assert_shows_all(&kit, id, &now);
}

#[test]
fn conversations_moving_before_the_rest_are_kept() {
    // More conversations than are verified move while the first items are loaded.
    for moving in [1, 40] {
        let mut kit = Kit::new();
        let mut now = sides(370);
        let id = long_list(&mut kit, &now);
        kit.reconnect();
        for page in 0..10 {
            answer_list(&mut kit, &now);
            if page == 4 {
                for n in 1..=moving {
                    touch(&mut now, n, 1_000 + n);
                    kit.publish(&[side_edited(n, json!({"lastMessageAt": 1_000 + n}))]);
                }
            }
        }
        while has_open_page(&kit) {
            answer_list(&mut kit, &now);
        }
        assert_shows_all(&kit, id, &now);
    }
}

#[test]
fn conversations_moving_to_the_rest_are_kept() {
    // All of the first items can move before the response to the last of their pages.
    for moving in [1, 40, 300] {
        let mut kit = Kit::new();
        let mut now: Sides = sides(370)
            .into_iter()
            .map(|(n, at)| (n, at + 1_000))
            .collect();
        let id = long_list(&mut kit, &now);
        kit.reconnect();
        for _ in 0..9 {
            answer_list(&mut kit, &now);
        }
        let before = now.clone();
        for n in 71..71 + moving {
            now.retain(|(other, _)| *other != n);
            now.push((n, 1_000 - n));
            kit.publish(&[side_edited(n, json!({"lastMessageAt": 1_000 - n}))]);
        }
        answer_list(&mut kit, &before);
        while has_open_page(&kit) {
            answer_list(&mut kit, &now);
            assert_eq!(kit.ids(id).len(), 370);
        }
        assert_shows_all(&kit, id, &now);
    }
}

#[test]
fn conversations_moved_to_the_rest_offline_are_kept() {
    for moving in [1, 40] {
        let mut kit = Kit::new();
        let mut now: Sides = sides(370)
            .into_iter()
            .map(|(n, at)| (n, at + 1_000))
            .collect();
        let id = long_list(&mut kit, &now);
        kit.lose();
        // The last messages of some conversations were deleted.
        for n in 330..330 + moving {
            now.retain(|(other, _)| *other != n);
            now.push((n, 1_000 - n));
        }
        kit.reconnect();
        for _ in 0..10 {
            answer_list(&mut kit, &now);
            assert_eq!(kit.ids(id).len(), 370);
        }
        while has_open_page(&kit) {
            answer_list(&mut kit, &now);
            assert_eq!(kit.ids(id).len(), 370);
        }
        assert_shows_all(&kit, id, &now);
    }
}

#[test]
fn conversations_left_offline_are_removed() {
    for left in [1, 40] {
        let mut kit = Kit::new();
        let mut now = sides(370);
        let id = long_list(&mut kit, &now);
        kit.lose();
        now.retain(|(n, _)| !(20..20 + left).contains(n) && !(330..330 + left).contains(n));
        kit.reconnect();
        while has_open_page(&kit) {
            answer_list(&mut kit, &now);
        }
        assert_shows_all(&kit, id, &now);
    }
}

#[test]
fn new_viewer_resumes_a_rest_without_viewers() {
    let mut kit = Kit::new();
    let now = sides(370);
    let first = long_list(&mut kit, &now);
    kit.reconnect();
    for _ in 0..10 {
        answer_list(&mut kit, &now);
    }
    kit.unsubscribe(first);
    answer_list(&mut kit, &now);
    assert!(!has_open_page(&kit));
    let id = subscribe(&mut kit);
    kit.drain();
    assert!(has_open_page(&kit));
    while has_open_page(&kit) {
        answer_list(&mut kit, &now);
    }
    assert_eq!(kit.ids(id).len(), 20);
}

#[test]
fn quoted_item_pushed_out_of_a_long_window_is_fetched() {
    const QUOTE: &str = "GET /me/conversations/c/messages/m201";
    let mut kit = Kit::with_limits(|limits| limits.window = 400);
    let id = shown(&mut kit, 600, 400);
    kit.reconnect();
    answer_pages(&mut kit, 600, 3);
    // The reply pushes out the message that it quotes, in its state from before the loss.
    kit.publish(&[created(&reply_to(message("m601", "alice", 601), "m201"))]);
    let mut m201 = message("m201", "alice", 201);
    m201["editedAt"] = json!(8);
    while answer_page(&mut kit, "c", 600) {}
    kit.answer(QUOTE, &m201);
    assert_eq!(kit.ids(id), ids(601, 202));
    assert_eq!(kit.last(id)[0]["referencedMessage"]["editedAt"], 8);
}
