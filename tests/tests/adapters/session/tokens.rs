use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use talk_client::{Error, SessionError, TalkOptions};

use crate::adapters::adapter::Adapter;
use crate::adapters::server::{Answer, Record, Server};

fn options(server: &Server) -> TalkOptions {
    let options = TalkOptions::new("app", "alice").unwrap();
    options.host(&server.address.to_string())
}

fn tokens(record: &Record) -> Vec<&str> {
    let renewals = record.requests.iter().filter(|r| r.is_renewal());
    renewals.filter_map(|r| r.data["token"].as_str()).collect()
}

async fn token_fetcher_is_called_on_first_use<A: Adapter>() {
    let server = Server::start(|_| None);
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    let options = options(&server).token_fetcher(move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, String>(format!("token {n}")) }
    });
    let session = A::session(options);
    assert_eq!(fetched.load(Ordering::Relaxed), 0);
    session
        .current_user()
        .set(Default::default())
        .await
        .unwrap();
    assert_eq!(tokens(&server.record()), ["token 0"]);
}

async fn token_fetcher_failure_ends_session<A: Adapter>() {
    let server = Server::start(|_| None);
    let options = options(&server).token_fetcher(|| async { Err::<String, _>("banned") });
    let session = A::session(options);
    let call = session.current_user().set(Default::default());
    let error = SessionError::TokenCallback("banned".to_owned());
    assert_eq!(call.await, Err(Error::Session(error)));
}

async fn token_fetcher_panic_ends_only_the_session<A: Adapter>() {
    let server = Server::start(|_| None);
    let options = options(&server).token_fetcher(|| async {
        if true {
            panic!("a bug of the application");
        }
        Ok::<_, String>(String::new())
    });
    let session = A::session(options);
    let call = session.current_user().set(Default::default());
    let outcome = call.await;
    let Err(Error::Session(SessionError::TokenCallback(_))) = outcome else {
        panic!("{outcome:?}");
    };
}

async fn token_handler_answers_with_set_token<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(options(&server));
    session.on_need_token(|session| session.set_token("handed over"));
    session
        .current_user()
        .set(Default::default())
        .await
        .unwrap();
    assert_eq!(tokens(&server.record()), ["handed over"]);
}

async fn token_handler_added_late_replaces_rejected_token<A: Adapter>() {
    let server = Server::start(|request| {
        let rejected = request.is_renewal() && request.data["token"] == "old";
        rejected.then_some(Answer::Refuse(401, "UNAUTHORIZED"))
    });
    let session = A::session(options(&server).token("good"));
    session
        .current_user()
        .set(Default::default())
        .await
        .unwrap();
    session.on_need_token(|session| session.set_token("new"));
    session.set_token("old");
    let record = server.until(|record| tokens(record).len() == 3).await;
    assert_eq!(tokens(&record), ["good", "old", "new"]);
    session
        .current_user()
        .set(Default::default())
        .await
        .unwrap();
}

async fn set_token_applies_to_all_handles<A: Adapter>() {
    let server = Server::start(|_| None);
    let one = A::session(options(&server).token("first"));
    one.current_user().set(Default::default()).await.unwrap();
    let other = A::session(options(&server).token("ignored"));
    other.set_token("second");
    one.current_user().set(Default::default()).await.unwrap();
    let record = server.record();
    assert_eq!(tokens(&record), ["first", "second"]);
    assert_eq!(record.connections, 1);
}

async fn token_rejected_without_fetcher_ends_session<A: Adapter>() {
    let server = Server::start(|request| {
        let rejected = request.is_renewal();
        rejected.then_some(Answer::Refuse(401, "UNAUTHORIZED"))
    });
    let session = A::session(server.options("alice"));
    let call = session.current_user().set(Default::default());
    let error = Error::Session(SessionError::TokenRejected);
    assert_eq!(call.await, Err(error));
}

on_every_runtime!(
    token_fetcher_is_called_on_first_use,
    token_fetcher_failure_ends_session,
    token_fetcher_panic_ends_only_the_session,
    token_handler_answers_with_set_token,
    token_handler_added_late_replaces_rejected_token,
    set_token_applies_to_all_handles,
    token_rejected_without_fetcher_ends_session,
);
