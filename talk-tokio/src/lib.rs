#![doc = include_str!("../README.md")]

mod runtime;
mod source;

pub use runtime::{NoRuntimeError, TokioRuntime};
pub use source::{reader_source, seekable_source};
pub use talk_client::*;

/// The session that lives for the addresses, app and user of `options`, or a new one that runs on
/// the current tokio runtime.
///
/// Nothing is sent before something is asked of the session. It ends with the runtime that it was
/// made on; whoever asks then is given a new one.
///
/// ```no_run
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use talk_tokio::{TalkOptions, get_talk_session};
///
/// let session = get_talk_session(TalkOptions::new("my_app", "alice")?)?;
/// assert_eq!(session, get_talk_session(TalkOptions::new("my_app", "alice")?)?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`NoRuntimeError`] when called from outside of a tokio runtime; see [`get_talk_session_on`] for
/// that.
pub fn get_talk_session(options: TalkOptions) -> Result<Session, NoRuntimeError> {
    let runtime = TokioRuntime::current()?;
    Ok(get_talk_session_on(&runtime, options))
}
