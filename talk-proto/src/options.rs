//! What a session is made from.

use std::time::Duration;

use crate::addresses::Addresses;
use crate::model::{AppId, UserId};
use crate::secret::Secret;

/// What a session is made from.
///
/// ```
/// use talk_proto::SessionOptions;
///
/// let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionOptions {
    /// The application.
    pub app_id: AppId,
    /// The user to connect as.
    pub user_id: UserId,
    /// Where the service is. The default is the public service.
    pub addresses: Addresses,
    /// How to prove who the user is.
    pub authentication: Authentication,
    /// Caps on everything that could grow.
    pub limits: Limits,
    /// How fast a queue of calls is sent once the connection is ready.
    pub pacing: Pacing,
    /// The version told to the server. The default is what the published client tells.
    pub client_version: String,
}

impl SessionOptions {
    /// Connects `user_id` to the public service without authentication.
    ///
    /// ```
    /// use talk_proto::SessionOptions;
    ///
    /// let mut options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// options.authentication.token = Some("a JWT".into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(app_id: AppId, user_id: UserId) -> Self {
        Self {
            app_id,
            user_id,
            addresses: Addresses::default(),
            authentication: Authentication::default(),
            limits: Limits::default(),
            pacing: Pacing::default(),
            client_version: "1.11.2".to_owned(),
        }
    }
}

/// How the user's identity is proven.
///
/// With neither token nor callback the session asks the service for an anonymous token, which it
/// grants while authentication is switched off, or for the right signature.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Authentication {
    /// A JWT to start with.
    pub token: Option<Secret>,
    /// Whether [`Output::FetchToken`](crate::Output::FetchToken) can be answered.
    pub can_fetch_token: bool,
    /// The hexadecimal signature of the scheme before JWTs.
    pub signature: Option<Secret>,
}

/// Caps on every collection that can grow. A call beyond a cap fails with a typed error.
///
/// ```
/// let limits = talk_proto::Limits::default().pending_calls(100).window(1_000);
/// assert_eq!((limits.pending_calls, limits.window), (100, 1_000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Calls that are accepted and not resolved. Default 10,000.
    pub pending_calls: usize,
    /// Subscriptions that have not ended. Default 10,000.
    pub subscriptions: usize,
    /// Items that one subscription holds; above it the oldest end goes and `loaded_all` becomes
    /// false. Default 100,000.
    pub window: usize,
    /// The most items of one list that are fetched again after a connection loss. A window that
    /// needs more keeps the first ones and reports a gap. Default 2,000.
    pub refetch: usize,
    /// Bytes of one incoming frame, and of the request that a call makes. Default 16 MiB.
    pub frame_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_calls: 10_000,
            subscriptions: 10_000,
            window: 100_000,
            refetch: 2_000,
            frame_size: 16 << 20,
        }
    }
}

impl Limits {
    /// Sets the largest number of pending calls.
    #[must_use]
    pub fn pending_calls(mut self, calls: usize) -> Self {
        self.pending_calls = calls;
        self
    }

    /// Sets the largest number of subscriptions.
    #[must_use]
    pub fn subscriptions(mut self, subscriptions: usize) -> Self {
        self.subscriptions = subscriptions;
        self
    }

    /// Sets the largest number of items in one subscription.
    #[must_use]
    pub fn window(mut self, items: usize) -> Self {
        self.window = items;
        self
    }

    /// Sets the largest number of items of one list that are fetched again after a loss.
    #[must_use]
    pub fn refetch(mut self, items: usize) -> Self {
        self.refetch = items;
        self
    }

    /// Sets the largest size of a frame in bytes.
    #[must_use]
    pub fn frame_size(mut self, bytes: usize) -> Self {
        self.frame_size = bytes;
        self
    }
}

/// The pace of calls that waited for the connection.
///
/// Calls that are made while no other call waits are never paced, and neither are reads and the
/// requests of subscriptions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pacing {
    /// Sends 50 calls at once, then 10 in a second, and twice as many in each further second, until
    /// no call waits. When the server is too busy (429), calls are sent at half the rate of the
    /// last second, at least one in a second, and from there twice as many in each second.
    #[default]
    Adaptive,
    /// Sends `burst` calls at once, then one in each interval.
    Fixed {
        /// The number of calls that are sent at once.
        burst: usize,
        /// The time between two calls after those.
        interval: Duration,
    },
    /// Sends every call at once.
    Off,
}
