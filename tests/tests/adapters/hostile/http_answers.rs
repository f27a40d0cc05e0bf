//! Misleading HTTP responses, and responses that are withheld.

use std::fmt::Debug;
use std::time::Duration;

use talk_client::{Error, Session, TalkOptions, TransportError, UploadMetadata, UploadSource};
use tokio::io::AsyncWriteExt;

use super::attack::{Attack, connected, until_left};
use super::front::Front;
use crate::adapters::adapter::Adapter;
use crate::adapters::transport::peer::read_request;

/// The time limit of a call that is not answered.
const DEADLINE: Duration = Duration::from_millis(500);

/// Responses that no search, upload or anonymous token can be read from.
const LIES: [(&str, &str); 14] = [
    (
        "a page of a portal",
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>Log in</html>",
    ),
    ("nothing", "HTTP/1.1 204 No Content\r\n\r\n"),
    (
        "an empty body",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ),
    ("a list", "HTTP/1.1 200 OK\r\n\r\n[1, 2, 3]\n"),
    ("null", "HTTP/1.1 200 OK\r\n\r\nnull"),
    ("no JSON", "HTTP/1.1 200 OK\r\n\r\n{\"data\":[\n}}}}\n"),
    (
        "a wrong type",
        "HTTP/1.1 200 OK\r\n\r\n{\"data\":7,\"boken\":7,\"fileToken\":7}",
    ),
    ("half an object", "HTTP/1.1 200 OK\r\n\r\n{\"data\":"),
    (
        "a compressed body",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\u{1f}\u{8b}",
    ),
    (
        "a shorter length",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{\"data\":[\n]}",
    ),
    (
        "a redirect to elsewhere",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n",
    ),
    (
        "a redirect to itself",
        "HTTP/1.1 308 Again\r\nlocation: /\r\n\r\n{}",
    ),
    ("an unknown status", "HTTP/1.1 799 What\r\n\r\nwhat"),
    (
        "a switch of protocols",
        "HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n{}",
    ),
];

/// Responses that break off or are no HTTP. An upload is sent again after them.
const BROKEN: [(&str, &str); 8] = [
    ("no response", ""),
    ("half a head", "HTTP/1.1 200 OK\r\ncontent-ty"),
    ("another protocol", "220 mail.example ESMTP\r\n\r\n"),
    (
        "two lengths",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n{}",
    ),
    (
        "a longer length",
        "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"data\":[\n]}",
    ),
    (
        "a negative length",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{\"data\":[\n]}",
    ),
    (
        "a huge chunk",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{",
    ),
    (
        "a chunk of nothing",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{",
    ),
];

/// Creates an attack that answers each request with these bytes and closes the connection.
fn answering_once(answer: &'static str) -> Attack {
    connected(move |mut stream| async move {
        read_request(&mut stream).await;
        // The client may close the connection before it has received everything.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        until_left(stream).await;
    })
}

/// Creates an attack that answers each request with these bytes, and never with the rest.
fn withholding(answer: &'static str) -> Attack {
    connected(move |mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        until_left(stream).await;
    })
}

fn assert_failed<T: Debug>(name: &str, outcome: Result<T, Error>) {
    let is_known = matches!(outcome, Err(Error::Transport(_) | Error::Server(_)));
    assert!(is_known, "{name}: {outcome:?}");
}

async fn search(session: &Session) -> Result<impl Debug + use<>, Error> {
    let search = session.search_messages();
    search.set_query("anything", None).await
}

async fn upload(session: &Session) -> Result<impl Debug + use<>, Error> {
    let file = UploadMetadata::named("notes.txt");
    session
        .upload_file(UploadSource::bytes("hello"), file)
        .await
}

/// Checks that the session goes on.
async fn assert_works(name: &str, session: &Session) {
    let call = session.current_user().set(Default::default());
    assert_eq!(call.await, Ok(()), "{name}");
}

async fn http_misleading_response_fails_its_request<A: Adapter>() {
    for (name, answer) in LIES {
        let front = Front::start_http(answering_once(answer));
        let session = A::session(front.options());
        assert_failed(name, search(&session).await);
        assert_failed(name, upload(&session).await);
        assert_works(name, &session).await;
        session.shutdown().await;
    }
}

async fn http_truncated_response_fails_its_request<A: Adapter>() {
    for (name, answer) in BROKEN {
        let front = Front::start_http(answering_once(answer));
        let session = A::session(front.options());
        assert_failed(name, search(&session).await);
        assert_works(name, &session).await;
        session.shutdown().await;
    }
}

/// An anonymous token that cannot be read is requested again, with a growing delay.
async fn anonymous_token_misleading_is_requested_again<A: Adapter>() {
    for (name, answer) in [LIES[0], LIES[4], LIES[6], BROKEN[0], BROKEN[4]] {
        let front = Front::start_http(answering_once(answer));
        let session = A::session(anonymous(&front));
        let call = session.current_user().set(Default::default());
        let late = call.timeout(DEADLINE).await;
        let Err(Error::Transport(TransportError::Deadline { last_failure, .. })) = &late else {
            panic!("{name}: {late:?}");
        };
        assert!(last_failure.is_some(), "{name}");
        assert!(front.attacked() < 10, "{name}: {}", front.attacked());
        session.shutdown().await;
    }
}

fn anonymous(front: &Front) -> TalkOptions {
    let options = TalkOptions::new("app", "alice").unwrap();
    options.addresses(front.addresses())
}

async fn http_response_withheld_ends_at_the_deadline<A: Adapter>() {
    let results = "HTTP/1.1 200 OK\r\n\r\n{\"data\":[\n{\"id\":";
    for (name, answer) in [
        ("no response", ""),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-ty"),
        (
            "a head only",
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n",
        ),
        ("half a result", results),
        ("a promise", "HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let front = Front::start_http(withholding(answer));
        let session = A::session(front.options().upload_timeout(DEADLINE));
        let search = session.search_messages();
        let query = search.set_query("anything", None);
        assert_late(name, query.timeout(DEADLINE).await);
        assert_works(name, &session).await;
        session.shutdown().await;

        let session = A::session(anonymous(&front));
        let call = session.current_user().set(Default::default());
        assert_late(name, call.timeout(DEADLINE).await);
        session.shutdown().await;
    }
}

fn assert_late<T: Debug>(name: &str, outcome: Result<T, Error>) {
    let is_late = matches!(
        outcome,
        Err(Error::Transport(TransportError::Deadline { .. }))
    );
    assert!(is_late, "{name}: {outcome:?}");
}

/// Endless responses without a body: each part of them is legal.
async fn http_flood_before_a_body_hangs_nothing<A: Adapter>() {
    for (name, start, repeated) in [
        ("interim responses", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("headers", "HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("one header", "HTTP/1.1 200 OK\r\nx: ", "y"),
        (
            "an extension of a chunk",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
            "y",
        ),
        (
            "trailers",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
            "x: y\r\n",
        ),
    ] {
        let front = Front::start_http(flooding(start, repeated));
        let session = A::session(front.options());
        let search = session.search_messages();
        let query = search.set_query("anything", None);
        assert_failed(name, query.timeout(DEADLINE).await);
        assert_works(name, &session).await;
        session.shutdown().await;
    }
}

fn flooding(start: &'static str, repeated: &str) -> Attack {
    let chunk = repeated.repeat(1 + (64 << 10) / repeated.len());
    connected(move |mut stream| {
        let chunk = chunk.clone();
        async move {
            read_request(&mut stream).await;
            if stream.write_all(start.as_bytes()).await.is_ok() {
                while stream.write_all(chunk.as_bytes()).await.is_ok() {}
            }
        }
    })
}

on_every_runtime!(
    http_misleading_response_fails_its_request,
    http_truncated_response_fails_its_request,
    anonymous_token_misleading_is_requested_again,
    http_response_withheld_ends_at_the_deadline,
    http_flood_before_a_body_hangs_nothing,
);
