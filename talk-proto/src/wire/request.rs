//! Requests of the client without their number.

use std::fmt;

use serde::Serialize;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Subscribe,
    Unsubscribe,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
        })
    }
}

/// A request: a method on a path with its data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path with percent-encoded segments.
    pub(crate) path: String,
    /// The data, a serialised JSON object.
    pub(crate) data: String,
}

impl Request {
    /// Creates a request with `{}` as its data.
    pub(crate) fn bare(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            data: "{}".to_owned(),
        }
    }

    /// Creates a request with data.
    pub(crate) fn new(method: Method, path: String, data: &impl Serialize) -> Self {
        // Serialisation cannot fail for types of this crate, which have string keys and no failing
        // serializers.
        let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
        Self::with_json(method, path, data)
    }

    /// Creates a request with serialised data.
    pub(crate) fn with_json(method: Method, path: String, data: String) -> Self {
        Self { method, path, data }
    }
}

/// Shows the method and the path only, because the data may contain tokens and message texts.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_debug_shows_path_and_hides_body() {
        let data = serde_json::json!({"token": "secret"});
        let request = Request::new(Method::Post, "/session/renew".to_owned(), &data);
        assert_eq!(format!("{request:?}"), "POST /session/renew");
    }
}
