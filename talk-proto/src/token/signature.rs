//! The signature that preceded tokens as proof of a user's identity.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::jwt::{is_mac, mac};
use crate::model::UserId;
use crate::secret::Secret;

/// Returns the hexadecimal HMAC-SHA256 of a user's ID: the signature of the scheme that preceded
/// tokens. The service still accepts it, but documents it as deprecated. It never expires.
///
/// ```
/// use talk_proto::{Secret, token::{is_user_signature, sign_user_id}};
///
/// let (secret, alice) = (Secret::new("sk_test"), "alice".try_into()?);
/// let signature = sign_user_id(&secret, &alice);
/// assert!(is_user_signature(&secret, &alice, signature.expose()));
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
pub fn sign_user_id(secret: &Secret, user: &UserId) -> Secret {
    Secret::from(HEXLOWER.encode(&mac(secret, user.as_str())))
}

/// Returns `true` if `signature` is the signature of that user, in upper or lower case.
///
/// ```
/// use talk_proto::{Secret, token::is_user_signature};
///
/// let (secret, alice) = (Secret::new("sk_test"), "alice".try_into()?);
/// assert!(!is_user_signature(&secret, &alice, "c0ffee"));
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
pub fn is_user_signature(secret: &Secret, user: &UserId, signature: &str) -> bool {
    HEXLOWER_PERMISSIVE
        .decode(signature.as_bytes())
        .is_ok_and(|signature| is_mac(secret, user.as_str(), &signature))
}
