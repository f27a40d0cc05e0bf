//! JSON Web Tokens in their compact form (RFC 7519), signed with HS256 (RFC 7518, section 3.2).

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::secret::Secret;

/// The only algorithm of the service.
pub(super) const ALGORITHM: &str = "HS256";

/// The parts of a token. No part is verified.
pub(super) struct Jwt<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    pub(super) algorithm: String,
    /// Set if the header names extensions that a verifier must understand.
    pub(super) is_critical: bool,
    pub(super) claims: Map<String, Value>,
}

impl<'a> Jwt<'a> {
    /// Splits and decodes a token; returns `None` if it is malformed.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = decode(header)?;
        Some(Self {
            signed,
            signature: BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?,
            algorithm: header.get("alg")?.as_str()?.to_owned(),
            is_critical: header.contains_key("crit"),
            claims: decode(claims)?,
        })
    }

    /// Returns `true` if the token is signed with this secret. The comparison takes constant time.
    pub(super) fn is_signed_with(&self, secret: &Secret) -> bool {
        is_mac(secret, self.signed, &self.signature)
    }
}

/// Returns a signed token with these claims.
pub(super) fn sign(secret: &Secret, claims: &impl Serialize) -> Secret {
    // Claims are strings and numbers, so serialisation cannot fail.
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let header = br#"{"alg":"HS256","typ":"JWT"}"#;
    let header = BASE64URL_NOPAD.encode(header);
    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(&claims));
    let signature = BASE64URL_NOPAD.encode(&mac(secret, &signed));
    Secret::from(format!("{signed}.{signature}"))
}

/// Returns the HMAC-SHA256 of `text`.
pub(super) fn mac(secret: &Secret, text: &str) -> Vec<u8> {
    let mac = keyed(secret, text);
    mac.map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Returns `true` if `mac` is the HMAC-SHA256 of `text`.
pub(super) fn is_mac(secret: &Secret, text: &str, mac: &[u8]) -> bool {
    keyed(secret, text).is_some_and(|keyed| keyed.verify_slice(mac).is_ok())
}

/// HMAC accepts keys of every length, so the result is always `Some`.
fn keyed(secret: &Secret, text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// Decodes a part that is a JSON object, such as the header or the claims.
fn decode(part: &str) -> Option<Map<String, Value>> {
    let json = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    serde_json::from_slice(&json).ok()
}
