//! Access to the control API, and isolation of uploaded files.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use talk_emulator::server::Settings;
use talk_emulator::{Emulator, StartError};

use crate::support::{get, json_of, send, send_as};

const SETTINGS: &str = "/_emulator/settings";

async fn with_secret() -> Emulator {
    let settings = Settings {
        secret: Some("sk_test_secret".to_owned()),
        ..Settings::default()
    };
    Emulator::builder()
        .settings(settings)
        .start()
        .await
        .unwrap()
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if method == "POST" {
        r#"{"secret": null}"#
    } else {
        ""
    };
    request.body(Bytes::from(body)).unwrap()
}

async fn assert_refused(emulator: &Emulator, response: Response<Bytes>, status: u16, case: &str) {
    assert_eq!(response.status(), status, "{case}");
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin"),
        "{case}"
    );
    let text = String::from_utf8_lossy(response.body()).into_owned();
    assert!(!text.contains("sk_test_secret"), "{case}: {text}");
    let settings = emulator.settings().await.unwrap();
    assert_eq!(settings.secret.as_deref(), Some("sk_test_secret"), "{case}");
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn control_foreign_host_is_refused() {
    let emulator = with_secret().await;
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "10.0.0.1",
        "0.0.0.0",
    ] {
        let host = format!("{host}:{}", emulator.port());
        for method in ["GET", "POST"] {
            let response = send_as(&emulator, &host, request(method, SETTINGS, &[JSON])).await;
            assert_refused(&emulator, response, 403, &host).await;
        }
    }
}

#[tokio::test]
async fn control_loopback_host_is_accepted() {
    let emulator = with_secret().await;
    let port = emulator.port();
    for host in [
        "localhost",
        "LOCALHOST",
        "app.localhost",
        "127.0.0.1",
        "127.1.2.3",
        "[::1]",
    ] {
        let host = format!("{host}:{port}");
        let response = send_as(&emulator, &host, request("GET", SETTINGS, &[])).await;
        assert_eq!(response.status(), StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn control_foreign_page_is_refused() {
    let emulator = with_secret().await;
    let own_port = emulator.port();
    let other_port = format!("http://127.0.0.1:{}", own_port ^ 1);
    for page in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", &other_port),
        ("origin", "http://localhost"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for method in ["GET", "POST"] {
            let response = send(&emulator, request(method, SETTINGS, &[JSON, page])).await;
            assert_refused(&emulator, response, 403, &format!("{method} {page:?}")).await;
        }
    }
}

#[tokio::test]
async fn control_own_page_is_accepted() {
    let emulator = with_secret().await;
    let page = [
        JSON,
        ("origin", emulator.url()),
        ("sec-fetch-site", "same-origin"),
    ];
    let response = send(&emulator, request("POST", SETTINGS, &page)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(emulator.settings().await.unwrap().secret, None);
}

#[tokio::test]
async fn control_change_needs_json() {
    let emulator = with_secret().await;
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "text/plain; application/json")],
    ] {
        let response = send(&emulator, request("POST", SETTINGS, headers)).await;
        assert_refused(&emulator, response, 415, &format!("{headers:?}")).await;
    }
}

#[tokio::test]
async fn control_preflight_is_refused() {
    let emulator = with_secret().await;
    let preflight = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
        ("access-control-request-private-network", "true"),
    ];
    let response = send(&emulator, request("OPTIONS", SETTINGS, &preflight)).await;
    let headers = response.headers().clone();
    assert_refused(&emulator, response, 403, "preflight").await;
    assert!(
        !headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    );
}

#[tokio::test]
async fn control_host_needs_token() {
    let named = || Emulator::builder().control_host("talk.internal");
    let error = named().start().await.unwrap_err();
    assert!(matches!(error, StartError::ControlToken), "{error}");
    let error = named().control_token("").start().await.unwrap_err();
    assert!(matches!(error, StartError::ControlToken), "{error}");

    let emulator = named().control_token("key").start().await.unwrap();
    for (host, authorization, status) in [
        ("talk.internal", "Bearer key", 200),
        ("TALK.internal:8080", "bearer key", 200),
        ("talk.internal", "Bearer kex", 401),
        ("talk.internal", "Bearer ", 401),
        ("other.internal", "Bearer key", 403),
    ] {
        let headers = [("authorization", authorization)];
        let response = send_as(&emulator, host, request("GET", SETTINGS, &headers)).await;
        assert_eq!(response.status(), status, "{host} {authorization}");
    }
    let response = send_as(&emulator, "talk.internal", request("GET", SETTINGS, &[])).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn control_settings_mask_secret() {
    let emulator = with_secret().await;
    let response = get(&emulator, SETTINGS).await;
    let shown = json_of(&response);
    assert_eq!(shown["secret"], "***");
    assert_eq!(response.headers()["cache-control"], "no-store");
    // Settings can be written back as they were read.
    let request = Request::post(SETTINGS)
        .header(JSON.0, JSON.1)
        .body(Bytes::from(shown.to_string()))
        .unwrap();
    let response = send(&emulator, request).await;
    assert_eq!(json_of(&response), shown);
    let secret = emulator.settings().await.unwrap().secret;
    assert_eq!(secret.as_deref(), Some("sk_test_secret"));
}

#[tokio::test]
async fn control_null_origin_is_own_address() {
    let emulator = Emulator::start().await.unwrap();
    let post = async |body: serde_json::Value| {
        let request = Request::post(SETTINGS)
            .header(JSON.0, JSON.1)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        json_of(&send(&emulator, request).await)["origin"].clone()
    };
    assert_eq!(
        post(json!({ "origin": "https://x.example" })).await,
        "https://x.example"
    );
    assert_eq!(post(json!({ "origin": null })).await, emulator.url());
}

#[tokio::test]
async fn control_get_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    for path in [
        "/_emulator/reset",
        "/_emulator/act?app=app",
        "/_emulator/unknown",
    ] {
        let response = get(&emulator, path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(json_of(&response)["errorCode"], "ROUTE_NOT_FOUND");
    }
}
