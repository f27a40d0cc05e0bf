//! Whole programs on Talk, each for one task. They are the binaries of this package:
//!
//! | program | task |
//! | --- | --- |
//! | `support_bot` | answers each question once, over any crash |
//! | `web_backend` | serves tokens and streams a conversation to browsers, with axum |
//! | `order_back_end` | provisions a shop over the REST API and receives webhooks |
//! | `desktop_ui` | draws a conversation from a loop that never waits |
//! | `send_file` | sends a file and shows the progress |
//! | `export_history` | writes all conversations as lines of JSON |
//! | `token_refresh` | fetches tokens from a back end that sometimes fails |
//! | `metrics` | serves the counters of sessions to Prometheus |
//!
//! The ninth program is a test suite that injects faults into the emulator:
//! `tests/programs/faults.rs`.
//!
//! Each program takes the address of a service, such as a running `talk emulator`:
//!
//! ```text
//! cargo run -p talk-examples --bin support_bot -- 127.0.0.1:4000 bot.talk
//! ```
//!
//! The library of this package runs the code blocks of the guide.

use std::error::Error;
use std::time::Duration;

use talk_emulator::{Emulator, Seed};
use talk_tokio::{ConversationRef, Session, TalkOptions, get_talk_session};

// Integration tests would build all binaries, too.
#[cfg(test)]
#[path = "../tests/programs/mod.rs"]
mod programs;

/// The result of a code block.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Runs a code block of the guide as Alice, a participant of the conversation `lobby` with Bob,
/// against an emulator of its own.
///
/// # Panics
/// If the code block fails, or takes longer than a minute.
pub fn guide(example: impl AsyncFnOnce(Session, ConversationRef) -> Outcome) {
    guide_with(async |_, session, lobby| example(session, lobby).await);
}

/// Runs a code block of the guide that uses the emulator; see [`guide`].
///
/// # Panics
/// If the code block fails, or takes longer than a minute.
#[expect(clippy::expect_used, reason = "a test fails by a panic")]
pub fn guide_with(example: impl AsyncFnOnce(Emulator, Session, ConversationRef) -> Outcome) {
    let run = async {
        let lobby = Seed::new("my_app")
            .user("alice", "Alice")
            .user("bob", "Bob")
            .conversation("lobby", ["alice", "bob"]);
        let emulator = Emulator::builder().initial_data(lobby).start().await?;
        let options = TalkOptions::new("my_app", "alice")?.host(emulator.host());
        let session = get_talk_session(options)?;
        let lobby = session.conversation("lobby")?;
        example(emulator, session, lobby).await
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(60), run).await })
        .expect("the code block ends within a minute")
        .expect("the code block succeeds");
}

/// The pages of the guide, whose code blocks are tests of this package.
#[cfg(doctest)]
mod pages {
    macro_rules! pages {
        ($($page:ident)*) => {
            $(
                #[doc = include_str!(concat!(
                    "../../talk-client/src/guide/", stringify!($page), ".md"
                ))]
                mod $page {}
            )*
        };
    }

    pages! {
        getting_started concepts sending offline receiving bots authentication files search errors
        connection testing testing_back_ends inspector event_loops production
        from_javascript
    }
}
