use std::fmt;

use bytes::Bytes;
use data_encoding::HEXUPPER;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use sha2::Sha256;
use talk_proto::Timestamp;

/// The ID of an attempt to deliver a webhook, unique within a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookAttemptId(pub(super) u64);

/// A webhook to send. `Debug` does not show the address and the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookRequest {
    /// The address.
    pub url: String,
    /// The value of `X-TalkJS-Timestamp`: unix milliseconds (our choice).
    pub timestamp: String,
    /// The value of `X-TalkJS-Signature`.
    pub signature: String,
    /// The JSON body.
    pub body: String,
}

/// The answer to a webhook. `Debug` does not show the body.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "created by callers")]
pub struct WebhookAnswer {
    /// The status.
    pub status: u16,
    /// The beginning of the body.
    pub body: String,
}

impl WebhookRequest {
    /// Creates a request with the timestamp `now` and its signature.
    pub(super) fn new(url: &str, key: &str, now: Timestamp, body: &str) -> Self {
        let timestamp = now.as_millis().to_string();
        Self {
            url: url.to_owned(),
            signature: sign(key, &timestamp, body),
            timestamp,
            body: body.to_owned(),
        }
    }

    /// Returns the HTTP request.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is no URI.
    pub fn to_http(&self) -> Result<http::Request<Bytes>, http::Error> {
        http::Request::post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header("x-talkjs-timestamp", &self.timestamp)
            .header("x-talkjs-signature", &self.signature)
            .body(self.body.clone().into())
    }
}

/// Returns the upper-case hexadecimal HMAC-SHA256 of `timestamp.body`.
fn sign(key: &str, timestamp: &str, body: &str) -> String {
    // Infallible: every length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    for part in [timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    HEXUPPER.encode(&mac.finalize().into_bytes())
}

impl fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("timestamp", &self.timestamp)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookAnswer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn signature_matches_known_vector() {
        let body = r#"{"id":"evt_1","type":"user.created","createdAt":1767225600000,"data":{}}"#;
        assert_eq!(
            sign("sk_test_secret", "1767225600000", body),
            "4702FC6BD901317B93205937644712A5F048742E5E2A6F282660A47C746EA8D7"
        );
    }
}
