//! Claims of user tokens.

use serde::Serialize;

use super::jwt;
use crate::model::{AppId, UserId};
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// The claims of a user token, for an application server that issues tokens.
///
/// The server must authenticate the caller first, because a token for Alice gives full access as
/// Alice. The secret key of the app must never reach a client.
///
/// ```
/// use std::time::Duration;
/// use talk_proto::{Secret, Timestamp, token::TokenClaims};
///
/// let secret = Secret::from("the secret key of the app");
/// let now = Timestamp::from_millis(1_700_000_000_000); // the wall clock
/// let token = TokenClaims::new("my_app".try_into()?, "alice".try_into()?)
///     .expires_at(now + Duration::from_secs(24 * 3600))
///     .mint(&secret);
/// assert_eq!(token.expose().split('.').count(), 3);
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TokenClaims {
    app_id: AppId,
    user_id: UserId,
    expires_at: Option<Timestamp>,
}

/// The claims with their names on the wire.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "tokenType")]
    token_type: &'static str,
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

impl TokenClaims {
    /// Creates the claims of a token that never expires.
    pub fn new(app_id: AppId, user_id: UserId) -> Self {
        Self {
            app_id,
            user_id,
            expires_at: None,
        }
    }

    /// Sets the expiry, truncated to whole seconds.
    ///
    /// Clients treat a token with a lifetime below 2 minutes as expired. A lifetime of one day is
    /// common.
    ///
    /// ```
    /// # use talk_proto::{Secret, Timestamp, token::{TokenCheck, TokenClaims}};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let secret = Secret::new("sk_test");
    /// # let token = TokenClaims::new("my_app".try_into()?, "alice".try_into()?).mint(&secret);
    /// let claims = TokenClaims::new("my_app".try_into()?, "alice".try_into()?);
    /// let token = claims.expires_at(now).mint(&secret);
    /// assert_eq!(TokenCheck::new(now).check(&token).expires_at, Some(now));
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn expires_at(mut self, time: Timestamp) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Returns the token, signed with the secret key of the app.
    pub fn mint(&self, secret: &Secret) -> Secret {
        let payload = Payload {
            token_type: "user",
            iss: self.app_id.as_str(),
            sub: Some(self.user_id.as_str()),
            exp: self.expires_at.map(seconds),
        };
        jwt::sign(secret, &payload)
    }
}

/// Returns an app token, signed with the secret key of the app. It gives a back end full access to
/// the REST API, and expires at a time that is truncated to whole seconds.
///
/// ```
/// use std::time::Duration;
/// use talk_proto::{Secret, Timestamp, token::mint_app_token};
///
/// let now = Timestamp::from_millis(1_700_000_000_000); // the wall clock
/// let expires_at = now + Duration::from_secs(30);
/// let token = mint_app_token(&Secret::new("sk_test"), &"my_app".try_into()?, expires_at);
/// assert_eq!(token.expose().split('.').count(), 3);
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
pub fn mint_app_token(secret: &Secret, app: &AppId, expires_at: Timestamp) -> Secret {
    let payload = Payload {
        token_type: "app",
        iss: app.as_str(),
        sub: None,
        exp: Some(seconds(expires_at)),
    };
    jwt::sign(secret, &payload)
}

fn seconds(time: Timestamp) -> i64 {
    time.as_millis() / 1000
}
