//! Signatures of webhooks.

use std::time::Duration;

use data_encoding::{HEXLOWER_PERMISSIVE, HEXUPPER};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use talk_proto::{Secret, Timestamp};

use super::event::Event;

/// The header with the time of a webhook.
pub const TIMESTAMP_HEADER: &str = "x-talkjs-timestamp";

/// The header with the signature of a webhook.
pub const SIGNATURE_HEADER: &str = "x-talkjs-signature";

/// The usual tolerance between the time of a webhook and the clock of the receiver.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The least number that is read as a timestamp in milliseconds. A smaller one is in seconds. The
/// documentation of the service does not state the unit.
const MILLISECONDS_FROM: f64 = 1e11;

/// The length of a signature in bytes.
const SIGNATURE_LENGTH: usize = 32;

/// The reason that a webhook was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// A header is missing.
    #[error("the header {name} is missing: the request does not come from the service")]
    MissingHeader {
        /// The name of the header.
        name: &'static str,
    },
    /// The signature is not 64 hexadecimal digits.
    #[error("the signature is not 64 hexadecimal digits")]
    MalformedSignature,
    /// The signature was made with none of the keys.
    #[error(
        "the signature is not made with any of the keys: check that the key is the one of the app \
         for webhooks, and that the body is verified as received, before it is parsed"
    )]
    WrongSignature,
    /// The timestamp is not a number. The signature is right.
    #[error("the timestamp is not a number")]
    MalformedTimestamp,
    /// The webhook is older or newer than the tolerance permits. The signature is right.
    #[error(
        "the webhook is {}s away from the clock of this machine: it was repeated, or the clock is \
         wrong", distance.as_secs()
    )]
    Stale {
        /// The time between the timestamp and the clock, in either direction.
        distance: Duration,
    },
    /// The body is not a JSON object with a `type`. The signature is right.
    #[error("the body is not an event: {cause}")]
    MalformedBody {
        /// The reason.
        cause: String,
    },
}

/// Verifies a webhook and reads its event.
///
/// - `keys` are the secret keys of the app, with their prefix `sk_test_` or `sk_live_`. Any of them
///   may have made the signature. Empty keys are ignored, because anyone can sign with them.
/// - `timestamp` and `signature` are the headers [`TIMESTAMP_HEADER`] and [`SIGNATURE_HEADER`].
/// - `raw_body` is the body as received, before any parsing.
/// - `now` is the wall clock. The webhook must be within `tolerance` of it, in both directions;
///   `None` accepts any time.
///
/// The comparison takes constant time. The hexadecimal digits of the signature may be in either
/// case. An event of an unknown type is [`EventData::Other`](super::EventData::Other), never an
/// error.
///
/// ```
/// use talk_rest::{Secret, Timestamp, webhook};
///
/// let keys = [Secret::from("sk_test_secret")];
/// let body = br#"{"id":"evt_1","type":"user.created","createdAt":1767225600000,"data":{}}"#;
/// let signature = "4702FC6BD901317B93205937644712A5F048742E5E2A6F282660A47C746EA8D7";
/// let event = webhook::verify(
///     &keys,
///     Some(b"1767225600000"),
///     Some(signature.as_bytes()),
///     body,
///     Timestamp::from_millis(1_767_225_601_000), // the wall clock
///     Some(webhook::DEFAULT_TOLERANCE),
/// )?;
/// assert_eq!(event.event_type, "user.created");
/// # Ok::<(), webhook::Rejected>(())
/// ```
///
/// # Errors
/// [`Rejected`].
pub fn verify(
    keys: &[Secret],
    timestamp: Option<&[u8]>,
    signature: Option<&[u8]>,
    raw_body: &[u8],
    now: Timestamp,
    tolerance: Option<Duration>,
) -> Result<Event, Rejected> {
    let present = |header: Option<_>, name| header.ok_or(Rejected::MissingHeader { name });
    let timestamp: &[u8] = present(timestamp, TIMESTAMP_HEADER)?;
    let signature: &[u8] = present(signature, SIGNATURE_HEADER)?;
    let signature = HEXLOWER_PERMISSIVE
        .decode(signature)
        .ok()
        .filter(|bytes| bytes.len() == SIGNATURE_LENGTH)
        .ok_or(Rejected::MalformedSignature)?;
    let keys = keys.iter().filter(|key| !key.expose().is_empty());
    // Without a short circuit, so that the time does not depend on the key.
    let is_signed = keys.fold(false, |found, key| {
        let mac = mac(key, timestamp, raw_body);
        mac.is_some_and(|mac| mac.verify_slice(&signature).is_ok()) | found
    });
    if !is_signed {
        return Err(Rejected::WrongSignature);
    }
    check_time(timestamp, now, tolerance)?;
    Event::parse(raw_body).map_err(|cause| Rejected::MalformedBody { cause })
}

/// Verifies a webhook with its headers; see [`verify`].
///
/// # Errors
/// [`Rejected`].
pub fn verify_headers(
    keys: &[Secret],
    headers: &HeaderMap,
    raw_body: &[u8],
    now: Timestamp,
    tolerance: Option<Duration>,
) -> Result<Event, Rejected> {
    let header = |name| headers.get(name).map(|value| value.as_bytes());
    let (timestamp, signature) = (header(TIMESTAMP_HEADER), header(SIGNATURE_HEADER));
    verify(keys, timestamp, signature, raw_body, now, tolerance)
}

/// Returns the signature of a webhook, for tests of a receiver: upper-case hexadecimal digits.
///
/// ```
/// use talk_rest::webhook;
///
/// let body = br#"{"id":"evt_1","type":"user.created","createdAt":1767225600000,"data":{}}"#;
/// let signature = webhook::sign(&"sk_test_secret".into(), b"1767225600000", body);
/// assert_eq!(signature, "4702FC6BD901317B93205937644712A5F048742E5E2A6F282660A47C746EA8D7");
/// ```
pub fn sign(key: &Secret, timestamp: &[u8], raw_body: &[u8]) -> String {
    let mac = mac(key, timestamp, raw_body).map(|mac| mac.finalize().into_bytes());
    HEXUPPER.encode(&mac.unwrap_or_default())
}

/// Returns the HMAC of a webhook. HMAC accepts keys of every length, so it is always `Some`.
fn mac(key: &Secret, timestamp: &[u8], raw_body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::new_from_slice(key.expose().as_bytes()).ok()?;
    for part in [timestamp, b".", raw_body] {
        mac.update(part);
    }
    Some(mac)
}

fn check_time(
    timestamp: &[u8],
    now: Timestamp,
    tolerance: Option<Duration>,
) -> Result<(), Rejected> {
    let number = std::str::from_utf8(timestamp)
        .ok()
        .and_then(|text| text.parse::<f64>().ok())
        .filter(|number| number.is_finite())
        .ok_or(Rejected::MalformedTimestamp)?;
    let Some(tolerance) = tolerance else {
        return Ok(());
    };
    let millis = match number >= MILLISECONDS_FROM {
        true => number,
        false => number * 1000.0,
    };
    // The cast saturates.
    let sent = Timestamp::from_millis(millis as i64);
    let distance = now.saturating_since(sent).max(sent.saturating_since(now));
    match distance <= tolerance {
        true => Ok(()),
        false => Err(Rejected::Stale { distance }),
    }
}
