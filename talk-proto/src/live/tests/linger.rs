//! Unreferenced stores linger.

use serde_json::json;

use super::kit::*;

fn loaded(kit: &mut Kit) -> crate::SubscriptionId {
    let id = kit.messages("c");
    kit.drain();
    kit.answer(MESSAGES, &page(&messages(1, 1), None));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    id
}

#[test]
fn messages_linger_10_s_and_their_users_30_s_more() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.unsubscribe(id);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.ended[&id], None);
    assert_eq!(kit.wait(9), [""; 0]);
    assert_eq!(kit.wait(1), ["UNSUBSCRIBE /me/conversations/c/messages {}"]);
    assert_eq!(kit.wait(29), [""; 0]);
    assert!(!kit.live.is_idle());
    assert_eq!(kit.wait(1), ["UNSUBSCRIBE /users/alice {}"]);
    assert!(kit.live.is_idle());
    assert_eq!(kit.live.poll_timeout(), None);
}

#[test]
fn conversation_lingers_30_s_and_messages_10_s_more() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &page(&[], None));
    kit.unsubscribe(id);
    kit.drain();
    assert_eq!(kit.wait(30), ["UNSUBSCRIBE /me/conversations/c {}"]);
    assert_eq!(
        kit.wait(10),
        ["UNSUBSCRIBE /me/conversations/c/messages {}"]
    );
    assert!(kit.live.is_idle());
}

#[test]
fn lingering_state_is_live_and_shown_at_once() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.unsubscribe(id);
    kit.drain();
    kit.wait(9);
    kit.publish(&[created(&message("m2", "alice", 2))]);
    let id = kit.messages("c");
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.ids(id), ["m2", "m1"]);
    // The linger time starts again when the next viewer leaves.
    assert_eq!(kit.wait(9), [""; 0]);
    kit.unsubscribe(id);
    kit.drain();
    assert_eq!(kit.wait(9), [""; 0]);
    assert_eq!(kit.wait(1).len(), 1);
}

#[test]
fn state_with_a_viewer_does_not_linger() {
    let mut kit = Kit::new();
    let a = loaded(&mut kit);
    let b = kit.messages("c");
    kit.drain();
    kit.unsubscribe(a);
    kit.drain();
    assert_eq!(kit.live.poll_timeout(), None);
    kit.publish(&[created(&message("m2", "alice", 2))]);
    assert_eq!(kit.count(a), 1);
    assert_eq!(kit.ids(b), ["m2", "m1"]);
}

#[test]
fn unsent_subscription_does_not_linger() {
    let mut kit = Kit::offline();
    let id = kit.messages("c");
    kit.drain();
    kit.unsubscribe(id);
    kit.drain();
    assert!(kit.live.is_idle());

    let mut kit = Kit::new();
    let id = kit.conversation("c");
    kit.unsubscribe(id);
    assert_eq!(kit.drain(), [""; 0]);
    assert!(kit.live.is_idle());
}

#[test]
fn loss_drops_lingering_state() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.unsubscribe(id);
    kit.drain();
    assert_eq!(kit.lose(), [""; 0]);
    assert!(kit.live.is_idle());
    assert_eq!(kit.reconnect(), [""; 0]);
    assert_eq!(kit.live.poll_timeout(), None);
}

#[test]
fn linger_end_unsubscribes_unviewed_state() {
    let mut kit = Kit::new();
    let id = kit.conversation("c");
    let stays = kit.user("bob");
    kit.drain();
    kit.answer(SIDE, &side("c"));
    kit.answer(MESSAGES, &page(&messages(1, 1), None));
    kit.answer(USERS, &json!({"bob": user("bob", "Bob")}));
    kit.answer(USERS, &json!({"alice": user("alice", "Alice")}));
    kit.unsubscribe(id);
    kit.drain();
    kit.live.end_linger(kit.now);
    let mut sent = kit.drain();
    sent.sort();
    assert_eq!(
        sent,
        [
            "UNSUBSCRIBE /me/conversations/c {}",
            "UNSUBSCRIBE /me/conversations/c/messages {}",
            "UNSUBSCRIBE /users/alice {}",
        ]
    );
    kit.unsubscribe(stays);
    kit.drain();
    kit.wait(30);
    assert!(kit.live.is_idle());
}

#[test]
fn subscribe_and_unsubscribe_in_one_tick_sends_nothing() {
    for topic in topics() {
        let mut kit = Kit::new();
        let id = kit.subscribe(topic.clone());
        kit.unsubscribe(id);
        assert_eq!(kit.drain(), [""; 0], "{topic:?}");
        assert!(kit.live.is_idle(), "{topic:?}");
        assert_eq!(kit.live.poll_timeout(), None, "{topic:?}");
    }
}

#[test]
fn unsubscribe_and_subscribe_in_one_tick_goes_on() {
    for topic in topics() {
        let mut kit = Kit::new();
        let id = kit.subscribe(topic.clone());
        let sent = kit.drain();
        kit.unsubscribe(id);
        kit.subscribe(topic.clone());
        assert_eq!(kit.drain(), [""; 0], "{topic:?}");
        assert_eq!(kit.live.poll_timeout(), None, "{topic:?}");
        assert_eq!(kit.wait(60), [""; 0], "{topic:?}");
        let mut again = kit.reconnect();
        again.retain(|request| request.starts_with("SUBSCRIBE"));
        let first = sent
            .iter()
            .filter(|request| request.starts_with("SUBSCRIBE"));
        assert!(first.eq(&again), "{topic:?}: {again:?}");
    }
}

#[test]
fn reattached_state_restarts_its_linger() {
    for topic in topics() {
        let mut kit = Kit::new();
        let id = kit.subscribe(topic.clone());
        kit.drain();
        kit.unsubscribe(id);
        kit.drain();
        let first = kit.live.poll_timeout().unwrap();
        kit.wait(5);
        let id = kit.subscribe(topic.clone());
        assert_eq!(kit.drain(), [""; 0], "{topic:?}");
        kit.wait(1);
        kit.unsubscribe(id);
        kit.drain();
        let due = kit.live.poll_timeout().unwrap();
        assert_eq!(due, first + std::time::Duration::from_secs(6), "{topic:?}");
        kit.wait(60);
        kit.wait(60);
        assert!(kit.live.is_idle(), "{topic:?}");
    }
}

#[test]
fn linger_end_releases_users_that_only_linger() {
    let mut kit = Kit::new();
    let id = loaded(&mut kit);
    kit.unsubscribe(id);
    kit.drain();
    kit.wait(10);
    kit.live.end_linger(kit.now);
    assert_eq!(kit.drain(), ["UNSUBSCRIBE /users/alice {}"]);
    assert!(kit.live.is_idle());
}

#[test]
fn linger_end_does_not_affect_visible_state() {
    let mut kit = Kit::new();
    for topic in topics() {
        kit.subscribe(topic);
    }
    kit.drain();
    kit.live.end_linger(kit.now);
    assert_eq!(kit.drain(), [""; 0]);
    assert_eq!(kit.live.subscriptions(), topics().len());
}
