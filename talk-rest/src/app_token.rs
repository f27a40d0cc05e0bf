//! App tokens: JSON Web Tokens that grant everything, signed with HS256.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use talk_proto::{Secret, Timestamp, model::AppId};

/// The lifetime of a token. Each request has a token of its own.
const LIFETIME: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Claims<'a> {
    #[serde(rename = "tokenType")]
    token_type: &'static str,
    iss: &'a str,
    exp: i64,
}

/// Returns a token that expires 30 seconds after `now`.
pub(crate) fn app_token(key: &Secret, app: &AppId, now: Timestamp) -> Secret {
    let claims = Claims {
        token_type: "app",
        iss: app.as_str(),
        exp: (now + LIFETIME).as_millis() / 1000,
    };
    let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    // Claims are strings and numbers, so serialisation cannot fail.
    let claims = serde_json::to_vec(&claims).unwrap_or_default();
    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(&claims));
    let signature = BASE64URL_NOPAD.encode(&hmac(key, &[signed.as_bytes()]));
    Secret::from(format!("{signed}.{signature}"))
}

/// Returns the HMAC-SHA256 of the concatenated parts.
pub(crate) fn hmac(key: &Secret, parts: &[&[u8]]) -> Vec<u8> {
    let mac = keyed(key, parts);
    mac.map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Returns `true` if `mac` is the HMAC-SHA256 of the parts. The comparison takes constant time.
pub(crate) fn is_hmac(key: &Secret, parts: &[&[u8]], mac: &[u8]) -> bool {
    keyed(key, parts).is_some_and(|keyed| keyed.verify_slice(mac).is_ok())
}

/// HMAC accepts keys of every length, so the result is always `Some`.
fn keyed(key: &Secret, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_token_equals_other_implementation() {
        let key = Secret::from("sk_test_secret");
        let app = AppId::new("app1").unwrap();
        let token = app_token(&key, &app, Timestamp::from_millis(1_767_225_600_999));
        let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlblR5cGUiOiJhcHAiLCJpc3MiOiJhc\
                        HAxIiwiZXhwIjoxNzY3MjI1NjMwfQ.5SPzl7LTn9R8znINtQGx6dTxKPWwxA_GZKB-kD5X01Y";
        assert_eq!(token.expose(), expected);
    }
}
