//! The application of the examples: someone says something in a lobby, and sees it there.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::{Instant, SystemTime};

use talk_proto::{
    Addresses, Call, Event, HttpFailure, HttpId, Input, Session, SessionOptions, Snapshot,
    Timestamp, Topic, model::UserParams,
};

/// The wall clock at the start, and what has passed since: it does not go back.
pub(crate) fn now() -> Timestamp {
    static START: LazyLock<(Timestamp, Instant)> =
        LazyLock::new(|| (SystemTime::now().into(), Instant::now()));
    START.0 + START.1.elapsed()
}

/// A session with the service at `host`.
pub(crate) fn session(host: &str, user: &str) -> Result<Session, Box<dyn Error>> {
    let mut options = SessionOptions::new("my_app".try_into()?, user.try_into()?);
    options.addresses = Addresses::of_host(host);
    // With neither a token nor a way to fetch one, the session asks for one over HTTP, which the
    // examples do without. An emulator without a secret takes anything.
    options.authentication.token = Some("a JWT".into());
    // Every hasher of the standard library has keys of its own, from the system's randomness.
    let seed = RandomState::new().hash_one(user);
    Ok(Session::new(options, seed, now()))
}

/// Enters the lobby as `user`, says `text`, and looks at what is said.
pub(crate) fn enter(session: &mut Session, user: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let (me, params) = (user.try_into()?, UserParams::named(user));
    session.call(now(), Call::SetUser { user: me, params })?;
    let (conversation, params) = ("lobby".try_into()?, Default::default());
    let create = Call::CreateConversation {
        conversation,
        params,
    };
    session.call(now(), create)?;
    let (conversation, message) = ("lobby".try_into()?, text.into());
    let send = Call::SendMessage {
        conversation,
        message,
    };
    session.call(now(), send)?;
    let conversation = "lobby".try_into()?;
    session.subscribe(now(), Topic::Messages { conversation })?;
    Ok(())
}

/// The newest message in the lobby, when there is news of it.
pub(crate) fn newest(event: &Event) -> Option<String> {
    let Event::Updated { update, .. } = event else {
        return None;
    };
    match &update.snapshot {
        Snapshot::Messages(Some(window)) => window.first().map(|message| message.plaintext()),
        _ => None,
    }
}

/// The examples make no HTTP requests, so that there are no uploads, searches and anonymous tokens.
pub(crate) fn no_http(http: HttpId) -> Input<'static> {
    let failure = HttpFailure::Network("there is no HTTP here".to_owned());
    Input::HttpFailed { http, failure }
}

/// Where the service is: the first argument, or else an emulator on this machine.
pub(crate) fn host() -> String {
    let given = std::env::args().nth(1);
    given.unwrap_or_else(|| "127.0.0.1:4000".to_owned())
}
