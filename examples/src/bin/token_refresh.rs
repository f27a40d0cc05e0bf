//! A session that fetches its tokens from a back end that sometimes fails.
//!
//! The program contains the back end too. Start an emulator that checks tokens first:
//!
//! ```text
//! talk emulator --port 4000 --secret sk_test
//! cargo run -p talk-examples --bin token_refresh -- 127.0.0.1:4000 sk_test
//! ```

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use talk_tokio::{
    NoRuntimeError, Secret, Session, TalkOptions, Timestamp, TokenClaims, get_talk_session,
    retrying,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: token_refresh HOST:PORT SECRET_KEY";
    let (host, key) = (
        env::args().nth(1).ok_or(usage)?,
        env::args().nth(2).ok_or(usage)?,
    );
    let backend = TokenServer::new(key.into());
    let session = start(TalkOptions::new("my_app", "alice")?.host(&host), &backend)?;
    let _handler = session.on_error(|error| eprintln!("the chat has ended: {error}"));

    // A subscription keeps the session connected, so that it refreshes its token.
    let mut me = session.current_user().subscribe();
    while let Some(update) = me.next().await {
        println!(
            "{:?}, after {} requests for a token",
            update.snapshot,
            backend.requests()
        );
    }
    Ok(me.terminated().await?)
}

/// Starts a session whose tokens come from `backend`. [`retrying`] repeats a failed request.
/// Without it, the failure would end the session.
pub(crate) fn start(
    options: TalkOptions,
    backend: &TokenServer,
) -> Result<Session, NoRuntimeError> {
    let backend = backend.clone();
    let fetch = move || {
        let backend = backend.clone();
        async move { backend.token().await }
    };
    get_talk_session(options.token_fetcher(retrying(fetch)))
}

/// A stand-in for a back end. The first request to it fails.
#[derive(Clone)]
pub(crate) struct TokenServer(Arc<(Secret, AtomicU32)>);

impl TokenServer {
    pub(crate) fn new(key: Secret) -> Self {
        Self(Arc::new((key, AtomicU32::new(0))))
    }

    pub(crate) fn requests(&self) -> u32 {
        self.0.1.load(Ordering::SeqCst)
    }

    async fn token(&self) -> Result<Secret, Box<dyn std::error::Error + Send + Sync>> {
        if self.0.1.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err("503 Service Unavailable".into());
        }
        let expiry = Timestamp::from(SystemTime::now() + Duration::from_secs(600));
        let claims = TokenClaims::new("my_app".try_into()?, "alice".try_into()?);
        Ok(claims.expires_at(expiry).mint(&self.0.0))
    }
}
