//! The identity of a session's records.

use std::fmt::Write as _;

use talk_proto::model::{AppId, UserId};
use talk_proto::{Addresses, SessionOptions};

/// The identity of a session's records: addresses, app and user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct StoreKey {
    /// The user.
    pub user_id: UserId,
    /// The app.
    pub app_id: AppId,
    /// The addresses of the service.
    pub addresses: Addresses,
}

impl StoreKey {
    pub(crate) fn of(options: &SessionOptions) -> Self {
        Self {
            user_id: options.user_id.clone(),
            app_id: options.app_id.clone(),
            addresses: options.addresses.clone(),
        }
    }

    /// Returns the key as a string. Different keys have different strings, and the same key has the
    /// same string in every version.
    ///
    /// ```
    /// use talk_client::TalkOptions;
    ///
    /// let options = TalkOptions::new("my_app", "alice")?.host("127.0.0.1:4000");
    /// let key = options.store_key().to_text();
    /// assert!(key.starts_with("5:alice,6:my_app,"), "{key}");
    /// # Ok::<(), talk_client::EmptyId>(())
    /// ```
    pub fn to_text(&self) -> String {
        let Addresses {
            realtime,
            rest,
            internal,
            ..
        } = &self.addresses;
        let (user, app) = (self.user_id.as_str(), self.app_id.as_str());
        let mut text = String::new();
        for part in [user, app, realtime, rest, internal] {
            // Each part is preceded by its length, because IDs may contain any separator. Writing
            // to a string cannot fail.
            let _ = write!(text, "{}:{part},", part.len());
        }
        text
    }
}
