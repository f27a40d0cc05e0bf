//! A session over a custom transport, such as that of a browser.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use futures_util::{FutureExt, StreamExt};
use talk_client::{
    ConnectionState, ConversationId, Error, MessageId, SessionError, UserId, get_talk_session_over,
};

use crate::support::{Memory, options};

#[test]
fn session_over_custom_transport_makes_calls() {
    let transport = Memory::default();
    let session = get_talk_session_over(&transport, options("alice"));
    let mut call = session.current_user().set(Default::default());
    assert_eq!((&mut call).now_or_never(), None);
    transport.run();
    assert_eq!(call.now_or_never(), Some(Ok(())));
    assert_eq!(session.connection_state(), ConnectionState::Ready);
    let mut shutdown = Box::pin(session.shutdown());
    assert_eq!((&mut shutdown).now_or_never(), None);
    transport.run();
    assert_eq!(shutdown.now_or_never(), Some(()));
    assert!(transport.tasks.lock().unwrap().is_empty());
}

#[test]
fn refs_convert_to_their_ids() {
    let session = get_talk_session_over(&Memory::default(), options("dave"));
    let user = session.current_user();
    assert_eq!(UserId::from(&user), "dave");
    assert_eq!(UserId::from(user), "dave");
    let lobby = session.conversation("lobby").unwrap();
    let hello = lobby.message("hello").unwrap();
    assert_eq!(ConversationId::from(lobby), "lobby");
    assert_eq!(MessageId::from(hello), "hello");
}

#[test]
fn ended_session_is_not_connected() {
    let transport = Memory::default();
    let session = get_talk_session_over(&transport, options("carol"));
    let mut states = session.connection_states();
    let mut connected = session.connected();
    assert_eq!((&mut connected).now_or_never(), None);
    transport.run();
    assert_eq!(connected.now_or_never(), Some(Ok(())));
    assert_eq!(session.connection_state(), ConnectionState::Ready);

    // As at the end of a runtime, the task is dropped.
    transport.tasks.lock().unwrap().clear();
    assert_eq!(session.connection_state(), ConnectionState::Idle);
    let ended = Err(Error::Session(SessionError::DriverStopped));
    assert_eq!(session.connected().now_or_never(), Some(ended));
    let idle = Some(Some(ConnectionState::Idle));
    assert_eq!(states.next().now_or_never(), idle);
    assert_eq!(states.next().now_or_never(), Some(None));
}

#[test]
fn session_over_custom_transport_reports_its_errors() {
    let transport = Memory::offline();
    let session = get_talk_session_over(&transport, options("bob"));
    let mut states = session.connection_states();
    let _subscription = session.current_user().subscribe();
    transport.run();
    match states.next().now_or_never() {
        Some(Some(ConnectionState::Waiting { reason, .. })) => {
            assert!(reason.contains("the browser is offline"));
        }
        other => panic!("not waiting to reconnect but {other:?}"),
    }
}
