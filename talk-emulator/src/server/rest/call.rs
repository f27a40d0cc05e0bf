//! A request of a back end: its query, its body and its version.

use std::fmt::Display;

use http::Method;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use talk_proto::replace_lone_surrogates;

use super::answer::invalid;
use crate::server::http::{BodyTooLarge, HttpRequest, has_json, query_pairs};
use crate::server::refusal::Refusal;
use crate::server::rest_version::RestVersion;

/// The maximum size of a body, in bytes (our choice).
const MAX_BODY: usize = 1024 * 1024;

/// A request without its route.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) query: Query,
    pub(super) body: Box<RawValue>,
    pub(super) version: RestVersion,
}

/// The parameters of a query.
#[derive(Debug, Default)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Call {
    /// Reads a request. An empty body counts as `{}` (our choice).
    pub(super) fn read(request: &HttpRequest, default: RestVersion) -> Result<Self, Refusal> {
        let body = match *request.method() {
            Method::GET => &[][..],
            _ => request.body().as_ref(),
        };
        let is_get = *request.method() == Method::GET;
        let is_cut = !is_get && request.extensions().get::<BodyTooLarge>().is_some();
        if (!body.is_empty() || is_cut) && !has_json(request.headers()) {
            return Err(invalid(
                "INVALID_CONTENT_TYPE",
                "A body needs the header `Content-Type: application/json`.",
            ));
        }
        let version = match request.headers().get("talkjs-rest-version") {
            Some(version) => parse_version(version.to_str().unwrap_or_default())?,
            None => default,
        };
        if body.len() > MAX_BODY || is_cut {
            let reason = format!("A body has up to {MAX_BODY} bytes.");
            return Err(invalid("BODY_TOO_LARGE", reason));
        }
        let body = if body.is_empty() { b"{}" } else { body };
        let no_json =
            |error: &dyn Display| invalid("INVALID_JSON", format!("The body is no JSON: {error}."));
        let body = str::from_utf8(body).map_err(|error| no_json(&error))?;
        let body = replace_lone_surrogates(body);
        let body = serde_json::from_str(&body).map_err(|error| no_json(&error))?;
        let pairs = query_pairs(request);
        let query = Query(pairs.map(|(key, value)| (key.to_owned(), value)).collect());
        Ok(Self {
            query,
            body,
            version,
        })
    }

    /// Returns the body as an object.
    pub(super) fn object(&self, code: &'static str) -> Result<Map<String, Value>, Refusal> {
        self.parse(code, "an object")
    }

    /// Parses the body.
    pub(super) fn parse<'a, T: Deserialize<'a>>(
        &'a self,
        code: &'static str,
        expected: &str,
    ) -> Result<T, Refusal> {
        serde_json::from_str(self.body.get()).map_err(|error| {
            // The body is valid JSON, so that only its depth remains as a syntax error.
            let reason = match error.classify() {
                Category::Syntax => "The body is nested too deep.".to_owned(),
                _ => format!("The body must be {expected}."),
            };
            invalid(code, reason)
        })
    }
}

/// Parses the date of a version.
pub(super) fn parse_version(date: &str) -> Result<RestVersion, Refusal> {
    let date: serde::de::value::StrDeserializer<'_, Error> = date.into_deserializer();
    RestVersion::deserialize(date).map_err(|_| {
        invalid(
            "INVALID_API_VERSION",
            "The header TalkJS-REST-Version names no version: 2021-01-01, 2021-02-09, 2021-07-30 \
             or 2024-01-01.",
        )
    })
}
