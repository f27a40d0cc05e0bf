//! A session over a custom transport, such as that of a browser.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use futures_util::{FutureExt, StreamExt};
use talk_client::{ConnectionState, get_talk_session_over};

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
