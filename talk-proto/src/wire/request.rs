//! Requests of the client, before they have a number.

use std::fmt;

use serde::Serialize;

/// What a request does to its path.
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
    /// Every segment is percent-encoded.
    pub(crate) path: String,
    /// The text of a JSON object.
    pub(crate) data: String,
}

impl Request {
    /// A request whose data is `{}`.
    pub(crate) fn bare(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            data: "{}".to_owned(),
        }
    }

    /// A request with data.
    pub(crate) fn new(method: Method, path: String, data: &impl Serialize) -> Self {
        // Our own types have string keys and no failing serializers; `{}` is the answer to what
        // cannot happen.
        let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
        Self::with_json(method, path, data)
    }

    /// Returns a request with serialized data.
    pub(crate) fn with_json(method: Method, path: String, data: String) -> Self {
        Self { method, path, data }
    }
}

/// Method and path: the data may hold tokens and message texts.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_where_to_and_not_what() {
        let data = serde_json::json!({"token": "secret"});
        let request = Request::new(Method::Post, "/session/renew".to_owned(), &data);
        assert_eq!(format!("{request:?}"), "POST /session/renew");
    }
}
