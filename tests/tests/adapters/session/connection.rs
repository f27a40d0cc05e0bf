use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::future::join_all;
use talk_client::{ConnectionState, Pacing, SendMessage};

use crate::adapters::adapter::Adapter;
use crate::adapters::server::{Answer, Server};

async fn loss_resends_in_flight_calls_once<A: Adapter>() {
    let dropped = AtomicBool::new(false);
    let server = Server::start(move |request| {
        let first = request.is_send() && !dropped.swap(true, Ordering::Relaxed);
        first.then_some(Answer::Drop)
    });
    let session = A::session(server.options("alice").pacing(Pacing::Off));
    let conversation = session.conversation("c").unwrap();
    let sends = join_all((0..20).map(|n| conversation.send(n.to_string())));
    let results = sends.await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");

    let record = server.record();
    assert_eq!(record.connections, 2);
    let key = |connection| {
        let mut sends = record.requests.iter().filter(|r| r.is_send());
        let first = sends.find(|r| r.connection == connection).unwrap();
        first.data["idempotencyKey"].clone()
    };
    assert_eq!(key(0), key(1));
    let again: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    assert!(record.texts().ends_with(&again), "{:?}", record.texts());
}

/// Sends a message to a server that gives this answer to the first send. Returns the number of
/// connections and the texts of all sends.
async fn send_once_more<A: Adapter>(first: fn() -> Answer) -> (usize, Vec<String>) {
    let seen = AtomicBool::new(false);
    let server = Server::start(move |request| {
        let is_first = request.is_send() && !seen.swap(true, Ordering::Relaxed);
        is_first.then(first)
    });
    let session = A::session(server.options("alice"));
    let sent = session.conversation("c").unwrap().send("hi").await;
    sent.unwrap();
    let record = server.record();
    (record.connections, record.texts())
}

async fn close_with_any_code_resends_calls<A: Adapter>() {
    // The codes that are allowed in a close frame, and some private ones.
    let closes: [fn() -> Answer; 10] = [
        || Answer::Close(1000),
        || Answer::Close(1001),
        || Answer::Close(1002),
        || Answer::Close(1008),
        || Answer::Close(1011),
        || Answer::Close(1012),
        || Answer::Close(1013),
        || Answer::Close(3000),
        || Answer::Close(4401),
        || Answer::Close(4999),
    ];
    for sent in join_all(closes.map(send_once_more::<A>)).await {
        assert_eq!(sent, (2, vec!["hi".to_owned(); 2]));
    }
}

async fn frame_cut_short_resends_the_call<A: Adapter>() {
    let sent = send_once_more::<A>(|| Answer::CutShort).await;
    assert_eq!(sent, (2, vec!["hi".to_owned(); 2]));
}

async fn connection_states_are_streamed<A: Adapter>() {
    let server = Server::start(|request| {
        let body = serde_json::json!({ "id": "msg_1" });
        request.is_send().then_some(Answer::Hold(body))
    });
    let session = A::session(server.options("alice"));
    assert_eq!(session.connection_state(), ConnectionState::Idle);
    let mut states = session.connection_states();
    assert_eq!(states.next().await, Some(ConnectionState::Idle));

    let conversation = session.conversation("c").unwrap();
    conversation.mark_as_read().await.unwrap();
    let ready = states
        .by_ref()
        .any(|s| async move { s == ConnectionState::Ready });
    assert!(ready.await);

    // A pending call makes the session reconnect.
    let send = A::spawn(conversation.send("hi"));
    server.until(|record| record.texts() == ["hi"]).await;
    server.drop_connections();
    let waiting = states
        .by_ref()
        .any(|s| async move { matches!(s, ConnectionState::Waiting { .. }) });
    assert!(waiting.await);
    session.network_changed();
    server.until(|record| record.connections == 2).await;
    server.until(|record| record.texts() == ["hi", "hi"]).await;
    server.release();
    send.await.unwrap();

    session.shutdown().await;
    assert!(states.collect::<Vec<_>>().await.len() <= 1);
}

/// Sends several times as much as the socket buffers hold.
async fn send_much<A: Adapter>(server: &Server) {
    let options = server.options("alice").pacing(Pacing::Off);
    let session = A::session(options);
    let conversation = session.conversation("c").unwrap();
    let message = SendMessage::text("hi").custom("padding", "x".repeat(256 << 10));
    let sends = join_all((0..96).map(|_| conversation.send(message.clone())));
    let results = sends.await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

async fn connection_accepting_nothing_is_lost<A: Adapter>() {
    let stalled = AtomicBool::new(false);
    let server = Server::start(move |request| {
        let first = request.is_send() && !stalled.swap(true, Ordering::Relaxed);
        first.then_some(Answer::Stall)
    });
    send_much::<A>(&server).await;
    assert_eq!(server.record().connections, 2);
}

async fn connection_slow_is_kept<A: Adapter>() {
    let server = Server::start(|_| None);
    send_much::<A>(&server).await;
    assert_eq!(server.record().connections, 1);
}

on_every_runtime!(
    loss_resends_in_flight_calls_once,
    close_with_any_code_resends_calls,
    frame_cut_short_resends_the_call,
    connection_states_are_streamed,
    connection_accepting_nothing_is_lost,
    connection_slow_is_kept,
);
