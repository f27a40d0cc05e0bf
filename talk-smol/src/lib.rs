#![doc = include_str!("../README.md")]

mod runtime;

pub use runtime::SmolRuntime;
pub use talk_client::*;

/// The session that lives for the addresses, app and user of `options`, or a new one that runs on
/// smol's global executor.
///
/// Nothing is sent before something is asked of the session. For an executor of your own there is
/// [`get_talk_session_on`].
///
/// ```
/// use talk_smol::{TalkOptions, get_talk_session};
///
/// let session = get_talk_session(TalkOptions::new("my_app", "alice")?);
/// assert_eq!(session, get_talk_session(TalkOptions::new("my_app", "alice")?));
/// # Ok::<(), talk_smol::EmptyId>(())
/// ```
pub fn get_talk_session(options: TalkOptions) -> Session {
    get_talk_session_on(&SmolRuntime::global(), options)
}
