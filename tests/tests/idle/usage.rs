//! Ways to use a session, with losses of the connection.

use std::time::Duration;

use futures_util::StreamExt;
use talk_client::{ConnectionState, ConversationRef, Error, Session, TransportError, UserParams};

use crate::relay::{Relay, Way};

/// The timeout of a call to a bad server.
const IN_VAIN: Duration = Duration::from_millis(200);

/// Uses every feature of the session in a conversation that no other session uses.
pub(crate) async fn use_everything(session: &Session, conversation: &str, relay: &Relay) {
    let conversation = create(session, conversation).await;
    let mut messages = conversation.subscribe_messages();
    let conversations = session.subscribe_conversations(None);
    let typing = conversation.subscribe_typing();
    conversations.connected().await.unwrap();
    typing.connected().await.unwrap();
    conversation.send("hello").await.unwrap();
    messages.next().await.unwrap();

    let search = session.search_messages();
    let found = search.set_query("hello", None).await.unwrap();
    assert!(!found.results.is_empty());
    session
        .upload_file(vec![7; 100_000], "seven.bin")
        .await
        .unwrap();

    relay.lead(Way::Home).await;
    conversation.send("after a loss").await.unwrap();
    meet_bad_servers(session, relay).await;
    conversation.mark_as_read().await.unwrap();
}

/// Subscribes and reconnects after losses to every kind of bad server.
pub(crate) async fn use_a_little(session: &Session, conversation: &str, relay: &Relay) {
    let conversation = create(session, conversation).await;
    // The typing topic lingers for 10 s, and other topics for up to a minute.
    let typing = conversation.subscribe_typing();
    typing.connected().await.unwrap();
    meet_bad_servers(session, relay).await;
}

async fn create(session: &Session, conversation: &str) -> ConversationRef {
    let me = UserParams::named("somebody");
    session.current_user().set(me).await.unwrap();
    let conversation = session.conversation(conversation).unwrap();
    let created = conversation.create_if_not_exists(Default::default());
    created.await.unwrap();
    conversation
}

async fn meet_bad_servers(session: &Session, relay: &Relay) {
    let me = session.current_user();
    for way in [Way::Nowhere, Way::WebServer, Way::Breaking, Way::Pinging] {
        relay.lead(way).await;
        let call = me.set(Default::default()).timeout(IN_VAIN);
        let error = call.await.unwrap_err();
        assert!(
            matches!(error, Error::Transport(TransportError::Deadline { .. })),
            "{way:?}: {error}"
        );
        session.network_changed();
    }
    relay.lead(Way::Home).await;
    reconnected(session).await;
}

/// Waits until the session is connected, and skips its delays.
async fn reconnected(session: &Session) {
    let mut states = session.connection_states();
    while let Some(state) = states.next().await {
        match state {
            ConnectionState::Ready => return,
            ConnectionState::Waiting { .. } => session.network_changed(),
            _ => {}
        }
    }
}
