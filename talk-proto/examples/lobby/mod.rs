//! The application of the examples: it sends a message to a lobby and waits until it is shown.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::{Instant, SystemTime};

use talk_proto::{
    Addresses, Call, Event, HttpFailure, HttpId, Input, Session, SessionOptions, Snapshot,
    Timestamp, Topic, model::UserParams,
};

/// Returns the wall clock at the start plus the time since then, so that it never decreases.
pub(crate) fn now() -> Timestamp {
    static START: LazyLock<(Timestamp, Instant)> =
        LazyLock::new(|| (SystemTime::now().into(), Instant::now()));
    START.0 + START.1.elapsed()
}

/// Creates a session with the service at `host`.
pub(crate) fn session(host: &str, user: &str) -> Result<Session, Box<dyn Error>> {
    let mut options = SessionOptions::new("my_app".try_into()?, user.try_into()?);
    options.addresses = Addresses::of_host(host);
    // Without a token and a token callback, the session requests a token over HTTP. The examples
    // have no HTTP. An emulator without a secret accepts every token.
    options.authentication.token = Some("a JWT".into());
    // Every hasher of the standard library has random keys from the system.
    let seed = RandomState::new().hash_one(user);
    Ok(Session::new(options, seed, now()))
}

/// Enters the lobby as `user`, sends `text`, and subscribes to the messages.
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

/// Returns the newest message in the lobby, if the event is an update of its messages.
pub(crate) fn newest(event: &Event) -> Option<String> {
    let Event::Updated { update, .. } = event else {
        return None;
    };
    match &update.snapshot {
        Snapshot::Messages(Some(window)) => window.first().map(|message| message.plaintext()),
        _ => None,
    }
}

/// Fails every HTTP request, so that the examples have no uploads, searches and anonymous tokens.
pub(crate) fn no_http(http: HttpId) -> Input<'static> {
    let failure = HttpFailure::Network("there is no HTTP here".to_owned());
    Input::HttpFailed { http, failure }
}

/// Returns the host of the service: the first argument, or an emulator on this machine.
pub(crate) fn host() -> String {
    let given = std::env::args().nth(1);
    given.unwrap_or_else(|| "127.0.0.1:4000".to_owned())
}
