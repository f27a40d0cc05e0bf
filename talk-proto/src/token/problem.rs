//! What can be wrong with a user token.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// What is wrong with a user token, or will be soon. It never shows the token, nor a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenProblem {
    /// It is no JSON Web Token.
    #[error(
        "it is no JSON Web Token: give the token alone, three parts with dots between, without quotes or `Bearer`"
    )]
    NotAToken,
    /// It is signed with another algorithm than HS256.
    #[error("it is signed with {found:?}: sign it with HS256")]
    WrongAlgorithm {
        /// What its header says, cut to 64 characters.
        found: String,
    },
    /// It is not signed with the secret key that was given.
    #[error(
        "its signature is not made with this secret key: use the key of the same app and environment, test or live"
    )]
    WrongSignature,
    /// The header names critical extensions (`crit`), none of which is supported.
    #[error("its header has the member `crit`, and no extension is supported: leave it out")]
    CriticalExtension,
    /// A claim is missing, or has another type than it should.
    #[error("its claim `{name}` is missing or of the wrong type: it should be {expected}")]
    InvalidClaim {
        /// The name of the claim.
        name: &'static str,
        /// What it should be, in words.
        expected: &'static str,
    },
    /// It is for another app.
    #[error("its claim `iss` is {found:?}, which is not the app ID {expected:?}")]
    WrongApp {
        /// The app ID that was given.
        expected: String,
        /// What it says, cut to 64 characters.
        found: String,
    },
    /// It is for another user.
    #[error("its claim `sub` is {found:?}, which is not the user ID {expected:?}")]
    WrongUser {
        /// The user ID that was given.
        expected: String,
        /// What it says, cut to 64 characters.
        found: String,
    },
    /// It has expired.
    #[error("it expired {}s ago: make a new one, or set the clock of the server that made it", ago.as_secs())]
    Expired {
        /// How long ago.
        ago: Duration,
    },
    /// The token is not valid yet (claim `nbf`).
    #[error("it is valid only in {}s: leave `nbf` out, or set the clock of the server that made it", wait.as_secs())]
    NotYetValid {
        /// The time until it is valid.
        wait: Duration,
    },
    /// It expires so soon that clients treat it as expired.
    #[error("it expires in {}s, and clients treat less than 120 s as expired: let it live longer", left.as_secs())]
    ExpiresSoon {
        /// How long it is good for.
        left: Duration,
    },
    /// It expires thousands of years from now: its time is in milliseconds.
    #[error("its claim `exp` is in milliseconds, so that it hardly ever expires: give seconds")]
    ExpiryInMilliseconds {
        /// When it expires if that is mended.
        meant: Timestamp,
    },
    /// It never expires.
    #[error("it never expires: whoever gets hold of it can use it for ever; set `exp`")]
    NoExpiry,
    /// It is not a token for users.
    #[error("its claim `tokenType` is {found:?}: the one for users is \"user\"")]
    WrongTokenType {
        /// What it says, cut to 64 characters; `None` when it says nothing.
        found: Option<String>,
    },
}

impl TokenProblem {
    /// Whether such a token is refused. The other problems are for the one who makes tokens to
    /// mend.
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
