//! The description of the APIs, compared with a running emulator.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use talk_emulator::Emulator;

use crate::support::{get, json_of, send};

#[tokio::test]
async fn openapi_operations_are_answered() {
    let emulator = Emulator::start().await.unwrap();
    let response = get(&emulator, "/_emulator/openapi.json").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let document = json_of(&response);
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let mut answered = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            // A stream does not end, and the REST API has its own paths.
            if item.get(method).is_none()
                || path == "/_emulator/events"
                || path.starts_with("/_emulator/rest/")
            {
                continue;
            }
            // Every parameter gets the same value.
            let segments = path
                .split('/')
                .map(|segment| match segment.starts_with('{') {
                    true => "x",
                    false => segment,
                });
            let path = segments.collect::<Vec<_>>().join("/");
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&path)
                .header("authorization", "Bearer any")
                .header("content-type", "application/json")
                .body(Bytes::from("{}"))
                .unwrap();
            let response = send(&emulator, request).await;
            let body = String::from_utf8_lossy(response.body()).into_owned();
            assert!(
                response.status().as_u16() != 405
                    && body != "\"Not found\""
                    && !body.contains("ROUTE_NOT_FOUND"),
                "{method} {path}: {} {body}",
                response.status()
            );
            answered += 1;
        }
    }
    assert!(answered > 40, "{answered}");
    assert_eq!(document["info"]["title"], Value::from("talk emulator"));
}
