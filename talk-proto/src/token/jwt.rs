//! JSON Web Tokens in their compact form (RFC 7519), signed with HS256 (RFC 7518, section 3.2).

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::secret::Secret;

/// The one algorithm of the service.
pub(super) const ALGORITHM: &str = "HS256";

/// A token that was taken apart. Nothing of it is checked.
pub(super) struct Jwt<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    pub(super) algorithm: String,
    /// Set if the header names extensions that a verifier must understand.
    pub(super) is_critical: bool,
    pub(super) claims: Map<String, Value>,
}

impl<'a> Jwt<'a> {
    /// Takes a token apart; `None` when it is none.
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

    /// Whether it is signed with this secret, in a time that does not depend on where the
    /// signatures differ.
    pub(super) fn is_signed_with(&self, secret: &Secret) -> bool {
        is_mac(secret, self.signed, &self.signature)
    }
}

/// A token that says this, signed.
pub(super) fn sign(secret: &Secret, claims: &impl Serialize) -> Secret {
    // Claims are texts and numbers: they can be written.
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let header = br#"{"alg":"HS256","typ":"JWT"}"#;
    let header = BASE64URL_NOPAD.encode(header);
    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(&claims));
    let signature = BASE64URL_NOPAD.encode(&mac(secret, &signed));
    Secret::from(format!("{signed}.{signature}"))
}

/// The HMAC-SHA256 of a text.
pub(super) fn mac(secret: &Secret, text: &str) -> Vec<u8> {
    let mac = keyed(secret, text);
    mac.map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Whether this is the HMAC-SHA256 of a text.
pub(super) fn is_mac(secret: &Secret, text: &str, mac: &[u8]) -> bool {
    keyed(secret, text).is_some_and(|keyed| keyed.verify_slice(mac).is_ok())
}

/// Keys of every length are taken, so there always is one; the type does not know that.
fn keyed(secret: &Secret, text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// A part that is a JSON object, as header and claims are.
fn decode(part: &str) -> Option<Map<String, Value>> {
    let json = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    serde_json::from_slice(&json).ok()
}
