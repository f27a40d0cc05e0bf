//! Token fetches from the application.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use talk_proto::{Input, Secret, TokenFetchId};

use crate::handle::Sleeper;
use crate::token_fetch::TokenFetcher;
use crate::transport::BoxFuture;

/// The delay after the first failure of a fetcher that is retried. It doubles up to [`LAST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(10);

const PANICKED: &str = "it panicked";

/// The token fetcher of the options and the fetch in flight.
pub(super) struct Tokens {
    fetcher: Option<TokenFetcher>,
    sleeper: Sleeper,
    running: Option<(TokenFetchId, BoxFuture<'static, Result<Secret, String>>)>,
}

impl Tokens {
    pub(super) fn new(fetcher: Option<TokenFetcher>, sleeper: Sleeper) -> Self {
        Self {
            fetcher,
            sleeper,
            running: None,
        }
    }

    /// Runs the fetcher. A fetch in flight is dropped, because its result would be too late.
    pub(super) fn start(&mut self, fetch: TokenFetchId) {
        let Some(fetcher) = self.fetcher.clone() else {
            return self.fail(fetch, "there is none");
        };
        // Called inside the future, so that a panic of the function and of its future is caught.
        let sleeper = Arc::clone(&self.sleeper);
        let token = AssertUnwindSafe(fetch_token(fetcher, sleeper));
        let token = token
            .catch_unwind()
            .map(|result| result.unwrap_or_else(|_| Err(PANICKED.to_owned())));
        self.running = Some((fetch, Box::pin(token)));
    }

    /// Fails a fetch whose token handler panicked.
    pub(super) fn handler_panicked(&mut self, fetch: TokenFetchId) {
        self.fail(fetch, PANICKED);
    }

    fn fail(&mut self, fetch: TokenFetchId, reason: &str) {
        let result = std::future::ready(Err(reason.to_owned()));
        self.running = Some((fetch, Box::pin(result)));
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Input<'static>> {
        let Some((fetch, token)) = &mut self.running else {
            return Poll::Pending;
        };
        let fetch = *fetch;
        let result = ready!(token.as_mut().poll(cx));
        self.running = None;
        Poll::Ready(Input::Token { fetch, result })
    }
}

async fn fetch_token(fetcher: TokenFetcher, sleeper: Sleeper) -> Result<Secret, String> {
    let mut delay = FIRST_RETRY;
    loop {
        match fetcher.fetch.call(()).await {
            Err(_) if fetcher.retries => {
                sleeper.call(delay).await;
                delay = (delay * 2).min(LAST_RETRY);
            }
            result => return result,
        }
    }
}
