//! Participants and reactions.

use serde_json::{Value, json};

use super::kit::*;
use crate::snapshot::Topic;
use crate::{CommandError, SubscriptionId};

const PARTICIPANTS: &str = "GET /me/conversations/c/participants";
const REACTIONS: &str = "GET /me/conversations/c/messages/m/reactions/%3Aa%3A";

fn participants(kit: &mut Kit) -> SubscriptionId {
    let conversation = "c".try_into().unwrap();
    kit.subscribe(Topic::Participants { conversation })
}

fn reactions(kit: &mut Kit) -> SubscriptionId {
    reactions_with(kit, ":a:")
}

fn reactions_with(kit: &mut Kit, emoji: &str) -> SubscriptionId {
    kit.subscribe(Topic::Reactions {
        conversation: "c".try_into().unwrap(),
        message: "m".try_into().unwrap(),
        emoji: emoji.try_into().unwrap(),
    })
}

fn users(ids: impl IntoIterator<Item = String>) -> Value {
    let users: serde_json::Map<_, _> = ids
        .into_iter()
        .map(|id| (id.clone(), user(&id, &id)))
        .collect();
    users.into()
}

/// Returns a page with `p{from}` down to `p{to}`.
fn page_of(from: i64, to: i64, cursor: Option<&str>) -> Value {
    let data: Vec<_> = (to..=from)
        .rev()
        .map(|n| participant(&format!("p{n}"), n))
        .collect();
    page(&data, cursor)
}

fn reaction(user: &str, created_at: i64) -> Value {
    json!({"userId": user, "createdAt": created_at})
}

#[test]
fn participants_are_latest_first_and_load_older() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    assert_eq!(
        kit.drain(),
        [
            "SUBSCRIBE /me/conversations/c/participants {}",
            r#"GET /me/conversations/c/participants {"limit":10}"#,
        ]
    );
    kit.answer(PARTICIPANTS, &page_of(20, 11, Some("x")));
    kit.answer(USERS, &users((11..=20).map(|n| format!("p{n}"))));
    assert_eq!((kit.ids(id).len(), &*kit.ids(id)[0]), (10, "p20"));
    let more = kit.try_load_more(id, None).unwrap();
    let sent = kit.drain();
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/participants {"limit":10,"cursor":"x"}"#]
    );
    kit.answer(PARTICIPANTS, &page_of(10, 5, None));
    kit.answer(USERS, &users((5..=10).map(|n| format!("p{n}"))));
    assert_eq!((kit.count(id), kit.ids(id).len()), (2, 16));
    assert_eq!(kit.reply(more), json!("done"));
    let error = kit.try_load_more(id, Some(51)).unwrap_err();
    assert_eq!(error, CommandError::CountOutOfRange { given: 51, max: 50 });
}

#[test]
fn participants_join_change_and_leave() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(2, 1, None));
    kit.answer(USERS, &users(["p1".to_owned(), "p2".to_owned()]));
    kit.publish(&[
        json!({"type": "participant.created", "conversationId": "c", "userId": "p3",
                         "state": participant("p3", 3)}),
    ]);
    assert_eq!(kit.count(id), 1);
    kit.answer(USERS, &users(["p3".to_owned()]));
    assert_eq!(kit.ids(id), ["p3", "p2", "p1"]);
    kit.publish(&[
        json!({"type": "participant.edited", "conversationId": "c", "userId": "p1",
                         "diff": {"access": "Read"}}),
    ]);
    assert_eq!(kit.last(id)[2]["access"], "Read");
    kit.publish(&[renamed("p2", "Two")]);
    assert_eq!(kit.last(id)[1]["user"]["name"], "Two");
    kit.publish(&[json!({"type": "participant.deleted", "conversationId": "c", "userId": "p2"})]);
    assert_eq!(kit.ids(id), ["p3", "p1"]);
    // A participant that joins again comes first.
    kit.publish(&[
        json!({"type": "participant.created", "conversationId": "c", "userId": "p1",
                         "state": participant("p1", 9)}),
    ]);
    assert_eq!(kit.ids(id), ["p1", "p3"]);
    kit.publish(&[json!({"type": "side.deleted", "conversationId": "c"})]);
    assert_eq!(kit.last(id), json!(null));
}

#[test]
fn participant_without_user_is_hidden() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(2, 1, None));
    kit.answer(USERS, &users(["p1".to_owned()]));
    assert_eq!(kit.ids(id), ["p1"]);
    kit.publish(&[json!({"type": "user.created", "userId": "p2", "state": user("p2", "Two")})]);
    assert_eq!(kit.ids(id), ["p2", "p1"]);
}

#[test]
fn participant_of_deleted_user_is_hidden_after_a_loss() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    let page = page_of(3, 1, None);
    kit.answer(PARTICIPANTS, &page);
    kit.answer(USERS, &users((1..=3).map(|n| format!("p{n}"))));
    assert_eq!(kit.ids(id), ["p3", "p2", "p1"]);
    kit.reconnect();
    kit.answer(PARTICIPANTS, &page);
    kit.answer(USERS, &users([1, 3].map(|n| format!("p{n}"))));
    assert_eq!(kit.ids(id), ["p3", "p1"]);
    kit.publish(&[json!({"type": "user.created", "userId": "p2", "state": user("p2", "Two")})]);
    assert_eq!(kit.ids(id), ["p3", "p2", "p1"]);
    assert_eq!(kit.count(id), 3);
}

fn left(user: &str) -> Value {
    json!({"type": "participant.deleted", "conversationId": "c", "userId": user})
}

#[test]
fn participant_lost_before_first_window_is_replaced() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(20, 11, Some("x")));
    let next = |limit: usize, cursor: &str| {
        format!(r#"{PARTICIPANTS} {{"limit":{limit},"cursor":"{cursor}"}}"#)
    };
    assert_eq!(kit.publish(&[left("p15"), left("p14")]), [next(2, "x")]);
    kit.answer(USERS, &users((11..=20).map(|n| format!("p{n}"))));
    assert_eq!(kit.count(id), 0);
    kit.answer(PARTICIPANTS, &page_of(10, 9, Some("y")));
    kit.answer(USERS, &users((9..=10).map(|n| format!("p{n}"))));
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 10));

    let more = kit.load_more(id, 2);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(8, 7, Some("z")));
    assert_eq!(kit.publish(&[left("p8")]), [next(1, "z")]);
    kit.answer(PARTICIPANTS, &page_of(6, 6, None));
    kit.answer(USERS, &users((7..=8).map(|n| format!("p{n}"))));
    kit.answer(USERS, &users(["p6".to_owned()]));
    assert_eq!(kit.reply(more), json!("done"));
    assert_eq!((kit.count(id), kit.ids(id).len()), (2, 12));
}

#[test]
fn participant_without_user_does_not_fill_a_window() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(20, 11, Some("x")));
    let sent = kit.answer(USERS, &users((12..=20).map(|n| format!("p{n}"))));
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/participants {"limit":1,"cursor":"x"}"#]
    );
    kit.answer(PARTICIPANTS, &page_of(10, 10, Some("y")));
    kit.answer(USERS, &users(["p10".to_owned()]));
    assert_eq!((kit.count(id), kit.ids(id).len()), (1, 10));
    assert_eq!(kit.ids(id)[9], "p10");
}

#[test]
fn participants_after_a_loss_are_correct() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(2, 1, None));
    kit.answer(USERS, &users(["p1".to_owned(), "p2".to_owned()]));
    kit.reconnect();
    let mut p1 = participant("p1", 1);
    p1["access"] = json!("Read");
    kit.answer(PARTICIPANTS, &page(&[participant("p3", 3), p1], None));
    kit.answer(USERS, &users(["p1".to_owned()]));
    kit.answer(USERS, &users(["p3".to_owned()]));
    assert_eq!(kit.ids(id), ["p3", "p1"]);
    assert_eq!(kit.last(id)[1]["access"], "Read");
    assert_eq!(kit.count(id), 2);
}

#[test]
fn reactions_spellings_of_an_emoji_share_events() {
    let mut kit = Kit::new();
    let bare = reactions_with(&mut kit, "❤");
    let qualified = reactions_with(&mut kit, "❤\u{FE0F}");
    let sent = kit.drain();
    assert_eq!(sent.len(), 2, "one subscription: {sent:?}");
    let fetch = "GET /me/conversations/c/messages/m/reactions/%E2%9D%A4";
    kit.answer(fetch, &page(&[], None));
    kit.publish(&[
        json!({"type": "reaction.added", "conversationId": "c", "messageId": "m",
                         "emoji": "❤\u{FE0F}", "userId": "u0", "createdAt": 1}),
    ]);
    kit.answer(USERS, &users(["u0".to_owned()]));
    assert_eq!(kit.ids(bare), ["u0"]);
    assert_eq!(kit.ids(qualified), ["u0"]);
}

#[test]
fn reactions_are_oldest_first_initially_ten() {
    let mut kit = Kit::new();
    let id = reactions(&mut kit);
    let sent = kit.drain();
    assert_eq!(
        sent[1],
        r#"GET /me/conversations/c/messages/m/reactions/%3Aa%3A {"limit":30}"#
    );
    let data: Vec<_> = (0..12).map(|n| reaction(&format!("u{n}"), n)).collect();
    kit.answer(REACTIONS, &page(&data, None));
    kit.answer(USERS, &users((0..12).map(|n| format!("u{n}"))));
    assert_eq!(kit.ids(id).len(), 10);
    let added = |user: &str, at: i64| {
        json!({"type": "reaction.added", "conversationId": "c", "messageId": "m",
               "emoji": ":a:", "userId": user, "createdAt": at})
    };
    // The window does not reach the end of the list.
    kit.publish(&[added("new", 50)]);
    assert_eq!(kit.count(id), 1);
    let more = kit.load_more(id, 100);
    kit.drain();
    kit.answer(USERS, &users(["new".to_owned()]));
    assert_eq!(kit.reply(more), json!("done"));
    assert_eq!(kit.ids(id).len(), 13);
    // Now the window reaches the end.
    kit.publish(&[added("u99", 99)]);
    kit.answer(USERS, &users(["u99".to_owned()]));
    assert_eq!(kit.ids(id)[13], "u99");
    kit.publish(&[
        json!({"type": "reaction.removed", "conversationId": "c", "messageId": "m",
                         "emoji": ":a:", "userId": "u0"}),
    ]);
    assert_eq!(kit.ids(id)[0], "u1");
    kit.publish(&[deleted("m")]);
    assert_eq!(kit.last(id), json!(null));
}

#[test]
fn message_event_does_not_refetch_reactions() {
    let mut kit = Kit::new();
    let id = reactions(&mut kit);
    kit.drain();
    kit.answer(REACTIONS, &page(&[], None));
    assert_eq!(kit.publish(&[created(&message("m2", "alice", 2))]), [""; 0]);
    assert_eq!(kit.publish(&[deleted("m2")]), [""; 0]);
    assert_eq!(kit.last(id), json!([]));
}

#[test]
fn load_more_cancelled_is_never_resolved() {
    type Subscribe = fn(&mut Kit) -> SubscriptionId;
    let topics: [(Subscribe, &str); 2] = [(participants, PARTICIPANTS), (reactions, REACTIONS)];
    for (subscribe, path) in topics {
        let mut kit = Kit::new();
        let id = subscribe(&mut kit);
        kit.drain();
        let more = kit.load_more(id, 5);
        kit.drain();
        assert_eq!(kit.live.cancel(kit.now, more), Some(true));
        assert_eq!(kit.live.cancel(kit.now, more), None);
        kit.answer(path, &page(&[], None));
        assert_eq!(kit.last(id), json!([]));
        assert_eq!(kit.resolved.len(), 0);
        assert_eq!(kit.live.pending_requests(), 0);
    }
}

#[test]
fn participant_older_than_window_waits_for_its_page() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(20, 11, Some("x")));
    kit.answer(USERS, &users((11..=20).map(|n| format!("p{n}"))));
    let state = participant("p5", 5);
    let joined = json!({"type": "participant.created", "conversationId": "c", "userId": "p5",
                        "state": state});
    assert_eq!(kit.publish(&[joined]), [""; 0]);
    kit.load_more(id, 6);
    let sent = kit.drain();
    assert_eq!(
        sent,
        [r#"GET /me/conversations/c/participants {"limit":6,"cursor":"x"}"#]
    );
    kit.answer(PARTICIPANTS, &page_of(10, 5, Some("y")));
    kit.answer(USERS, &users((5..=10).map(|n| format!("p{n}"))));
    assert_eq!(
        kit.ids(id)[9..],
        ["p11", "p10", "p9", "p8", "p7", "p6", "p5"]
    );
}

#[test]
fn reaction_late_event_is_sorted_in() {
    let mut kit = Kit::new();
    let id = reactions(&mut kit);
    kit.drain();
    kit.answer(
        REACTIONS,
        &page(&[reaction("u0", 0), reaction("u2", 20)], None),
    );
    kit.answer(USERS, &users(["u0".to_owned(), "u2".to_owned()]));
    kit.publish(&[
        json!({"type": "reaction.added", "conversationId": "c", "messageId": "m",
                         "emoji": ":a:", "userId": "u1", "createdAt": 10}),
    ]);
    kit.answer(USERS, &users(["u1".to_owned()]));
    assert_eq!(kit.ids(id), ["u0", "u1", "u2"]);
}

#[test]
fn participant_leaving_with_a_rename_is_removed() {
    let mut kit = Kit::new();
    let id = participants(&mut kit);
    kit.drain();
    kit.answer(PARTICIPANTS, &page_of(2, 1, None));
    kit.answer(USERS, &users(["p1".to_owned(), "p2".to_owned()]));
    kit.publish(&[renamed("p2", "Two"), left("p2")]);
    assert_eq!(kit.ids(id), ["p1"]);
    kit.publish(&[renamed("p2", "Three")]);
    assert_eq!(kit.count(id), 2);
}
