//! The pages of the inspector.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http::{Request, StatusCode};
use talk_emulator::Emulator;

use crate::support::{get, json_of, send, send_as};

#[tokio::test]
async fn inspector_page_and_files_are_served() {
    let emulator = Emulator::start().await.unwrap();
    let page = get(&emulator, "/_emulator/").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let html = String::from_utf8(page.body().to_vec()).unwrap();
    let files: Vec<&str> = html
        .split(['"', '\''])
        .filter(|part| part.starts_with("assets/"))
        .collect();
    assert!(!files.is_empty());
    for file in files {
        let response = get(&emulator, &format!("/_emulator/{file}")).await;
        assert_eq!(response.status(), StatusCode::OK, "{file}");
    }
    let missing = get(&emulator, "/_emulator/assets/missing.js").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(json_of(&missing)["errorCode"], "FILE_NOT_FOUND");
}

#[tokio::test]
async fn inspector_without_slash_is_redirected() {
    let emulator = Emulator::start().await.unwrap();
    let response = get(&emulator, "/_emulator").await;
    assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(response.headers()["location"], "/_emulator/");
}

#[tokio::test]
async fn control_responses_have_security_headers() {
    let emulator = Emulator::start().await.unwrap();
    for path in [
        "/_emulator",
        "/_emulator/",
        "/_emulator/assets/main.js",
        "/_emulator/assets/missing",
        "/_emulator/settings",
        "/_emulator/unknown",
    ] {
        let response = get(&emulator, path).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        let same_origin = ["cross-origin-resource-policy", "cross-origin-opener-policy"];
        for name in same_origin {
            assert_eq!(header(name), "same-origin", "{path}");
        }
        assert_eq!(header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn inspector_under_control_host_needs_no_token() {
    let emulator = Emulator::builder()
        .control_host("talk.internal")
        .control_token("key")
        .start()
        .await
        .unwrap();
    for (host, path, status) in [
        ("talk.internal", "/_emulator/", 200),
        ("talk.internal", "/_emulator/assets/main.js", 200),
        ("talk.internal", "/_emulator/settings", 401),
        ("other.internal", "/_emulator/", 403),
        ("other.internal", "/_emulator", 403),
    ] {
        let request = Request::get(path).body(Bytes::new()).unwrap();
        let response = send_as(&emulator, host, request).await;
        assert_eq!(response.status(), status, "{host} {path}");
    }
    let request = Request::get("/_emulator/")
        .header("sec-fetch-site", "cross-site")
        .body(Bytes::new())
        .unwrap();
    let response = send(&emulator, request).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}
