use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use talk_client::{
    CommandError, ConversationParams, Error, Limits, ParticipantParams, RetrySafety, SessionError,
    TransportError, UserParams,
};
use tokio::select;

use crate::adapters::adapter::Adapter;
use crate::adapters::server::{Answer, Request, Server};

fn hold_sends(request: &Request) -> Option<Answer> {
    let body = json!({ "id": format!("msg_{}", request.seq) });
    request.is_send().then_some(Answer::Hold(body))
}

/// Polls a future once and drops it.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

async fn call_connects_and_authenticates<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    assert_eq!(server.record().connections, 0);

    let conversation = session.conversation("c1").unwrap();
    let message = conversation.send("hi").await.unwrap();
    assert_eq!(message, conversation.message(message.id()).unwrap());

    let record = server.record();
    assert!(record.requests[0].is_renewal());
    assert_eq!(record.requests[0].data, json!({ "token": "token" }));
    assert_eq!(record.texts(), ["hi"]);
}

async fn every_write_call_reaches_the_server<A: Adapter>() {
    let server = Server::start(|request| {
        let is_batch = request.path.ends_with("/participants");
        is_batch.then(|| Answer::Ok(json!({ "responses": [{ "status": 200 }] })))
    });
    let session = A::session(server.options("alice"));
    let conversation = session.conversation("c").unwrap();
    let bob = conversation.participant("bob").unwrap();
    let message = conversation.message("msg_1").unwrap();
    let rocket = message.reactions("🚀").unwrap();

    async {
        let user = session.user("u").unwrap();
        user.set(UserParams::named("U")).await?;
        user.create_if_not_exists(UserParams::named("U")).await?;
        let params = ConversationParams::default;
        conversation.set(params().subject("S")).await?;
        conversation.create_if_not_exists(params()).await?;
        conversation.mark_as_read().await?;
        conversation.mark_as_unread().await?;
        conversation.mark_as_typing().await?;
        bob.set(ParticipantParams::default()).await?;
        bob.edit(ParticipantParams::default()).await?;
        bob.create_if_not_exists(ParticipantParams::default())
            .await?;
        bob.delete().await?;
        message.edit("new").await?;
        message.delete().await?;
        rocket.add().await?;
        rocket.remove().await
    }
    .await
    .unwrap();

    let record = server.record();
    assert_eq!(
        record.paths("DELETE"),
        [
            "/conversations/c/participants/bob",
            "/conversations/c/messages/msg_1",
            "/conversations/c/messages/msg_1/reactions/%F0%9F%9A%80/alice",
        ]
    );
    assert_eq!(record.paths("PATCH"), ["/conversations/c/messages/msg_1"]);
    let typing = "/me/conversations/c/typing";
    assert!(record.paths("POST").contains(&typing));
}

async fn refusal_carries_server_reasons<A: Adapter>() {
    let server = Server::start(|request| {
        let refused = request.path.ends_with("/read");
        refused.then_some(Answer::Refuse(403, "NOT_A_PARTICIPANT"))
    });
    let session = A::session(server.options("alice"));
    let error = session.conversation("c").unwrap().mark_as_read().await;
    let Err(Error::Server(refused)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refused.status, 403);
    assert_eq!(refused.error_code, "NOT_A_PARTICIPANT");
    assert_eq!(refused.reasons, ["as the script says"]);
}

async fn empty_id_is_refused_at_once<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    let error = Error::from(session.user("").unwrap_err());
    assert!(matches!(error, Error::Usage(CommandError::EmptyId(_))));
    let conversation = session.conversation("c").unwrap();
    assert!(conversation.participant("").is_err());
    assert!(conversation.message("").is_err());
    assert!(conversation.message("m").unwrap().reactions("").is_err());
    assert!(session.conversation("").is_err());
}

async fn refs_of_the_same_entity_are_equal<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    let other = A::session(server.options("alice").force_new());
    assert_ne!(session, other);
    assert_eq!(session.user("bob").unwrap(), session.user("bob").unwrap());
    assert_ne!(session.user("bob").unwrap(), session.user("eve").unwrap());
    assert_ne!(session.user("bob").unwrap(), other.user("bob").unwrap());
    assert_eq!(session.current_user(), session.user("alice").unwrap());
    let conversation = session.conversation("c").unwrap();
    assert_eq!(
        conversation.participant("bob").unwrap(),
        conversation
            .participant(session.user("bob").unwrap())
            .unwrap(),
    );
}

async fn calls_above_the_cap_wait_in_order<A: Adapter>() {
    let server = Server::start(hold_sends);
    let mut limits = Limits::default();
    limits.pending_calls = 2;
    let session = A::session(server.options("alice").limits(limits));
    let conversation = session.conversation("c").unwrap();
    let sends =
        A::spawn(async move { join_all((0..5).map(|n| conversation.send(n.to_string()))).await });
    for sent in [2, 4] {
        server.until(|record| record.texts().len() == sent).await;
        // This call needs no permit. Every send with a permit was therefore sent before it.
        let token = format!("token {sent}");
        session.set_token(token.as_str());
        let renewed = |r: &Request| r.is_renewal() && r.data["token"] == token;
        let record = server
            .until(|record| record.requests.iter().any(renewed))
            .await;
        assert_eq!(record.texts().len(), sent);
        server.release();
    }
    server.until(|record| record.texts().len() == 5).await;
    server.release();
    let results = sends.await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(server.record().texts(), ["0", "1", "2", "3", "4"]);
}

async fn call_dropped_before_send_is_never_sent<A: Adapter>() {
    let server = Server::start(|request| {
        let renewed = json!({ "expiresInSeconds": null });
        request.is_renewal().then_some(Answer::Hold(renewed))
    });
    let session = A::session(server.options("alice"));
    let conversation = session.conversation("c").unwrap();
    assert!(poll_once(conversation.send("dropped")).is_pending());
    let kept = conversation.clone();
    let kept = A::spawn(async move { kept.send("kept").await });
    server.until(|record| !record.requests.is_empty()).await;
    server.release();
    kept.await.unwrap();
    assert_eq!(server.record().texts(), ["kept"]);
}

async fn call_dropped_frees_its_permit<A: Adapter>() {
    let server = Server::start(hold_sends);
    let mut limits = Limits::default();
    limits.pending_calls = 1;
    let session = A::session(server.options("alice").limits(limits));
    let conversation = session.conversation("c").unwrap();
    {
        let mut first = pin!(conversation.send("first"));
        select! {
            _ = &mut first => panic!("there was no answer"),
            _ = server.until(|record| record.texts() == ["first"]) => {}
        }
    }
    conversation.mark_as_read().await.unwrap();
}

async fn call_timeout_reports_maybe_happened<A: Adapter>() {
    let server = Server::start(hold_sends);
    let timeout = Duration::from_millis(200);
    let session = A::session(server.options("alice").call_timeout(timeout));
    let conversation = session.conversation("c").unwrap();
    let error = conversation.send("slow").await.unwrap_err();
    let deadline = TransportError::Deadline {
        after: timeout,
        maybe_happened: true,
        idempotent: false,
        last_failure: None,
    };
    assert_eq!(error, Error::Transport(deadline));
    assert_eq!(error.retry_safety(), RetrySafety::MayDuplicate);
    conversation.mark_as_read().await.unwrap();
}

async fn call_timeout_applies_to_one_call<A: Adapter>() {
    let server = Server::start(|request| {
        let held = request.path.ends_with("/typing");
        held.then(|| Answer::Hold(json!({})))
    });
    let session = A::session(server.options("alice"));
    let conversation = session.conversation("c").unwrap();
    conversation.mark_as_read().await.unwrap();
    let after = Duration::from_millis(50);
    let error = conversation.mark_as_typing().timeout(after).await;
    let deadline = TransportError::Deadline {
        after,
        maybe_happened: true,
        idempotent: true,
        last_failure: None,
    };
    assert_eq!(error, Err(Error::Transport(deadline)));
    // The timeout of a call does not apply to other calls.
    let patient = A::spawn(conversation.mark_as_typing());
    server
        .until(|record| {
            record
                .paths("POST")
                .iter()
                .filter(|p| p.ends_with("/typing"))
                .count()
                == 2
        })
        .await;
    server.release();
    patient.await.unwrap();
}

async fn calls_after_the_end_fail_with_its_cause<A: Adapter>() {
    let server = Server::start(|_| None);
    let session = A::session(server.options("alice"));
    session.shutdown().await;
    let error = session.current_user().get().await.unwrap_err();
    assert_eq!(error, Error::Session(SessionError::Shutdown));
    assert_eq!(session.error(), Some(SessionError::Shutdown));
}

on_every_runtime!(
    call_connects_and_authenticates,
    every_write_call_reaches_the_server,
    refusal_carries_server_reasons,
    empty_id_is_refused_at_once,
    refs_of_the_same_entity_are_equal,
    calls_above_the_cap_wait_in_order,
    call_dropped_before_send_is_never_sent,
    call_dropped_frees_its_permit,
    call_timeout_reports_maybe_happened,
    call_timeout_applies_to_one_call,
    calls_after_the_end_fail_with_its_cause,
);
