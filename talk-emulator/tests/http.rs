//! HTTP requests to the shell: addresses, refusals, and pages of other origins.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use talk_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{get, json_of, send, try_send};

/// Much longer than any step takes.
const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn cors_preflight_is_answered_on_all_bases() {
    let emulator = Emulator::start().await.unwrap();
    for path in [
        "/public_api/v1/app/files",
        "/public_api/v1/app/me/messages/search",
        "/public_api/v1/app/realtime/alice",
        "/api/v0/app",
        "/api/v0/app//app",
    ] {
        let request = Request::options(path)
            .header("origin", "https://example.com")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,x-talkjs-client-date",
            )
            .body(Bytes::new())
            .unwrap();
        let response = send(&emulator, request).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(
            headers["access-control-allow-headers"],
            "authorization,x-talkjs-client-date"
        );
        assert!(response.body().is_empty());
    }
}

#[tokio::test]
async fn cors_refusal_is_readable() {
    let emulator = Emulator::start().await.unwrap();
    for path in ["/nowhere", "/public_api/v1/app/realtime/alice", "/api/v0"] {
        let response = get(&emulator, path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(json_of(&response)["errorCode"], "ROUTE_NOT_FOUND");
    }
}

#[tokio::test]
async fn root_sends_browsers_to_the_inspector() {
    let emulator = Emulator::start().await.unwrap();
    let root = async |accept: &str| {
        let request = Request::get("/").header("accept", accept);
        send(&emulator, request.body(Bytes::new()).unwrap()).await
    };
    let browser = root("text/html,application/xhtml+xml,*/*;q=0.8").await;
    assert_eq!(browser.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(browser.headers()["location"], "/_emulator/");
    for accept in ["*/*", "application/json"] {
        let program = root(accept).await;
        assert_eq!(program.status(), StatusCode::NOT_FOUND);
        assert_eq!(json_of(&program)["errorCode"], "ROUTE_NOT_FOUND");
    }
}

#[tokio::test]
async fn app_any_id_exists() {
    let emulator = Emulator::start().await.unwrap();
    for path in ["/api/v0/app", "/api/v0/an%20odd%2Fapp%3F"] {
        let response = get(&emulator, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(json_of(&response), serde_json::json!({}));
    }
}

#[tokio::test]
async fn ui_components_app_path_has_two_slashes() {
    let emulator = Emulator::start().await.unwrap();
    let response = get(
        &emulator,
        "/api/v0/my%20app//app?sessionId=1&role_name=default",
    )
    .await;
    assert_eq!(response.status(), StatusCode::OK);
    let app = json_of(&response);
    assert_eq!(app["appMetadata"]["id"], "my app");
    assert_eq!(
        app["features"],
        serde_json::json!(["file_sharing", "location_sharing"])
    );
}

#[tokio::test]
async fn anonymous_token_is_issued_to_any_user() {
    let emulator = Emulator::start().await.unwrap();
    let response = get(&emulator, "/api/v0/app/bokens/a%20b%2Fc?signature=").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(json_of(&response)["boken"].is_string());
}

async fn post(emulator: &Emulator, path: &str, body: impl Into<Bytes>) -> http::Response<Bytes> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap();
    send(emulator, request).await
}

#[tokio::test]
async fn control_settings_change_live() {
    let emulator = Emulator::start().await.unwrap();
    let response = get(&emulator, "/_emulator/settings").await;
    assert_eq!(response.status(), StatusCode::OK);
    let settings = emulator.settings().await.unwrap();
    assert_eq!(json_of(&response), serde_json::to_value(&settings).unwrap());
    assert_eq!(settings.origin, emulator.url());

    let path = "/_emulator/settings";
    let response = post(&emulator, path, r#"{"sync": {"users": false}}"#).await;
    assert_eq!(response.status(), StatusCode::OK);
    let changed = emulator.settings().await.unwrap();
    assert!(!changed.sync.users);
    assert_eq!(changed.sync.conversations, settings.sync.conversations);
    assert_eq!(json_of(&response), serde_json::to_value(&changed).unwrap());

    let response = post(&emulator, path, r#"{"sync": null}"#).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(emulator.settings().await.unwrap(), settings);
}

#[tokio::test]
async fn control_invalid_body_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let settings = emulator.settings().await.unwrap();
    for (path, body) in [
        ("/_emulator/settings", r#"{"unheardOf": true}"#),
        ("/_emulator/settings", r#"{"sync": {"users": "no"}}"#),
        ("/_emulator/settings", "[]"),
        ("/_emulator/settings", r#"{"sync": []}"#),
        ("/_emulator/settings", r#"{"limits": []}"#),
        ("/_emulator/faults", r#"["drop"]"#),
        ("/_emulator/settings", "{"),
        ("/_emulator/faults", "{}"),
        ("/_emulator/faults", r#"{"kind": "earthquake"}"#),
        ("/_emulator/faults", ""),
    ] {
        let response = post(&emulator, path, body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path} {body}");
        assert_eq!(json_of(&response)["errorCode"], "INVALID_REQUEST");
    }
    assert_eq!(emulator.settings().await.unwrap(), settings);
}

#[tokio::test]
async fn control_posted_fault_applies_to_http() {
    let emulator = Emulator::start().await.unwrap();
    let boken = json_of(&get(&emulator, "/api/v0/app/bokens/alice?signature=").await);
    let authorization = format!("Bearer {}", boken["boken"].as_str().unwrap());
    let search = || {
        let request = Request::get("/public_api/v1/app/me/messages/search?searchString=x&limit=3")
            .header("authorization", authorization.as_str())
            .body(Bytes::new())
            .unwrap();
        try_send(&emulator, request)
    };
    let fault = async |fault: &'static str| {
        let answer = post(&emulator, "/_emulator/faults", fault).await;
        assert_eq!(answer.status(), StatusCode::OK);
    };
    assert_eq!(search().await.unwrap().status(), StatusCode::OK);

    fault(r#"{"kind": "429", "path": "/me/messages"}"#).await;
    let busy = search().await.unwrap();
    assert_eq!(busy.status(), 429);
    assert_eq!(busy.headers()["retry-after"], "1");
    assert_eq!(json_of(&busy)["errorCode"], "RATE_LIMITED");
    fault(r#"{"kind": "500", "path": "/me/messages"}"#).await;
    assert_eq!(search().await.unwrap().status(), 500);
    fault(r#"{"kind": "drop", "path": "/me/messages"}"#).await;
    assert!(search().await.is_err());
    fault(r#"{"kind": "slow", "path": "/me/messages", "after_ms": 10}"#).await;
    assert_eq!(search().await.unwrap().status(), StatusCode::OK);
    fault(r#"{"kind": "stall", "path": "/me/messages"}"#).await;
    let stalled = timeout(Duration::from_millis(300), search()).await;
    assert!(stalled.is_err(), "{stalled:?}");
    assert_eq!(search().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn http_large_body_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let bearer = ("authorization", "Bearer any");
    let json = ("content-type", "application/json");
    let text = ("content-type", "text/plain");
    for (path, headers, status, code) in [
        ("/v1/app/users", &[bearer, json][..], 404, ""),
        ("/v1/app/presences", &[json], 401, "UNAUTHORIZED"),
        (
            "/v1/app/presences",
            &[bearer, text],
            400,
            "INVALID_CONTENT_TYPE",
        ),
        ("/v1/app/presences", &[bearer, json], 400, "BODY_TOO_LARGE"),
        (
            "/public_api/v1/app/presences",
            &[bearer, json],
            400,
            "BODY_TOO_LARGE",
        ),
        (
            "/_emulator/rest/app/presences",
            &[json],
            400,
            "BODY_TOO_LARGE",
        ),
        ("/api/v0/app", &[], 413, "BODY_TOO_LARGE"),
    ] {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(vec![b' '; 5 * 1024 * 1024].into());
        let response = send(&emulator, request.unwrap()).await;
        assert_eq!(response.status(), status, "{path} {headers:?}");
        let body = json_of(&response);
        assert_eq!(
            body["errorCode"].as_str().unwrap_or_default(),
            code,
            "{path}"
        );
        if status == 400 && code == "BODY_TOO_LARGE" {
            let reason = body["reasons"][0].as_str().unwrap();
            assert!(reason.contains("1048576"), "{reason}");
        }
    }
}

/// Reads a response with a `Content-Length`, and returns its head.
async fn read_response(stream: &mut TcpStream) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let byte = timeout(TIMEOUT, stream.read_u8()).await.unwrap().unwrap();
        head.push(byte.into());
    }
    let lower = head.to_lowercase();
    let (_, length) = lower.split_once("content-length: ").unwrap();
    let (length, _) = length.split_once("\r\n").unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    head
}

#[tokio::test]
async fn refusal_before_body_keeps_connection() {
    const BODY: usize = 3 << 20;
    let form = "multipart/form-data; boundary=x";
    let json = "application/json";
    let emulator = Emulator::start().await.unwrap();
    for (line, content_type, origin, status) in [
        ("POST /public_api/v1/app/files", form, "", 401),
        ("POST /_emulator/settings", json, "", 413),
        ("POST /_emulator/settings", "text/plain", "", 415),
        ("POST /_emulator/settings", json, "http://example.com", 403),
        ("POST /_emulator/nothing", json, "", 404),
        ("DELETE /_emulator/", json, "", 404),
    ] {
        let mut stream = TcpStream::connect(emulator.host()).await.unwrap();
        let host = emulator.host();
        let origin = match origin {
            "" => String::new(),
            origin => format!("Origin: {origin}\r\n"),
        };
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n{origin}\
             Content-Length: {BODY}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let first = BODY * 3 / 4;
        stream.write_all(&vec![b' '; first]).await.unwrap();
        let head = read_response(&mut stream).await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{line}: {head}"
        );
        stream.write_all(&vec![b' '; BODY - first]).await.unwrap();
        let next = format!("GET /api/v0/app HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(next.as_bytes()).await.unwrap();
        let head = read_response(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{line}: {head}");
    }
}

#[tokio::test]
async fn refusal_of_expected_body_closes_connection() {
    let emulator = Emulator::start().await.unwrap();
    let mut stream = TcpStream::connect(emulator.host()).await.unwrap();
    let head = format!(
        "POST /v1/app/files HTTP/1.1\r\nHost: {}\r\nContent-Length: 5000000\r\n\
         Expect: 100-continue\r\n\r\n",
        emulator.host()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let head = read_response(&mut stream).await.to_lowercase();
    assert!(head.starts_with("http/1.1 401 "), "{head}");
    assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
    let mut rest = Vec::new();
    let end = timeout(TIMEOUT, stream.read_to_end(&mut rest));
    assert_eq!(end.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn cors_preflight_of_rest_needs_loopback_page_or_secret() {
    let emulator = Emulator::start().await.unwrap();
    let preflight = async |origin: &str| {
        let request = Request::options("/v1/app/users/alice")
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization")
            .body(Bytes::new())
            .unwrap();
        let response = send(&emulator, request).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{origin}");
        response
            .headers()
            .contains_key("access-control-allow-origin")
    };
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1:1",
        "http://[::1]",
    ] {
        assert!(preflight(origin).await, "{origin}");
    }
    for origin in [
        "https://example.com",
        "http://localhost.evil.example",
        "null",
    ] {
        assert!(!preflight(origin).await, "{origin}");
    }
    let patch = r#"{"secret": "sk_test_1"}"#;
    post(&emulator, "/_emulator/settings", patch).await;
    assert!(preflight("https://example.com").await);
}

#[tokio::test]
async fn cors_unknown_rest_route_has_no_headers() {
    let emulator = Emulator::start().await.unwrap();
    let response = get(&emulator, "/v1/app/nothing").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.body(), "\"Not found\"");
    let is_cors = |name: &http::HeaderName| name.as_str().starts_with("access-control");
    assert!(!response.headers().keys().any(is_cors));
    let response = get(&emulator, "/v1/app/users/alice").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}
