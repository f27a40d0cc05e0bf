//! Uploads of files as forms, and downloads of whole files and ranges from the URL in their block.

#![allow(clippy::unwrap_used)]

use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use talk_emulator::Emulator;
use talk_emulator::server::{Fault, FaultKind, Role, Settings};

use crate::support::{Socket, change, get, json_of, ok, read, send, try_send};

const BOUNDARY: &str = "----boundary";

fn pattern(length: usize) -> Bytes {
    (0..length).map(|i| (i % 251) as u8).collect()
}

/// Returns the form that a browser would send for this file.
fn form(filename: &str, content_type: &str, bytes: &[u8], texts: &[(&str, &str)]) -> Bytes {
    let mut body = BytesMut::new();
    body.put_slice(
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; \
             filename=\"{filename}\"\r\nContent-Type: {content_type}\r\n\r\n"
        )
        .as_bytes(),
    );
    body.put_slice(bytes);
    for (name, value) in texts {
        body.put_slice(
            format!(
                "\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}"
            )
            .as_bytes(),
        );
    }
    body.put_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body.freeze()
}

async fn upload(emulator: &Emulator, body: Bytes) -> http::Response<Bytes> {
    try_upload(emulator, body).await.unwrap()
}

async fn try_upload(emulator: &Emulator, body: Bytes) -> hyper::Result<http::Response<Bytes>> {
    let boken = json_of(&get(emulator, "/api/v0/app/bokens/alice?signature=").await);
    let request = Request::post("/public_api/v1/app/files")
        .header(
            "authorization",
            format!("Bearer {}", boken["boken"].as_str().unwrap()),
        )
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(body)
        .unwrap();
    try_send(emulator, request).await
}

/// Sends an uploaded file as a message and returns the block that its receiver sees.
async fn block_of(emulator: &Emulator, uploaded: &http::Response<Bytes>) -> Value {
    assert_eq!(uploaded.status(), StatusCode::OK, "{uploaded:?}");
    let token = json_of(uploaded)["fileToken"].clone();
    let mut alice = Socket::ready(emulator, "app", "alice").await;
    alice
        .call("PUT", "/users/alice", json!({ "name": "Alice" }))
        .await;
    alice.call("PUT", "/conversations/c", json!({})).await;
    let join = json!({ "actions": [{ "id": "alice", "method": "PUT", "params": {} }] });
    alice
        .call("POST", "/conversations/c/participants", join)
        .await;
    let send = json!({
        "content": [{ "type": "file", "fileToken": token }],
        "idempotencyKey": token,
    });
    let (status, sent) = alice.call("POST", "/conversations/c/messages", send).await;
    assert_eq!(status, 200, "{sent}");
    let path = format!(
        "/me/conversations/c/messages/{}",
        sent["id"].as_str().unwrap()
    );
    let (_, message) = alice.call("GET", &path, json!({})).await;
    message["content"][0].clone()
}

fn path_of(emulator: &Emulator, block: &Value) -> String {
    let url = block["url"].as_str().unwrap();
    url.strip_prefix(emulator.url()).unwrap().to_owned()
}

#[tokio::test]
async fn upload_any_size_round_trips() {
    for size in [0, 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000] {
        let emulator = Emulator::start().await.unwrap();
        let bytes = pattern(size);
        let uploaded = upload(&emulator, form("a.bin", "application/x-thing", &bytes, &[])).await;
        let block = block_of(&emulator, &uploaded).await;
        assert_eq!(block["size"], size);
        let downloaded = get(&emulator, &path_of(&emulator, &block)).await;
        assert_eq!(downloaded.status(), StatusCode::OK);
        assert_eq!(downloaded.headers()["content-type"], "application/x-thing");
        assert_eq!(downloaded.headers()["accept-ranges"], "bytes");
        assert_eq!(downloaded.headers()["access-control-allow-origin"], "*");
        assert!(*downloaded.body() == bytes, "{size} bytes differ");
    }
}

#[tokio::test]
async fn download_range_returns_part() {
    for size in [1_000_u64, 3_000_000] {
        let emulator = Emulator::start().await.unwrap();
        let bytes = pattern(size as usize);
        let uploaded = upload(&emulator, form("a.bin", "video/mp4", &bytes, &[])).await;
        let path = path_of(&emulator, &block_of(&emulator, &uploaded).await);
        let ranged = |range: String| {
            let request = Request::get(path.as_str())
                .header("range", range)
                .body(Bytes::new())
                .unwrap();
            send(&emulator, request)
        };

        let middle = ranged("bytes=100-899".to_owned()).await;
        assert_eq!(middle.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(middle.body(), &bytes[100..900]);
        assert_eq!(
            middle.headers()["content-range"],
            format!("bytes 100-899/{size}")
        );

        let end = ranged("bytes=-10".to_owned()).await;
        assert_eq!(end.body(), &bytes[bytes.len() - 10..]);

        let beyond = ranged(format!("bytes={size}-")).await;
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(beyond.headers()["content-range"], format!("bytes */{size}"));
        assert_eq!(beyond.headers()["access-control-allow-origin"], "*");

        let head = Request::head(path.as_str()).body(Bytes::new()).unwrap();
        let head = send(&emulator, head).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(head.headers()["content-length"], size.to_string());
        assert!(head.body().is_empty());
    }
}

#[tokio::test]
async fn file_block_contains_form_fields() {
    let emulator = Emulator::start().await.unwrap();
    let texts = [
        ("subtype", "video"),
        ("width", "640"),
        ("height", "480"),
        ("duration", "2.5"),
    ];
    let filename = "%22été 100%25%22.mp4";
    let uploaded = upload(&emulator, form(filename, "video/mp4", b"x", &texts)).await;
    let block = block_of(&emulator, &uploaded).await;
    assert_eq!(block["filename"], "\"été 100%25\".mp4");
    assert_eq!(block["subtype"], "video");
    assert_eq!(block["width"], 640);
    assert_eq!(block["height"], 480);
    assert_eq!(block["duration"], 2.5);
    let url = block["url"].as_str().unwrap();
    assert!(
        url.ends_with("/%22%C3%A9t%C3%A9%20100%2525%22.mp4"),
        "{url}"
    );
    let downloaded = get(&emulator, &path_of(&emulator, &block)).await;
    assert_eq!(downloaded.body(), "x");
}

#[tokio::test]
async fn upload_invalid_form_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let whole = form("a.txt", "text/plain", b"some bytes", &[]);
    let cut = whole.slice(..whole.len() - 20);
    let no_file = Bytes::from(format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"subtype\"\r\n\r\nimage\r\n\
         --{BOUNDARY}--\r\n"
    ));
    let no_number = form("a.png", "image/png", b"x", &[("width", "wide")]);
    let endless = form(
        "a.png",
        "image/png",
        b"x",
        &[("subtype", &"x".repeat(9_000))],
    );
    let invalid = [
        ("subtype", "gif"),
        ("subtype", ""),
        ("width", "-1"),
        ("height", "NaN"),
        ("duration", "-0.5"),
    ];
    for text in invalid {
        let body = form("a.png", "image/png", b"x", &[text]);
        let response = upload(&emulator, body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{text:?}");
        assert_eq!(json_of(&response)["errorCode"], "INVALID_FILE", "{text:?}");
    }
    for body in [Bytes::new(), cut, no_file, no_number, endless] {
        let response = upload(&emulator, body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{response:?}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert!(json_of(&response)["errorCode"].is_string());
    }
}

#[tokio::test]
async fn download_unknown_file_is_404() {
    let emulator = Emulator::start().await.unwrap();
    let uploaded = upload(&emulator, form("a.txt", "text/plain", b"x", &[])).await;
    let path = path_of(&emulator, &block_of(&emulator, &uploaded).await);
    let other = path.replace("a.txt", "").replace(
        path.split('/').nth_back(1).unwrap_or_default(),
        "nosuchtoken",
    );
    let response = get(&emulator, &other).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn upload_fault_drops_connection_midway() {
    let emulator = Emulator::start().await.unwrap();
    let fault = Fault::new(FaultKind::Drop).user("alice").path("/files");
    emulator.inject(fault).await.unwrap();
    let body = form("a.bin", "video/mp4", &pattern(20_000_000), &[]);
    assert!(try_upload(&emulator, body.clone()).await.is_err());
    assert_eq!(upload(&emulator, body).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn download_html_is_sandboxed() {
    let emulator = Emulator::start().await.unwrap();
    let page = Bytes::from_static(b"<script>fetch('/_emulator/settings')</script>");
    let uploaded = upload(&emulator, form("x.html", "text/html", &page, &[])).await;
    let block = block_of(&emulator, &uploaded).await;
    let url = block["url"].as_str().unwrap();
    let response = get(&emulator, url.strip_prefix(emulator.url()).unwrap()).await;
    assert_eq!(response.body(), &page);
    let headers = response.headers();
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("sandbox; default-src 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("allow-"), "{policy}");
}

#[tokio::test]
async fn download_dot_filename_resolves() {
    for name in [".", ".."] {
        let emulator = Emulator::start().await.unwrap();
        let bytes = pattern(10);
        let uploaded = upload(&emulator, form(name, "image/png", &bytes, &[])).await;
        let block = block_of(&emulator, &uploaded).await;
        assert_eq!(block["filename"], name);
        let url = block["url"].as_str().unwrap();
        assert!(url.ends_with("/file"), "{url}");
        let response = get(&emulator, url.strip_prefix(emulator.url()).unwrap()).await;
        assert_eq!(response.body(), &bytes);
    }
}

/// Browsers send the names `a".txt` and `a%22.txt` alike.
#[tokio::test]
async fn equal_wire_names_keep_both_files() {
    let folder = tempfile::tempdir().unwrap();
    let persisted = Emulator::builder().data(folder.path()).start();
    let emulators = [Emulator::start().await, persisted.await];
    for emulator in emulators.map(Result::unwrap) {
        let mut files = Vec::new();
        for bytes in [pattern(10), pattern(20)] {
            let uploaded = upload(&emulator, form("a%22.txt", "text/plain", &bytes, &[])).await;
            let block = block_of(&emulator, &uploaded).await;
            assert_eq!(block["filename"], "a\".txt");
            files.push((path_of(&emulator, &block), bytes));
        }
        for (path, bytes) in files {
            let folder = path.strip_suffix("/a%22.txt").unwrap();
            for name in ["a%22.txt", "a%2522.txt"] {
                let response = get(&emulator, &format!("{folder}/{name}")).await;
                assert_eq!(response.body(), &bytes, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn filename_backslashes_are_kept() {
    let emulator = Emulator::start().await.unwrap();
    for (on_wire, name) in [
        ("a\\", "a\\"),
        ("a\\\\", "a\\\\"),
        ("\\", "\\"),
        ("a\\b.txt", "a\\b.txt"),
        ("a\\%22.txt", "a\\\".txt"),
        ("a; filename=b\\", "a; filename=b\\"),
    ] {
        let uploaded = upload(&emulator, form(on_wire, "text/plain", b"x", &[])).await;
        let block = block_of(&emulator, &uploaded).await;
        assert_eq!(block["filename"], name, "{on_wire}");
        let response = get(&emulator, &path_of(&emulator, &block)).await;
        assert_eq!(response.body(), "x", "{on_wire}");
    }
}

#[tokio::test]
async fn upload_of_back_end_names_file_in_part() {
    let settings = Settings {
        secret: Some("sk_test_1".to_owned()),
        roles: [("default".to_owned(), no_files())].into(),
        ..Settings::default()
    };
    let emulator = Emulator::builder()
        .settings(settings)
        .start()
        .await
        .unwrap();
    for (key, path, status) in [
        ("sk_test_1", "/v1/app/files", StatusCode::OK),
        ("sk_test_1", "/public_api/v1/app/files", StatusCode::OK),
        ("sk_test_2", "/v1/app/files", StatusCode::UNAUTHORIZED),
    ] {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {key}"))
            .header(
                "content-type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(form("blob", "text/plain", b"x", &[("filename", "a b.txt")]))
            .unwrap();
        let response = send(&emulator, request).await;
        assert_eq!(response.status(), status, "{key} {path}");
        if status != StatusCode::OK {
            continue;
        }
        let uploaded = json_of(&response);
        assert_eq!(uploaded["attachmentToken"], uploaded["fileToken"]);
        let token = uploaded["fileToken"].as_str().unwrap();
        let file = get(&emulator, &format!("/v1/app/files/{token}/a%20b.txt")).await;
        assert_eq!(file.body(), "x");
    }
}

fn no_files() -> Role {
    Role {
        file_sharing: false,
        ..Role::default()
    }
}

#[tokio::test]
async fn upload_above_limit_is_refused() {
    let limits = json!({ "limits": { "maxFileSize": 1000 } });
    let settings: Settings = serde_json::from_value(limits).unwrap();
    let emulator = Emulator::builder().settings(settings).start();
    let emulator = emulator.await.unwrap();
    let largest = form("a.bin", "video/mp4", &pattern(1000), &[]);
    assert_eq!(upload(&emulator, largest).await.status(), StatusCode::OK);
    let larger = form("a.bin", "video/mp4", &pattern(1001), &[]);
    let response = upload(&emulator, larger).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json_of(&response)["errorCode"], "FILE_TOO_LARGE");
}

#[tokio::test]
async fn upload_path_may_end_in_a_slash() {
    let emulator = Emulator::start().await.unwrap();
    for path in ["/v1/app/files/", "/public_api/v1/app/files/"] {
        let request = Request::post(path)
            .header("authorization", "Bearer any")
            .header(
                "content-type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(form("a.txt", "text/plain", b"x", &[]))
            .unwrap();
        let response = send(&emulator, request).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn download_takes_get_and_head_only() {
    let emulator = Emulator::start().await.unwrap();
    let uploaded = upload(&emulator, form("a.txt", "text/plain", b"x", &[])).await;
    let path = path_of(&emulator, &block_of(&emulator, &uploaded).await);
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let request = Request::builder().method(method).uri(path.as_str());
        let response = send(&emulator, request.body(Bytes::new()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method}");
        assert_ne!(response.body(), "x", "{method}");
    }
}

/// Uploads a file to an emulator, and returns its block and a snapshot with it.
async fn exported(bytes: &[u8]) -> (String, Value) {
    let emulator = Emulator::start().await.unwrap();
    let uploaded = upload(&emulator, form("a.bin", "text/plain", bytes, &[])).await;
    let block = block_of(&emulator, &uploaded).await;
    ok(&emulator, "POST", "/snapshots/a/save", json!({})).await;
    let without = read(&emulator, "/snapshots/a?files=false").await;
    assert_eq!(without["files"], json!({}));
    let snapshot = read(&emulator, "/snapshots/a").await;
    assert_eq!(without["records"], snapshot["records"]);
    let refused = get(&emulator, "/_emulator/snapshots/a?files=maybe").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    (path_of(&emulator, &block), snapshot)
}

#[tokio::test]
async fn snapshot_moves_contents_of_files() {
    let folder = tempfile::tempdir().unwrap();
    for size in [0, 2_000_000] {
        let bytes = pattern(size);
        let (path, snapshot) = exported(&bytes).await;
        let persisted = || Emulator::builder().data(folder.path());
        for second in [Emulator::builder(), persisted()] {
            let second = second.start().await.unwrap();
            // The second import finds the contents.
            for _ in 0..2 {
                ok(&second, "PUT", "/snapshots/x", snapshot.clone()).await;
            }
            ok(&second, "POST", "/snapshots/x/restore", json!({})).await;
            let downloaded = get(&second, &path).await;
            assert_eq!(downloaded.status(), StatusCode::OK);
            assert!(*downloaded.body() == bytes, "{size} bytes differ");
            assert_eq!(downloaded.headers()["content-type"], "text/plain");
            second.shutdown().await;
        }
        let restarted = persisted().start().await.unwrap();
        assert!(*get(&restarted, &path).await.body() == bytes);
        restarted.shutdown().await;
    }
}

#[tokio::test]
async fn snapshot_with_wrong_contents_is_refused() {
    let (_, snapshot) = exported(&pattern(1000)).await;
    let files = snapshot["files"].as_object().unwrap();
    let (token, contents) = files.iter().next().unwrap();
    let second = Emulator::start().await.unwrap();
    for files in [
        json!({ token: "%" }),
        json!({ token: "AAAA" }),
        json!({ "../../secret": contents }),
        json!({ token: 1 }),
    ] {
        let mut wrong = snapshot.clone();
        wrong["files"] = files;
        let refused = change(&second, "PUT", "/snapshots/x", &wrong).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    let foreign = snapshot.to_string().replace(&**token, "../talk.sqlite");
    let foreign: Value = serde_json::from_str(&foreign).unwrap();
    let refused = change(&second, "PUT", "/snapshots/x", &foreign).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(read(&second, "/snapshots").await["data"], json!([]));
}

#[tokio::test]
async fn snapshot_with_foreign_token_reads_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, snapshot) = exported(&pattern(10)).await;
    let token = snapshot["files"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap();
    let text = snapshot.to_string().replace(&**token, "../talk.sqlite");
    let mut hostile: Value = serde_json::from_str(&text).unwrap();
    hostile["files"] = json!({});
    let emulator = Emulator::builder().data(folder.path());
    let emulator = emulator.start().await.unwrap();
    ok(&emulator, "PUT", "/snapshots/x", hostile).await;
    ok(&emulator, "POST", "/snapshots/x/restore", json!({})).await;
    let path = path.replace(&**token, "..%2Ftalk.sqlite");
    let response = get(&emulator, &path).await;
    assert_ne!(response.status(), StatusCode::OK);
    assert!(!response.body().starts_with(b"SQLite"));
}
