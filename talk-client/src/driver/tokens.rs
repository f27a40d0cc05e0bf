//! Token fetches from the application.

use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use talk_proto::{Input, Secret, TokenFetchId};

use crate::options::TokenFetcher;
use crate::transport::BoxFuture;

const PANICKED: &str = "it panicked";

/// The token fetcher of the options and the fetch in flight.
pub(super) struct Tokens {
    fetcher: Option<TokenFetcher>,
    running: Option<(TokenFetchId, BoxFuture<'static, Result<Secret, String>>)>,
}

impl Tokens {
    pub(super) fn new(fetcher: Option<TokenFetcher>) -> Self {
        Self {
            fetcher,
            running: None,
        }
    }

    /// Runs the fetcher. A fetch in flight is dropped, because its result would be too late.
    pub(super) fn start(&mut self, fetch: TokenFetchId) {
        let Some(fetcher) = self.fetcher.clone() else {
            return self.fail(fetch, "there is none");
        };
        // Called inside the future, so that a panic of the function and of its future is caught.
        let token = AssertUnwindSafe(async move { fetcher.call(()).await });
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
