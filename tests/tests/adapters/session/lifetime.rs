use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use talk_client::{Error, SessionError, SubscriptionState};

use crate::adapters::adapter::Adapter;
use crate::adapters::server::{Answer, Server};

async fn equal_options_give_the_same_session<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    assert_eq!(session, A::session(server.options("alice")));
    assert_ne!(session, A::session(server.options("bob")));
    let mine = A::session(server.options("alice").force_new());
    assert_ne!(session, mine);
    assert_eq!(session, A::session(server.options("alice")));
}

async fn session_dropped_closes_the_connection<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    let user = session.user("bob").unwrap();
    user.set(Default::default()).await.unwrap();
    let mut states = session.connection_states();
    drop((session, user));
    let record = server.until(|record| !record.closed.is_empty()).await;
    assert_eq!(record.closed[&0], Some(1000));

    // The driver has stopped, and the session is no longer shared.
    while states.next().await.is_some() {}
    let session = A::session(server.options("alice"));
    session
        .user("bob")
        .unwrap()
        .set(Default::default())
        .await
        .unwrap();
    assert_eq!(server.record().connections, 2);
}

async fn lingering_session_is_shared_again<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    session
        .current_user()
        .set(Default::default())
        .await
        .unwrap();
    drop(session);
    let session = A::session(server.options("alice"));
    session
        .current_user()
        .set(Default::default())
        .await
        .unwrap();
    assert_eq!(server.record().connections, 1);
}

async fn error_handler_added_late_is_called_once<A: Adapter>() {
    let server = Server::start_with_app(404, |request| {
        request
            .is_send()
            .then(|| Answer::Hold(serde_json::json!({})))
    });
    let session = A::session(server.options("alice"));
    let calls = Arc::new(AtomicUsize::new(0));
    let count = || {
        let calls = Arc::clone(&calls);
        move |error: &SessionError| {
            assert_eq!(*error, SessionError::AppNotFound);
            calls.fetch_add(1, Ordering::Relaxed);
        }
    };
    session.on_error(|_| panic!("the others are called all the same"));
    session.on_error(count());
    session.on_error(count()).unsubscribe();
    let subscription = session.user("bob").unwrap().subscribe();
    let call = A::spawn(session.conversation("c").unwrap().send("hi"));
    let ended = Error::Session(SessionError::AppNotFound);
    assert_eq!(subscription.connected().await, Err(ended.clone()));
    assert_eq!(subscription.terminated().await, Err(ended.clone()));
    assert_eq!(call.await, Err(ended));
    session.shutdown().await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    session.on_error(count());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    let next = A::session(server.options("alice"));
    assert_ne!(session, next);
}

async fn shutdown_fails_pending_calls_without_error<A: Adapter>() {
    let server = Server::start(|request| {
        let body = serde_json::json!({});
        request.is_send().then_some(Answer::Hold(body))
    });
    let session = A::session(server.options("alice"));
    session.on_error(|error| panic!("{error}"));
    let conversation = session.conversation("c").unwrap();
    let send = A::spawn(async move { conversation.send("hi").await });
    server.until(|record| record.texts() == ["hi"]).await;
    session.shutdown().await;
    let error = send.await.unwrap_err();
    assert_eq!(error, Error::Session(SessionError::Shutdown));
    assert_eq!(server.record().closed[&0], Some(1000));
}

async fn unsubscribe_takes_effect_at_once<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    let subscription = session.user("bob").unwrap().subscribe();
    assert_eq!(subscription.state(), SubscriptionState::Pending);
    assert_eq!(subscription.latest(), None);
    subscription.unsubscribe();
    subscription.unsubscribe();
    assert_eq!(subscription.state(), SubscriptionState::Unsubscribed);
    assert_eq!(subscription.terminated().await, Ok(()));
    assert!(subscription.connected().await.is_err());
}

on_every_runtime!(
    equal_options_give_the_same_session,
    session_dropped_closes_the_connection,
    lingering_session_is_shared_again,
    error_handler_added_late_is_called_once,
    shutdown_fails_pending_calls_without_error,
    unsubscribe_takes_effect_at_once,
);
