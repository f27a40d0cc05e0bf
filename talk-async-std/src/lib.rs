#![doc = include_str!("../README.md")]

mod runtime;

pub use runtime::AsyncStdRuntime;
pub use talk_client::*;

/// The session that lives for the addresses, app and user of `options`, or a new one that runs on
/// async-std.
///
/// Nothing is sent before something is asked of the session.
///
/// ```
/// use talk_async_std::{TalkOptions, get_talk_session};
///
/// let session = get_talk_session(TalkOptions::new("my_app", "alice")?);
/// assert_eq!(session, get_talk_session(TalkOptions::new("my_app", "alice")?));
/// # Ok::<(), talk_async_std::EmptyId>(())
/// ```
pub fn get_talk_session(options: TalkOptions) -> Session {
    get_talk_session_on(&AsyncStdRuntime, options)
}
