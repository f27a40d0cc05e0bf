//! JSON from arguments, files and standard input.

use serde::de::DeserializeOwned;
use talk_proto::replace_lone_surrogates;

/// Reads JSON. Each unpaired surrogate becomes U+FFFD, as in data of the server. JavaScript writes
/// unpaired surrogates if a string was cut within a character.
pub(crate) fn from_str<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    serde_json::from_str(&replace_lone_surrogates(json))
}

/// Reads JSON like [`from_str`]. Invalid UTF-8 is an error.
pub(crate) fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(json) => from_str(json),
        Err(_) => serde_json::from_slice(json),
    }
}
