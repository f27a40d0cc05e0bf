//! Tokens: who somebody is, and until when.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use talk_proto::Time;

use super::refusal::Refusal;

/// What a token says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Whose it is; unknown for a token that an emulator without a secret cannot read.
    pub(super) user: Option<String>,
    pub(super) expires: Option<Time>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    alg: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<f64>,
}

/// What a token says, if it is good for this app. Without a secret every token is.
pub(super) fn check(
    secret: Option<&str>,
    app: &str,
    token: &str,
    now: Time,
) -> Result<Identity, Refusal> {
    let Some(secret) = secret else {
        let claims = parts(token).and_then(|(_, payload, _)| decode::<Claims>(payload));
        let user = claims
            .filter(|claims| claims.iss == app)
            .map(|claims| claims.sub);
        return Ok(Identity {
            user,
            expires: None,
        });
    };
    let (header, payload, signature) =
        parts(token).ok_or_else(|| Refusal::unauthorized("The token is no JSON Web Token."))?;
    let algorithm = decode::<Header>(header).map(|header| header.alg);
    if algorithm.as_deref() != Some("HS256") {
        return Err(Refusal::unauthorized("The token is not signed with HS256."));
    }
    let signed = &token[..header.len() + 1 + payload.len()];
    let signature = BASE64URL_NOPAD
        .decode(signature.as_bytes())
        .unwrap_or_default();
    if !is_signed(secret, signed, &signature) {
        return Err(Refusal::unauthorized(
            "The token is not signed with this app's secret.",
        ));
    }
    let claims = decode::<Claims>(payload).ok_or_else(|| {
        Refusal::unauthorized("The token needs `iss` and `sub`, and `exp` is a number.")
    })?;
    if claims.iss != app {
        return Err(Refusal::unauthorized("The token is for another app."));
    }
    // A float becomes the nearest millisecond it can be; one beyond all time never comes.
    let expires = claims
        .exp
        .map(|seconds| Time::from_millis((seconds * 1000.0) as u64));
    if expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::unauthorized("The token has expired."));
    }
    Ok(Identity {
        user: Some(claims.sub),
        expires,
    })
}

/// A token for somebody who has none of their own. Signed if there is a secret; never expires.
pub(super) fn issue(secret: Option<&str>, app: &str, user: &str) -> String {
    let encode = |json: Result<Vec<u8>, serde_json::Error>| {
        // Strings alone: this does not fail.
        BASE64URL_NOPAD.encode(&json.unwrap_or_default())
    };
    let algorithm = if secret.is_some() { "HS256" } else { "none" };
    let header = encode(serde_json::to_vec(&Header {
        alg: algorithm.to_owned(),
    }));
    let claims = Claims {
        iss: app.to_owned(),
        sub: user.to_owned(),
        exp: None,
    };
    let signed = format!("{header}.{}", encode(serde_json::to_vec(&claims)));
    let signature = secret
        .and_then(|secret| mac(secret, &signed))
        .map_or_else(String::new, |mac| {
            BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
        });
    format!("{signed}.{signature}")
}

/// Whether this is the older proof of who somebody is: the hex HMAC-SHA256 of their id, in
/// whatever case.
pub(super) fn is_signature_of(secret: &str, user: &str, signature: &str) -> bool {
    HEXLOWER_PERMISSIVE
        .decode(signature.as_bytes())
        .is_ok_and(|signature| is_signed(secret, user, &signature))
}

fn is_signed(secret: &str, text: &str, signature: &[u8]) -> bool {
    mac(secret, text).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

/// Keys of every length are taken, so there always is one; the type does not know that.
fn mac(secret: &str, text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

fn parts(token: &str) -> Option<(&str, &str, &str)> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Some((header, payload, signature)),
        _ => None,
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    let json = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    serde_json::from_slice(&json).ok()
}
