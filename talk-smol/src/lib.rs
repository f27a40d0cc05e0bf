#![doc = include_str!("../README.md")]
//!
//! # Features
//!
//! - `store` (default): a durable store in a file; see `store::FileStore`. It builds SQLite from C.
//! - `token`: creates and checks user tokens, for back ends and tests.
//! - `rest`: the REST API and webhooks, for back ends; see `rest_client`.
//! - `tracing`: spans and events of sessions and calls, without tokens and message texts.
//! - `platform-verifier`: lets the operating system verify certificates; see
//!   `net::TlsOptions::platform_verifier`.
//! - `jiff`, `chrono`: conversions between [`Timestamp`] and the types of these crates.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod runtime;

pub use runtime::SmolRuntime;
pub use talk_client::*;

/// The native transport; see [`talk_client::net`].
pub mod net {
    // By name, because a glob would include the documentation of rustls here.
    #[doc(no_inline)]
    pub use talk_client::net::rustls;
    pub use talk_client::net::{
        MaybeTls, Native, NativeWebSocket, ProxyOptions, ProxyUrlError, Runtime, TlsOptions,
        TlsOptionsError,
    };
}

/// Returns the session for the addresses, app and user of `options`, or creates one on smol's
/// global executor.
///
/// Sessions are shared: if one exists for the same addresses, app and user, it is returned and the
/// remaining options are ignored. The connection opens when the session is used.
/// [`get_talk_session_on`] takes another executor.
///
/// Every adapter crate has this function with this signature, so a program changes its runtime by
/// changing one name.
///
/// ```
/// use talk_smol::{TalkOptions, get_talk_session};
///
/// let session = get_talk_session(TalkOptions::new("my_app", "alice")?)?;
/// assert_eq!(session, get_talk_session(TalkOptions::new("my_app", "alice")?)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// None, because the global executor always exists.
pub fn get_talk_session(options: TalkOptions) -> Result<Session, NoRuntimeError> {
    Ok(get_talk_session_on(&SmolRuntime::global(), options))
}

/// Creates a client of the REST API on smol's global executor.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use talk_smol::rest::{Api, UserParams, user};
///
/// let rest = talk_smol::rest_client(Api::new("my_app", "sk_test_1")?)?;
/// rest.call(user("alice")?.put(UserParams::named("Alice"))).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// None, because the global executor always exists.
#[cfg(feature = "rest")]
pub fn rest_client(api: rest::Api) -> Result<rest::RestClient, NoRuntimeError> {
    Ok(rest::RestClient::on(&SmolRuntime::global(), api))
}
