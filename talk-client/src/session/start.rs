//! The functions that return a session.

use std::sync::Arc;

use talk_proto::storage::StoreError;

use super::Session;
use crate::driver::{Driver, Opening};
use crate::handle::{Handle, Shared};
#[cfg(feature = "native")]
use crate::net::{Native, Runtime};
use crate::options::TalkOptions;
use crate::registry;
use crate::registry::sessions::SessionKey;
use crate::store::StoreState;
use crate::transport::Transport;

/// Returns the session for the addresses, app and user of `options`, or creates one on `runtime`.
/// The `get_talk_session` of an adapter crate calls it with its own runtime.
///
/// Sessions are shared: if one exists for the same addresses, app and user, it is returned and the
/// remaining options are ignored. The connection opens when the session is used. The session ends
/// with its runtime.
///
/// **Credentials do not separate sessions.** An existing session is returned for every token,
/// callback and signature in the options, and they are not checked against it. A process that
/// serves several people must authenticate the caller before it passes on a session, or create
/// private ones with
/// [`TalkOptions::force_new`](crate::TalkOptions::force_new).
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
#[cfg(feature = "native")]
pub fn get_talk_session_on<R: Runtime>(runtime: &R, options: TalkOptions) -> Session {
    let native = Native::new(runtime.clone())
        .tls(options.tls.clone())
        .proxy(options.proxy.clone());
    get_talk_session_over(&native, options)
}

/// Returns the session for the addresses, app and user of `options`, or creates one over
/// `transport`. For custom transports; adapter crates of async runtimes call
/// `get_talk_session_on`.
///
/// Sessions are shared as in `get_talk_session_on`. The options of the native transport are
/// ignored.
///
/// ```no_run
/// # use talk_client::{Error, transport::Transport};
/// # fn example<T: Transport>(transport: T) -> Result<(), Error> {
/// use talk_client::{TalkOptions, get_talk_session_over};
///
/// let session = get_talk_session_over(&transport, TalkOptions::new("my_app", "alice")?);
/// # Ok(())
/// # }
/// ```
pub fn get_talk_session_over<T: Transport>(transport: &T, mut options: TalkOptions) -> Session {
    if options.plain {
        options.core.addresses = options.core.addresses.without_tls();
    }
    let key = Arc::new(SessionKey::of(&options.core));
    let store = options.store.take();
    let state = match store {
        Some(_) => StoreState::Opening,
        None => StoreState::InMemory,
    };
    let shared = Shared::new(key, &options.core.limits, state);
    let (handle, is_new) = if options.force_new {
        (Handle::new(&shared), true)
    } else {
        registry::get_or_insert(&shared)
    };
    if !is_new {
        let is_durable = handle.store.get() != StoreState::InMemory;
        if store.is_some() && !is_durable {
            return refused(&shared, StoreError::SharedWithoutStore);
        }
        return Session { handle };
    }
    // A runtime that is shutting down drops the task, which ends the session.
    match store {
        Some(store) if options.standby => {
            let driver = Driver::standby(transport.clone(), store, options, shared);
            transport.spawn(driver.run());
        }
        Some(store) => {
            let opening = Opening::new(transport.clone(), store, options, shared);
            transport.spawn(opening.run());
        }
        None => {
            let driver = Driver::new(transport.clone(), options, shared);
            transport.spawn(driver.run());
        }
    }
    Session { handle }
}

/// Returns a session that has ended.
fn refused(shared: &Arc<Shared>, error: StoreError) -> Session {
    shared.termination.set(error.into());
    shared.commands.close();
    shared.close_states();
    shared.termination.set_driver_stopped();
    Session {
        handle: Handle::new(shared),
    }
}
