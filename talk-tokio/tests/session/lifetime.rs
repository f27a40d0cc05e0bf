use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use talk_tokio::{
    Error, SessionError, SubscriptionState, TokioRuntime, get_talk_session, get_talk_session_on,
};
use tokio::runtime::Builder;

use crate::server::{Answer, Server, within};

#[tokio::test]
async fn equal_options_give_the_same_session() {
    let server = Server::start(|_| None).await;
    let session = get_talk_session(server.options("alice")).unwrap();
    assert_eq!(session, get_talk_session(server.options("alice")).unwrap());
    assert_ne!(session, get_talk_session(server.options("bob")).unwrap());
    let mine = get_talk_session(server.options("alice").force_new()).unwrap();
    assert_ne!(session, mine);
    assert_eq!(session, get_talk_session(server.options("alice")).unwrap());
}

#[tokio::test]
async fn outside_of_a_runtime_there_is_no_session() {
    let server = Server::start(|_| None).await;
    let options = server.options("alice");
    let outcome = std::thread::spawn(|| get_talk_session(options).is_err());
    assert!(outcome.join().unwrap());
}

#[tokio::test]
async fn the_connection_closes_once_nobody_holds_the_session() {
    let server = Server::start(|_| None).await;
    let session = get_talk_session(server.options("alice")).unwrap();
    let user = session.user("bob").unwrap();
    within(user.set(Default::default())).await.unwrap();
    let mut states = session.connection_states();
    drop((session, user));
    let record = server.until(|record| !record.closed.is_empty()).await;
    assert_eq!(record.closed[&0], Some(1000));

    // The driver has stopped, and the session is not given to anybody any more.
    use futures_util::StreamExt;
    within(async { while states.next().await.is_some() {} }).await;
    let session = get_talk_session(server.options("alice")).unwrap();
    within(session.user("bob").unwrap().set(Default::default()))
        .await
        .unwrap();
    assert_eq!(server.record().connections, 2);
}

#[tokio::test]
async fn a_session_that_lingers_can_be_picked_up_again() {
    let server = Server::start(|_| None).await;
    let session = get_talk_session(server.options("alice")).unwrap();
    within(session.current_user().set(Default::default()))
        .await
        .unwrap();
    drop(session);
    let session = get_talk_session(server.options("alice")).unwrap();
    within(session.current_user().set(Default::default()))
        .await
        .unwrap();
    assert_eq!(server.record().connections, 1);
}

#[tokio::test]
async fn a_session_ends_with_its_runtime() {
    let server = Server::start(|request| {
        let body = serde_json::json!({});
        request.is_send().then_some(Answer::Hold(body))
    })
    .await;
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let on = TokioRuntime::new(runtime.handle().clone());
    let session = get_talk_session_on(&on, server.options("alice"));
    let failures = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failures);
    session.on_error(move |error| {
        assert_eq!(*error, SessionError::DriverStopped);
        count.fetch_add(1, Ordering::Relaxed);
    });
    let subscription = session.user("bob").unwrap().subscribe();
    let conversation = session.conversation("c").unwrap();
    let send = tokio::spawn(async move { conversation.send("hi").await });
    server.until(|record| record.texts() == ["hi"]).await;

    runtime.shutdown_background();
    let stopped = Error::Session(SessionError::DriverStopped);
    assert_eq!(within(send).await.unwrap().unwrap_err(), stopped);
    assert_eq!(
        within(subscription.terminated()).await,
        Err(stopped.clone())
    );
    assert_eq!(subscription.state(), SubscriptionState::Error(stopped));
    assert_eq!(failures.load(Ordering::Relaxed), 1);

    let next = get_talk_session(server.options("alice")).unwrap();
    assert_ne!(session, next);
    within(next.current_user().set(Default::default()))
        .await
        .unwrap();
}

#[tokio::test]
async fn error_handlers_are_called_once_also_when_they_come_late() {
    let server = Server::start_with_app(404, |request| {
        request
            .is_send()
            .then(|| Answer::Hold(serde_json::json!({})))
    })
    .await;
    let session = get_talk_session(server.options("alice")).unwrap();
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
    let call = tokio::spawn(session.conversation("c").unwrap().send("hi"));
    let ended = Error::Session(SessionError::AppNotFound);
    assert_eq!(within(subscription.connected()).await, Err(ended.clone()));
    assert_eq!(within(subscription.terminated()).await, Err(ended.clone()));
    assert_eq!(within(call).await.unwrap(), Err(ended));
    within(session.shutdown()).await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    session.on_error(count());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    let next = get_talk_session(server.options("alice")).unwrap();
    assert_ne!(session, next);
}

#[tokio::test]
async fn a_shut_down_fails_what_is_pending_and_is_no_error() {
    let server = Server::start(|request| {
        let body = serde_json::json!({});
        request.is_send().then_some(Answer::Hold(body))
    })
    .await;
    let session = get_talk_session(server.options("alice")).unwrap();
    session.on_error(|error| panic!("{error}"));
    let conversation = session.conversation("c").unwrap();
    let send = tokio::spawn(async move { conversation.send("hi").await });
    server.until(|record| record.texts() == ["hi"]).await;
    within(session.shutdown()).await;
    let error = within(send).await.unwrap().unwrap_err();
    assert_eq!(error, Error::Session(SessionError::ShutDown));
    assert_eq!(server.record().closed[&0], Some(1000));
}

#[tokio::test]
async fn unsubscribing_takes_effect_at_once() {
    let server = Server::start(|_| None).await;
    let session = get_talk_session(server.options("alice")).unwrap();
    let subscription = session.user("bob").unwrap().subscribe();
    assert_eq!(subscription.state(), SubscriptionState::Pending);
    assert_eq!(subscription.latest(), None);
    subscription.unsubscribe();
    subscription.unsubscribe();
    assert_eq!(subscription.state(), SubscriptionState::Unsubscribed);
    assert_eq!(within(subscription.terminated()).await, Ok(()));
    assert!(within(subscription.connected()).await.is_err());
}
