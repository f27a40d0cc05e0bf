//! A client of the REST API.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use talk_rest::{Api, Call, List, ListItem, MessageKeys, RestError};

use super::error::RestClientError;
use super::network::{ExchangeError, MAX_ANSWER, Network, Over};
#[cfg(feature = "native")]
use crate::net::{Native, Runtime};
use crate::sync::lock;
use crate::transport::Transport;

const TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 4;
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// The longest wait between two attempts. If the service asks for more, the call fails.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A client of the REST API of an app.
///
/// It gives each message an idempotency key, and repeats a call after a transient failure if the
/// repetition has the effect of a single call. Imports are never repeated. Clones share the
/// transport and the source of keys.
///
/// ```no_run
/// # use std::error::Error;
/// # async fn example(runtime: impl talk_client::Runtime) -> Result<(), Box<dyn Error>> {
/// use talk_client::rest::{Api, RestClient, UserParams, user, users};
///
/// let api = Api::new("my_app", "sk_test_1")?.host("127.0.0.1:4000");
/// let rest = RestClient::on(&runtime, api);
/// rest.call(user("alice")?.put(UserParams::named("Alice"))).await?;
/// for user in rest.all(users().is_online()).await? {
///     println!("{}", user.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RestClient {
    shared: Arc<Shared>,
    timeout: Duration,
    attempts: u32,
}

struct Shared {
    api: Api,
    network: Box<dyn Network>,
    keys: Mutex<MessageKeys>,
}

impl RestClient {
    /// Creates a client on a runtime. An adapter crate has `rest_client` for its own runtime.
    #[cfg(feature = "native")]
    #[must_use]
    pub fn on<R: Runtime>(runtime: &R, api: Api) -> Self {
        Self::over(Native::new(runtime.clone()), api)
    }

    /// Creates a client over a transport, such as one with other TLS or proxy options.
    #[must_use]
    pub fn over<T: Transport>(transport: T, api: Api) -> Self {
        let keys = MessageKeys::new(transport.seed());
        let shared = Shared {
            api,
            network: Box::new(Over(transport)),
            keys: Mutex::new(keys),
        };
        Self {
            shared: Arc::new(shared),
            timeout: TIMEOUT,
            attempts: ATTEMPTS,
        }
    }

    /// Sets the time limit of an attempt (default 30 s).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the number of attempts of a call (default 4). With 1, calls are never repeated.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Returns the address and the app of the calls.
    pub fn api(&self) -> &Api {
        &self.shared.api
    }

    /// Makes a call. Dropping the future cancels it.
    ///
    /// # Errors
    /// [`RestClientError`].
    pub async fn call<T>(&self, mut call: Call<T>) -> Result<T, RestClientError> {
        call.fill_keys(&mut lock(&self.shared.keys), self.shared.network.now());
        let mut attempt = 1;
        let mut may_be_processed = false;
        loop {
            let error = match self.attempt(&call, may_be_processed).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if attempt >= self.attempts || !error.is_transient() {
                return Err(error);
            }
            let wait = match &error {
                RestClientError::Rest(error) => error.retry_after(),
                _ => None,
            };
            let wait = wait.unwrap_or_else(|| self.backoff(attempt));
            if wait > MAX_WAIT {
                return Err(error);
            }
            may_be_processed |= error.may_be_processed();
            self.shared.network.sleep(wait).await;
            attempt += 1;
        }
    }

    /// Reads all pages of a list.
    ///
    /// # Errors
    /// [`RestClientError`].
    pub async fn all<T: ListItem>(&self, list: List<T>) -> Result<Vec<T>, RestClientError> {
        let mut pages = list.pages()?;
        let mut items = Vec::new();
        while let Some(call) = pages.next() {
            let page = self.call(call).await?;
            pages.received(&page);
            items.extend(page);
        }
        Ok(items)
    }

    async fn attempt<T>(&self, call: &Call<T>, is_repeated: bool) -> Result<T, RestClientError> {
        let network = &self.shared.network;
        let request = self.shared.api.request(call, network.now())?;
        let response = network.exchange(request, self.timeout).await;
        let response = response.map_err(|error| match error {
            ExchangeError::Http(cause) => RestClientError::network(cause, call.retry_safety()),
            ExchangeError::TimedOut => RestClientError::TimedOut {
                after: self.timeout,
                retry_safety: call.retry_safety(),
            },
            ExchangeError::TooLarge => RestClientError::TooLarge { limit: MAX_ANSWER },
            ExchangeError::Stopped => RestClientError::Stopped,
        })?;
        let answer: Result<T, RestError> = match is_repeated {
            true => call.decode_repeated(&response),
            false => call.decode(&response),
        };
        Ok(answer?)
    }

    /// Returns a random wait that doubles with each attempt, from a half to the whole of it.
    fn backoff(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt - 1);
        let whole = FIRST_BACKOFF.saturating_mul(factor).min(MAX_WAIT);
        let random = self.shared.network.random() % 1000;
        whole / 2 + whole / 2 * u32::try_from(random).unwrap_or(0) / 1000
    }
}

impl fmt::Debug for RestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestClient")
            .field("api", &self.shared.api)
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
