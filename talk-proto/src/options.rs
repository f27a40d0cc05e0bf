//! Options of a session.

use std::time::Duration;

use crate::addresses::Addresses;
use crate::model::{AppId, UserId};
use crate::outbox::OutboxOptions;
use crate::secret::Secret;

/// The options of a session.
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
    /// The base addresses of the service. The default is the public service.
    pub addresses: Addresses,
    /// The user's credentials.
    pub authentication: Authentication,
    /// The caps on every collection that can grow.
    pub limits: Limits,
    /// The pace at which queued calls are sent once the connection is ready.
    pub pacing: Pacing,
    /// The options of the outbox. Without them, the session has none until it opens an inbox.
    pub outbox: Option<OutboxOptions>,
    /// Set if a session with a store keeps the newest items of visible lists in it, and shows those
    /// of the last session until the server has answered. Default `false`.
    pub cache: bool,
    /// The client version that is reported to the server. The default is the version of the
    /// published client.
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
            outbox: None,
            cache: false,
            client_version: "1.11.2".to_owned(),
        }
    }
}

/// The credentials of the user.
///
/// Without a token and a callback the session requests an anonymous token. The service grants one
/// if the app has authentication disabled, or for a valid signature.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Authentication {
    /// The initial token, a JWT.
    pub token: Option<Secret>,
    /// Set if the driver answers [`Output::FetchToken`](crate::Output::FetchToken).
    pub can_fetch_token: bool,
    /// The hexadecimal signature of the authentication scheme that preceded JWTs.
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
#[must_use]
pub struct Limits {
    /// Pending calls. Default 10,000.
    pub pending_calls: usize,
    /// Active subscriptions, including searches. Default 10,000.
    pub subscriptions: usize,
    /// Items that one subscription holds. Above the limit the oldest items are evicted and
    /// `loaded_all` becomes `false`. Default 100,000.
    pub window: usize,
    /// Items of one list that are fetched again after a connection loss. A larger window keeps the
    /// first items and reports a gap. Default 2,000.
    pub refetch: usize,
    /// Bytes of one incoming frame, and of the request of one call. Default 16 MiB.
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
    pub fn pending_calls(mut self, calls: usize) -> Self {
        self.pending_calls = calls;
        self
    }

    /// Sets the largest number of subscriptions.
    pub fn subscriptions(mut self, subscriptions: usize) -> Self {
        self.subscriptions = subscriptions;
        self
    }

    /// Sets the largest number of items in one subscription.
    pub fn window(mut self, items: usize) -> Self {
        self.window = items;
        self
    }

    /// Sets the largest number of items of one list that are fetched again after a loss.
    pub fn refetch(mut self, items: usize) -> Self {
        self.refetch = items;
        self
    }

    /// Sets the largest size of a frame in bytes.
    pub fn frame_size(mut self, bytes: usize) -> Self {
        self.frame_size = bytes;
        self
    }
}

/// The pace of calls that waited for the connection.
///
/// Calls that are made while no other call waits are never paced. Reads and the requests of
/// subscriptions are never paced either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pacing {
    /// Sends 50 calls at once and 10 in the next second, then doubles the rate every second until
    /// no call waits. If the server is too busy (status 429), the rate falls to half of the last
    /// second's, at least one call per second, and doubles every second from there.
    #[default]
    Adaptive,
    /// Sends `burst` calls at once, then one per interval.
    Fixed {
        /// The number of calls that are sent at once.
        burst: usize,
        /// The interval between two further calls.
        interval: Duration,
    },
    /// Sends every call at once.
    Off,
}
