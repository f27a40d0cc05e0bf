//! No page of another origin can read or change anything with the control API. Every request of the
//! description is tried; another test compares the description with the table of routes.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::Value;
use talk_emulator::server::Settings;
use talk_emulator::{Emulator, Seed};

use crate::support::{Socket, get, json_of, send, send_as};

/// Values that no response may contain.
const SECRETS: [&str; 3] = ["sk_test_secret", "Alice-name", "seeded-text"];

async fn emulator() -> Emulator {
    let settings = Settings {
        secret: Some("sk_test_secret".to_owned()),
        ..Settings::default()
    };
    let data = Seed::new("app")
        .user("alice", "Alice-name")
        .conversation("lobby", ["alice"])
        .message("lobby", "alice", "seeded-text");
    Emulator::builder()
        .settings(settings)
        .initial_data(data)
        .start()
        .await
        .unwrap()
}

/// Returns the methods and paths of all control requests, with values that exist.
async fn requests(emulator: &Emulator) -> Vec<(String, String)> {
    let document = json_of(&get(emulator, "/_emulator/openapi.json").await);
    let mut requests = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/_emulator") {
            continue;
        }
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() {
                let path = path
                    .replace("{app}/{path}", "app/users/alice")
                    .replace("{app}", "app")
                    .replace("{file}", "main.js")
                    .replace("{name}", "saved")
                    .replace("{id}", "0");
                requests.push((method.to_uppercase(), path));
            }
        }
    }
    assert!(requests.len() > 30, "{requests:?}");
    requests
}

/// A body that changes data in one of the requests.
const BODY: &str = r#"{"secret": null, "kind": "drop", "advanceMs": 1000, "app": "app",
    "user": "alice", "method": "PUT", "path": "/users/alice", "data": {"name": "changed"}}"#;

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = match method {
        "GET" | "HEAD" | "OPTIONS" => "",
        _ => BODY,
    };
    request.body(Bytes::from(body)).unwrap()
}

fn assert_refused(response: &Response<Bytes>, status: StatusCode, case: &str) {
    assert_eq!(response.status(), status, "{case}");
    let mut headers = response.headers().keys();
    let has_cors = headers.any(|name| name.as_str().starts_with("access-control-"));
    assert!(!has_cors, "{case}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let same_origin = &response.headers()["cross-origin-resource-policy"];
    assert_eq!(same_origin, "same-origin", "{case}");
    let policy = response.headers()["content-security-policy"].to_str();
    assert!(policy.unwrap().contains("frame-ancestors 'none'"), "{case}");
    let body = String::from_utf8_lossy(response.body());
    for secret in SECRETS {
        assert!(!body.contains(secret), "{case}: {body}");
    }
}

/// Returns the observable state: settings, data, faults and connections.
async fn state(emulator: &Emulator) -> (Settings, Value, Value, Value, Value) {
    let snapshot = emulator.snapshot().await.unwrap();
    let faults = json_of(&get(emulator, "/_emulator/faults").await);
    let connections = json_of(&get(emulator, "/_emulator/connections").await);
    let snapshots = json_of(&get(emulator, "/_emulator/snapshots").await);
    (
        emulator.settings().await.unwrap(),
        serde_json::to_value(snapshot).unwrap(),
        faults,
        connections,
        snapshots,
    )
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn control_pages_of_other_origins_are_refused() {
    let emulator = emulator().await;
    let _socket = Socket::open(&emulator, "app", "alice").await;
    let other_port = format!("http://127.0.0.1:{}", emulator.port() ^ 1);
    // A page, an opaque page (a sandboxed frame or a file), another local server, an image or a
    // script of another site, a frame, and an uploaded file, which is served as an opaque page.
    let pages: [&[(&str, &str)]; 8] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", &other_port)],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "image"),
        ],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "script"),
        ],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "iframe"),
        ],
        &[
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-mode", "no-cors"),
        ],
    ];
    let before = state(&emulator).await;
    for (method, path) in requests(&emulator).await {
        for page in pages {
            let mut headers = page.to_vec();
            headers.push(JSON);
            let response = send(&emulator, request(&method, &path, &headers)).await;
            let case = format!("{method} {path} {page:?}");
            assert_refused(&response, StatusCode::FORBIDDEN, &case);
        }
    }
    assert_eq!(state(&emulator).await, before);
}

#[tokio::test]
async fn control_rebound_host_names_are_refused() {
    let emulator = emulator().await;
    let port = emulator.port();
    let before = state(&emulator).await;
    for (method, path) in requests(&emulator).await {
        for name in ["evil.example", "127.0.0.1.evil.example", "0.0.0.0"] {
            let host = format!("{name}:{port}");
            // The page of a rebound name has that name as its origin.
            let origin = format!("http://{host}");
            let headers = [
                JSON,
                ("origin", &*origin),
                ("sec-fetch-site", "same-origin"),
            ];
            let response = send_as(&emulator, &host, request(&method, &path, &headers)).await;
            let case = format!("{method} {path} {host}");
            assert_refused(&response, StatusCode::FORBIDDEN, &case);
        }
    }
    assert_eq!(state(&emulator).await, before);
}

#[tokio::test]
async fn control_forms_and_simple_requests_are_refused() {
    let emulator = emulator().await;
    let before = state(&emulator).await;
    for (method, path) in requests(&emulator).await {
        if method == "GET" {
            continue;
        }
        // The types that need no preflight.
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
        ] {
            let headers: Vec<_> = content_type
                .map(|it| ("content-type", it))
                .into_iter()
                .collect();
            let response = send(&emulator, request(&method, &path, &headers)).await;
            let case = format!("{method} {path} {content_type:?}");
            assert_refused(&response, StatusCode::UNSUPPORTED_MEDIA_TYPE, &case);
        }
    }
    assert_eq!(state(&emulator).await, before);
}

#[tokio::test]
async fn control_preflights_are_refused() {
    let emulator = emulator().await;
    for (method, path) in requests(&emulator).await {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            let preflight = [
                ("origin", origin),
                ("access-control-request-method", &*method),
                ("access-control-request-headers", "content-type"),
                ("access-control-request-private-network", "true"),
            ];
            let response = send(&emulator, request("OPTIONS", &path, &preflight)).await;
            let case = format!("{method} {path} {origin}");
            assert_refused(&response, StatusCode::FORBIDDEN, &case);
        }
    }
}

#[tokio::test]
async fn control_get_leaves_data_unchanged() {
    let emulator = emulator().await;
    let before = state(&emulator).await;
    for (method, path) in requests(&emulator).await {
        // The stream of events does not end.
        if method == "GET" && path != "/_emulator/events" {
            get(&emulator, &path).await;
        }
        // Another method than those of the path.
        send(&emulator, request("HEAD", &path, &[])).await;
    }
    assert_eq!(state(&emulator).await, before);
}
