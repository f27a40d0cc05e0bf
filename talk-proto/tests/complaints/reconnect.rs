//! After a connection loss there is no gap and no missing subscription, for every close code.

use serde_json::json;
use talk_proto::{ConnectionState, Event, SocketClosed, Topic};

use super::chat::{Chat, MESSAGES, created};
use crate::support::{Answer, World, conversation, mark_as_read, options, seconds, send};

/// Complaint: the echo of an own message after a loss hides messages that were missed before it.
#[test]
fn own_message_after_loss_hides_no_gap() {
    let (mut chat, subscription) = Chat::shown(3);
    chat.world.latency = seconds(1);
    chat.world.cut();
    chat.hold(4);
    chat.hold(5);
    chat.world.run_for(seconds(1));
    // The token is renewed and the subscription is sent, but the first page is missing.
    let subscribe = format!("SUBSCRIBE {MESSAGES}");
    while chat.world.log.of(&subscribe).len() < 2 {
        let next = chat.world.now + seconds(3);
        assert!(chat.world.step(next));
    }
    chat.post(6);
    chat.world.run_for(seconds(5));
    assert_eq!(chat.shows(subscription), chat.newest(6));
    for shown in chat.updates(subscription) {
        assert!(
            !shown.contains(&"m6".into()) || shown.contains(&"m4".into()),
            "{shown:?}"
        );
    }
}

/// Complaint: after a long absence the window has a hole. The window must keep its range.
#[test]
fn gap_longer_than_window_leaves_no_hole() {
    let (mut chat, subscription) = Chat::shown(40);
    chat.world.cut();
    for n in 41..=240 {
        chat.hold(n);
    }
    chat.world.run_for(seconds(2));
    assert_eq!(chat.shows(subscription), chat.newest(230));
    chat.world.load_more(subscription, Some(100)).unwrap();
    chat.world.run();
    assert_eq!(chat.shows(subscription), chat.newest(240));
}

/// Complaint: the socket reconnects, but a subscription does not.
#[test]
fn subscription_refused_after_loss_is_reported() {
    for status in [400, 402, 403, 405] {
        let (mut chat, subscription) = Chat::shown(3);
        chat.world.script.add(move |request| {
            let is_it =
                request.connection > 0 && request.method == "SUBSCRIBE" && request.path == MESSAGES;
            is_it.then(|| Answer::refuse(status, "NO_MORE"))
        });
        chat.world.cut();
        chat.world.run_for(seconds(60));
        let events = chat.world.log.events.iter();
        let mut ended = events.filter_map(|(_, event)| match event {
            Event::SubscriptionEnded {
                subscription: id,
                error,
            } if *id == subscription => error.as_ref(),
            _ => None,
        });
        let told = ended.next().map(ToString::to_string);
        let expected = format!("the server refused with status {status} NO_MORE: because");
        assert_eq!(told, Some(expected));
    }
}

/// Complaint: a subscription that the server accepts late misses events.
#[test]
fn subscription_accepted_late_misses_nothing() {
    let (mut chat, subscription) = Chat::shown(3);
    let mut failures = 3;
    chat.world.script.add(move |request| {
        let is_it = request.connection > 0 && request.method == "SUBSCRIBE";
        if !is_it || request.path != MESSAGES || failures == 0 {
            return None;
        }
        failures -= 1;
        Some(Answer::refuse(500, "LATER"))
    });
    chat.world.cut();
    chat.world.run_for(seconds(1));
    // No event is published, because the server has not accepted the subscription.
    chat.hold(4);
    chat.world.run_for(seconds(10));
    assert_eq!(chat.shows(subscription), chat.newest(4));
}

/// Complaint: an unexpected close code stops the client.
#[test]
fn close_with_any_code_loses_no_accepted_call() {
    let codes = [
        1000, 1001, 1002, 1005, 1006, 1008, 1011, 1012, 1013, 1015, 3000, 4401, 4999,
    ];
    for code in codes.into_iter().map(Some).chain([None]) {
        let mut world = World::ready(options());
        world.subscribe(Topic::Conversation {
            conversation: conversation("c1"),
        });
        world
            .script
            .add(|r| (r.connection == 0).then_some(Answer::Silence));
        let requests = [send("c1", "hello"), mark_as_read("c1")].map(|call| world.call(call));
        world.run();
        world.close(SocketClosed::ByServer { code });
        world.run_until_resolved(seconds(1));
        for request in requests {
            assert!(world.outcome(request).is_ok(), "{code:?}");
        }
        assert_eq!(world.session.connection(), &ConnectionState::Ready);
        assert_eq!(world.session.subscriptions(), 1);
        assert_eq!(
            world.log.token_fetches.len(),
            1,
            "no code means that a token is bad"
        );
    }
}

/// Complaint: a truncated frame stops the client, or is lost.
#[test]
fn publish_truncated_triggers_refetch() {
    let whole = json!([1, "PUBLISH", created(4)]).to_string();
    let cuts = (0..whole.len()).filter(|at| whole.is_char_boundary(*at));
    for at in cuts {
        let (mut chat, subscription) = Chat::shown(3);
        chat.hold(4);
        chat.world.receive(&whole[..at]);
        assert_eq!(chat.updates(subscription).len(), 1, "{}", &whole[..at]);
        chat.hold(5);
        chat.world
            .receive(&json!([2, "PUBLISH", created(5)]).to_string());
        chat.world.run_for(seconds(1));
        assert_eq!(chat.shows(subscription), chat.newest(5), "{}", &whole[..at]);
    }
}
