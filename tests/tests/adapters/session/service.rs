use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_rustls::TlsAcceptor;
use futures_util::StreamExt;
use futures_util::future::join_all;
use talk_client::net::TlsOptions;
use talk_client::{Addresses, Session, TalkOptions, UserParams};
use talk_emulator::Emulator;
use talk_tests::forward;

use crate::adapters::adapter::{Adapter, servers};
use crate::adapters::server::{listen, start_emulator};
use crate::adapters::transport::tls::{Authority, authority};

fn options(emulator: &Emulator, user: &str) -> TalkOptions {
    let options = TalkOptions::new("app", user).unwrap();
    options.host(emulator.host())
}

/// Joins the lobby, sends a message and waits until it is visible.
async fn say(session: &Session, text: &str) {
    let lobby = session.conversation("lobby").unwrap();
    let name = UserParams::named(session.user_id().as_str());
    session.current_user().set(name).await.unwrap();
    lobby
        .create_if_not_exists(Default::default())
        .await
        .unwrap();
    let mut messages = lobby.subscribe_messages();
    lobby.send(text).await.unwrap();
    while let Some(update) = messages.next().await {
        let shown = update.snapshot.into_iter().flat_map(|window| {
            let texts: Vec<_> = window.iter().map(|message| message.plaintext()).collect();
            texts
        });
        if shown.into_iter().any(|shown| shown == text) {
            return;
        }
    }
    panic!("it was never shown");
}

/// Starts a TLS proxy in front of the emulator.
fn serve_tls(authority: &Authority, emulator: &Emulator) -> Addresses {
    let listener = listen();
    let mut addresses = Addresses::of_host(&listener.local_addr().unwrap().to_string());
    for address in [
        &mut addresses.realtime,
        &mut addresses.rest,
        &mut addresses.internal,
    ] {
        *address = address.replacen("://", "s://", 1);
    }
    let acceptor = TlsAcceptor::from(Arc::clone(&authority.server));
    let host = emulator.host().to_owned();
    servers().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, host) = (acceptor.clone(), host.clone());
            // Either side may break the connection.
            tokio::spawn(async move { forward(stream, Some(&acceptor), host).await.ok() });
        }
    });
    addresses
}

async fn everything_goes_over_tls<A: Adapter>() {
    let emulator = start_emulator().await;
    let authority = authority(&["127.0.0.1"]);
    let tls = TlsOptions::with_extra_roots(authority.pem.as_bytes()).unwrap();
    let addresses = serve_tls(&authority, &emulator);
    let options = TalkOptions::new("app", "alice").unwrap();
    let session = A::session(options.addresses(addresses).tls(tls));
    say(&session, "over TLS").await;
    session.upload_file(vec![0; 100_000], "f").await.unwrap();
    session.shutdown().await;
}

async fn many_sessions_run_in_parallel<A: Adapter>() {
    let emulator = start_emulator().await;
    let users: Vec<_> = (0..50).map(|n| format!("user {n}")).collect();
    let sessions = users
        .iter()
        .map(|user| A::session(options(&emulator, user)));
    let sessions: Vec<_> = sessions.collect();
    join_all(
        sessions
            .iter()
            .zip(&users)
            .map(|(session, user)| say(session, user)),
    )
    .await;
    join_all(sessions.iter().map(Session::shutdown)).await;
}

async fn expired_token_is_replaced_without_interruption<A: Adapter>() {
    let emulator = start_emulator().await;
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    let fetch = move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, String>(format!("token {n}")) }
    };
    let session = A::session(options(&emulator, "alice").token_fetcher(fetch));
    say(&session, "before").await;
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
    emulator.expire_tokens().await.unwrap();
    say(&session, "after").await;
    assert_eq!(fetched.load(Ordering::Relaxed), 2);
}

on_every_runtime!(
    everything_goes_over_tls,
    many_sessions_run_in_parallel,
    expired_token_is_replaced_without_interruption,
);
