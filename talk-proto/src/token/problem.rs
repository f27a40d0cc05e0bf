//! Problems of user tokens.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// A problem of a user token. Neither `Debug` nor `Display` shows the token or a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenProblem {
    /// The string is not a JSON Web Token.
    #[error(
        "it is no JSON Web Token: give the token alone, three parts with dots between, without \
         quotes or `Bearer`"
    )]
    NotAToken,
    /// The token is signed with an algorithm other than HS256.
    #[error("it is signed with {found:?}: sign it with HS256")]
    WrongAlgorithm {
        /// The algorithm in the header, cut to 64 characters.
        found: String,
    },
    /// The token is not signed with the given secret key.
    #[error(
        "its signature is not made with this secret key: use the key of the same app and \
         environment, test or live"
    )]
    WrongSignature,
    /// The header names critical extensions (`crit`), none of which is supported.
    #[error("its header has the member `crit`, and no extension is supported: leave it out")]
    CriticalExtension,
    /// A claim is missing or has the wrong type.
    #[error("its claim `{name}` is missing or of the wrong type: it should be {expected}")]
    InvalidClaim {
        /// The name of the claim.
        name: &'static str,
        /// A human-readable description of the expected value.
        expected: &'static str,
    },
    /// The token is for another app.
    #[error("its claim `iss` is {found:?}, which is not the app ID {expected:?}")]
    WrongApp {
        /// The given app ID.
        expected: String,
        /// The app ID in the token, cut to 64 characters.
        found: String,
    },
    /// The token is for another user.
    #[error("its claim `sub` is {found:?}, which is not the user ID {expected:?}")]
    WrongUser {
        /// The given user ID.
        expected: String,
        /// The user ID in the token, cut to 64 characters.
        found: String,
    },
    /// The token has expired.
    #[error(
        "it expired {}s ago: make a new one, or set the clock of the server that made it",
        ago.as_secs()
    )]
    Expired {
        /// The time since the expiry.
        ago: Duration,
    },
    /// The token is not valid yet (claim `nbf`).
    #[error(
        "it is valid only in {}s: leave `nbf` out, or set the clock of the server that made it",
        wait.as_secs()
    )]
    NotYetValid {
        /// The time until it is valid.
        wait: Duration,
    },
    /// The token expires so soon that clients treat it as expired.
    #[error(
        "it expires in {}s, and clients treat less than 120 s as expired: let it live longer",
        left.as_secs()
    )]
    ExpiresSoon {
        /// The remaining lifetime.
        left: Duration,
    },
    /// The token expires thousands of years from now, because the expiry is in milliseconds.
    #[error("its claim `exp` is in milliseconds, so that it hardly ever expires: give seconds")]
    ExpiryInMilliseconds {
        /// The intended expiry.
        meant: Timestamp,
    },
    /// The token never expires.
    #[error("it never expires: whoever gets hold of it can use it for ever; set `exp`")]
    NoExpiry,
    /// The token is not a user token.
    #[error("its claim `tokenType` is {found:?}: the one for users is \"user\"")]
    WrongTokenType {
        /// The type in the token, cut to 64 characters; `None` if it is absent.
        found: Option<String>,
    },
}

impl TokenProblem {
    /// Returns `true` if the service refuses such a token. The other problems are warnings for the
    /// issuer of the token.
    ///
    /// ```
    /// use talk_proto::token::TokenProblem;
    ///
    /// assert!(TokenProblem::WrongSignature.is_refused());
    /// assert!(!TokenProblem::NoExpiry.is_refused());
    /// ```
    pub fn is_refused(&self) -> bool {
        match self {
            Self::NotAToken
            | Self::WrongAlgorithm { .. }
            | Self::WrongSignature
            | Self::InvalidClaim { .. }
            | Self::WrongApp { .. }
            | Self::WrongUser { .. }
            | Self::CriticalExtension
            | Self::NotYetValid { .. }
            | Self::Expired { .. } => true,
            Self::ExpiresSoon { .. }
            | Self::ExpiryInMilliseconds { .. }
            | Self::NoExpiry
            | Self::WrongTokenType { .. } => false,
        }
    }
}
