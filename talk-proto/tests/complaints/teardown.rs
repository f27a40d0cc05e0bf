//! Finished sockets and subscriptions have no further effect.

use serde_json::json;
use talk_proto::{Input, SocketClosed, SocketId};

use super::chat::{Chat, MESSAGES, created};
use crate::support::{Answer, Network, World, mark_as_read, options, seconds};

/// Passes every kind of input of a socket.
fn say_everything(world: &mut World, socket: SocketId) {
    let expired = json!([9, "PUBLISH", {"type": "session.expired"}]).to_string();
    let restart = json!([9, "PUBLISH", {"type": "upstream.restarting"}]).to_string();
    let publish = json!([1, "PUBLISH", created(9)]).to_string();
    let mut texts = vec![expired, restart, publish];
    texts.extend((0..20).map(|seq| json!([seq, 403, {"errorCode": "STALE"}]).to_string()));
    world.input(Input::SocketOpened { socket });
    for text in &texts {
        world.input(Input::SocketFrame { socket, text });
    }
    for cause in [
        SocketClosed::ByServer { code: Some(1006) },
        SocketClosed::FrameTooLarge,
    ] {
        world.input(Input::SocketClosed { socket, cause });
    }
}

/// Complaint: callbacks of a replaced transport affect the current session.
#[test]
fn replaced_socket_has_no_effect() {
    let (mut chat, subscription) = Chat::shown(3);
    let stale = chat.world.log.sockets[0].id;
    chat.world.latency = seconds(1);
    chat.world.network = Network::Up(seconds(1));
    let request = chat.world.call(mark_as_read("c1"));
    chat.world.run();
    chat.world.cut();
    // The socket is stale while the next attempt is awaited, made and authenticated, and all data
    // is fetched.
    let end = chat.world.now + seconds(10);
    loop {
        let (sockets, requests, acks) = (
            chat.world.log.sockets.len(),
            chat.world.log.requests.len(),
            chat.world.log.acks.len(),
        );
        let events = chat.world.log.events.len();
        say_everything(&mut chat.world, stale);
        assert_eq!(chat.world.log.sockets.len(), sockets);
        assert_eq!(chat.world.log.requests.len(), requests);
        assert_eq!(chat.world.log.acks.len(), acks);
        assert_eq!(chat.world.log.events.len(), events);
        if !chat.world.step(end) {
            break;
        }
    }
    assert!(chat.world.outcome(request).is_ok());
    assert_eq!(chat.shows(subscription), ["m3", "m2", "m1"]);
    assert_eq!(chat.world.log.sockets.len(), 2);
    assert_eq!(chat.world.log.token_fetches.len(), 1);
}

/// Complaint: recovered events are delivered after the teardown.
#[test]
fn event_after_unsubscribe_is_discarded() {
    for is_lost in [false, true] {
        let (mut chat, subscription) = Chat::shown(3);
        chat.hold(4);
        chat.world.script.add(|request| {
            let is_page = request.method == "GET" && request.path == MESSAGES;
            let page = json!({"data": [super::chat::numbered(4)], "cursor": null});
            is_page.then(|| Answer::Late(seconds(5), 200, page.clone()))
        });
        if is_lost {
            chat.world.cut();
        } else {
            chat.world.load_more(subscription, Some(5)).unwrap();
        }
        chat.world.run_for(seconds(2));
        let now = chat.world.now;
        chat.world.session.unsubscribe(now, subscription).unwrap();
        chat.world.run();
        let shown = chat.updates(subscription).len();
        chat.world.publish(&[created(5)]);
        // The invariants check that an ended subscription receives no updates.
        chat.world.run_for(seconds(100));
        assert_eq!(chat.updates(subscription).len(), shown);
        assert!(chat.world.session.is_idle());
    }
}

/// Complaint: after subscribing again, events arrive out of order.
#[test]
fn resubscribe_after_linger_keeps_event_order() {
    let (mut chat, first) = Chat::shown(3);
    chat.world.subscribe(talk_proto::Topic::User {
        user: crate::support::user("bob"),
    });
    chat.post(4);
    let now = chat.world.now;
    chat.world.session.unsubscribe(now, first).unwrap();
    chat.world.run_for(seconds(11));
    assert_eq!(
        chat.world.log.of(&format!("UNSUBSCRIBE {MESSAGES}")).len(),
        1
    );
    chat.hold(5);
    let second = chat.subscribe();
    chat.world.run();
    chat.post(6);
    chat.post(7);
    assert_eq!(chat.shows(second), chat.newest(7));
    let pages = chat.world.log.of(&format!("GET {MESSAGES}"));
    assert_eq!(
        pages.len(),
        2,
        "numbers of publishes go on: nothing was missed"
    );
    assert_eq!(chat.world.log.acks, [1, 2, 3]);
}

/// Complaint: a component that mounts, unmounts and mounts again leaves subscriptions behind.
#[test]
fn unsubscribe_before_send_sends_nothing() {
    let mut world = World::new(options());
    for _ in 0..100 {
        let subscription = world.subscribe(super::chat::messages());
        world.session.unsubscribe(world.now, subscription).unwrap();
    }
    world.run_for(seconds(60));
    assert!(world.log.requests.iter().all(|r| r.is_housekeeping()));
    assert!(world.session.is_idle());
    assert_eq!(world.session.poll_timeout(), None);
}
