//! Functions that fetch tokens.

use std::fmt::{self, Display};
use std::future::Future;
use std::sync::Arc;

use talk_proto::Secret;

use crate::transport::{BoxFuture, MaybeSend, MaybeSync, SharableFn};

type Fetch = Arc<dyn SharableFn<(), BoxFuture<'static, Result<Secret, String>>>>;

/// The application's token callback.
#[derive(Clone)]
#[expect(unnameable_types, reason = "a method of a sealed trait returns it")]
pub struct TokenFetcher {
    pub(crate) fetch: Fetch,
    pub(crate) retries: bool,
}

/// A function that fetches tokens, for
/// [`TalkOptions::token_fetcher`](crate::TalkOptions::token_fetcher): an async function without
/// arguments that returns a token, or such a function wrapped by [`retrying`].
///
/// The trait is sealed.
pub trait TokenFetch: sealed::Sealed {}

impl<F: sealed::Sealed> TokenFetch for F {}

/// A function that is called again after a failure, created by [`retrying`].
#[derive(Clone, Copy)]
pub struct Retrying<F>(F);

/// Wraps a token fetcher so that a failure does not end the session: the function is called again
/// after 1 s, then with doubling delays up to 10 s, as long as the session waits for the token.
///
/// A session waits 60 s for a token and makes five attempts, so it survives an outage of about five
/// minutes. A panic still ends the session.
///
/// ```
/// use talk_client::{TalkOptions, retrying};
///
/// async fn fetch() -> std::io::Result<String> {
///     std::fs::read_to_string("token.jwt")
/// }
///
/// let options = TalkOptions::new("my_app", "alice")?.token_fetcher(retrying(fetch));
/// # Ok::<(), talk_client::EmptyId>(())
/// ```
pub fn retrying<F>(fetch: F) -> Retrying<F> {
    Retrying(fetch)
}

impl<F> fmt::Debug for Retrying<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying").finish_non_exhaustive()
    }
}

pub(crate) mod sealed {
    use super::TokenFetcher;

    #[expect(unnameable_types, reason = "it seals a trait")]
    pub trait Sealed {
        fn into_fetcher(self) -> TokenFetcher;
    }
}

impl<F, Fut, T, E> sealed::Sealed for F
where
    F: Fn() -> Fut + MaybeSend + MaybeSync + 'static,
    Fut: Future<Output = Result<T, E>> + MaybeSend + 'static,
    T: Into<Secret>,
    E: Display,
{
    fn into_fetcher(self) -> TokenFetcher {
        let fetch = Arc::new(self);
        let fetch = move |()| -> BoxFuture<'static, _> {
            let fetch = Arc::clone(&fetch);
            Box::pin(async move {
                match fetch().await {
                    Ok(token) => Ok(token.into()),
                    Err(error) => Err(error.to_string()),
                }
            })
        };
        TokenFetcher {
            fetch: Arc::new(fetch),
            retries: false,
        }
    }
}

impl<F: sealed::Sealed> sealed::Sealed for Retrying<F> {
    fn into_fetcher(self) -> TokenFetcher {
        TokenFetcher {
            retries: true,
            ..self.0.into_fetcher()
        }
    }
}
