//! Requests about the app.

use serde_json::json;

use crate::server::reply::{Reply, reply};
use crate::server::request_cx::RequestCx;

/// `GET /`. The name is the app's ID (our choice).
pub(super) fn get(cx: &RequestCx<'_>) -> Reply {
    reply(&json!({
        "id": cx.app,
        "name": cx.app,
        "defaultLocale": "en-US",
        "custom": {},
    }))
}
