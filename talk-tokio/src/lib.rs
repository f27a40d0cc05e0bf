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
mod source;

pub use runtime::TokioRuntime;
pub use source::{reader_source, seekable_source};
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

/// Returns the session for the addresses, app and user of `options`, or creates one on the current
/// tokio runtime.
///
/// Sessions are shared: if one exists for the same addresses, app and user, it is returned and the
/// remaining options are ignored. The connection opens when the session is used. The session ends
/// when its runtime is dropped. The next call of this function then creates another session.
///
/// Every adapter crate has this function with this signature, so a program changes its runtime by
/// changing one name.
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
/// [`NoRuntimeError`] when called from outside a tokio runtime. [`get_talk_session_on`] takes a
/// runtime instead.
pub fn get_talk_session(options: TalkOptions) -> Result<Session, NoRuntimeError> {
    let runtime = TokioRuntime::current()?;
    Ok(get_talk_session_on(&runtime, options))
}

/// Creates a client of the REST API on the current tokio runtime.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use talk_tokio::rest::{Api, UserParams, user};
///
/// let rest = talk_tokio::rest_client(Api::new("my_app", "sk_test_1")?)?;
/// rest.call(user("alice")?.put(UserParams::named("Alice"))).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`NoRuntimeError`] when called from outside a tokio runtime.
#[cfg(feature = "rest")]
pub fn rest_client(api: rest::Api) -> Result<rest::RestClient, NoRuntimeError> {
    Ok(rest::RestClient::on(&TokioRuntime::current()?, api))
}
