//! Getting a session.

use std::sync::Arc;

use talk_proto::SessionKey;

use super::Session;
use crate::driver::Driver;
use crate::handle::{Handle, Shared};
use crate::options::TalkOptions;
use crate::registry;
use crate::runtime::Runtime;

/// The session that lives for the addresses, app and user of `options`, or a new one that runs on
/// `runtime`. An adapter crate's `get_talk_session` calls it with its own.
///
/// Nothing is sent before something is asked of the session. It ends with its runtime.
///
/// ```no_run
/// # fn example<R: talk_client::Runtime>(runtime: R) -> Result<(), talk_client::Error> {
/// use talk_client::{TalkOptions, get_talk_session_on};
///
/// let session = get_talk_session_on(&runtime, TalkOptions::new("my_app", "alice")?);
/// assert_eq!(session.user_id().as_str(), "alice");
/// # Ok(())
/// # }
/// ```
pub fn get_talk_session_on<R: Runtime>(runtime: &R, options: TalkOptions) -> Session {
    let key = Arc::new(SessionKey::of(&options.core));
    // A call needs a permit; with none, all would wait for ever.
    let pending_calls = options.core.limits.pending_calls.max(1);
    let shared = Shared::new(key, pending_calls);
    let (handle, is_new) = if options.force_new {
        (Handle::new(&shared), true)
    } else {
        registry::get_or_insert(&shared)
    };
    if is_new {
        let driver = Driver::new(runtime.clone(), options, shared);
        // When the runtime is shutting down, this drops the driver, which ends the session.
        runtime.spawn(driver.run());
    }
    Session { handle }
}
