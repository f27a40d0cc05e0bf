//! Webhooks over HTTP: a receiver, the control API, restarts, and refused addresses.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes as Body;
use bytes::Bytes;
use data_encoding::HEXUPPER;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use talk_emulator::server::Settings;
use talk_emulator::{
    Emulator, EmulatorBuilder, StartError, WebhookAddressError, WebhookKind, WebhookSettings,
    WebhookState,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{get, json_of, send};

/// A time limit much longer than any step.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A back end that receives webhooks.
struct Receiver {
    url: String,
    /// The status of the answers.
    status: Arc<AtomicU16>,
    received: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let status = Arc::new(AtomicU16::new(200));
        let (sender, received) = mpsc::unbounded_channel();
        let answer = status.clone();
        let router = Router::new().fallback(async move |headers: HeaderMap, body: Body| {
            let _ = sender.send((headers, body));
            let status = StatusCode::from_u16(answer.load(Ordering::Relaxed)).unwrap();
            let location = [("location", "/elsewhere")];
            (status, location, "received")
        });
        tokio::spawn(async { axum::serve(listener, router).await });
        Self {
            url,
            status,
            received,
        }
    }

    fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    async fn next(&mut self) -> (HeaderMap, Bytes) {
        timeout(TIMEOUT, self.received.recv())
            .await
            .unwrap()
            .unwrap()
    }

    fn emulator(&self) -> EmulatorBuilder {
        Emulator::builder().webhooks(WebhookSettings::new(&self.url))
    }
}

async fn create_user(emulator: &Emulator, id: &str) {
    let request = Request::put(format!("/v1/app/users/{id}"))
        .header("authorization", "Bearer any")
        .header("content-type", "application/json")
        .body(Bytes::from(json!({ "name": id }).to_string()))
        .unwrap();
    assert_eq!(send(emulator, request).await.status(), 200);
}

async fn post(emulator: &Emulator, path: &str, body: Value) -> http::Response<Bytes> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    send(emulator, request).await
}

/// Returns the key of the emulator's signatures.
async fn key(emulator: &Emulator) -> String {
    let settings = emulator.settings().await.unwrap();
    settings.webhooks.secret.or(settings.secret).unwrap()
}

fn assert_signed(key: &str, headers: &HeaderMap, body: &[u8]) {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(headers["x-talkjs-timestamp"].as_bytes());
    mac.update(b".");
    mac.update(body);
    let signature = HEXUPPER.encode(&mac.finalize().into_bytes());
    assert_eq!(headers["x-talkjs-signature"], signature);
}

#[tokio::test]
async fn webhook_is_delivered_and_signed() {
    let mut receiver = Receiver::start().await;
    let emulator = receiver.emulator().start().await.unwrap();
    create_user(&emulator, "alice").await;
    let (headers, body) = receiver.next().await;
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["host"], receiver.url[7..receiver.url.len() - 6]);
    assert_signed(&key(&emulator).await, &headers, &body);
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(envelope["type"], "user.created");

    let delivered = emulator.wait_for_webhook(|it| it.state == WebhookState::Delivered);
    let delivered = timeout(TIMEOUT, delivered).await.unwrap().unwrap();
    assert_eq!(delivered.kind, WebhookKind::UserCreated);
    assert_eq!(delivered.json(), envelope);
    assert_eq!(delivered.attempts[0].status, Some(200));
    assert_eq!(delivered.attempts[0].response.as_deref(), Some("received"));
}

#[tokio::test]
async fn redirect_is_a_failure() {
    let mut receiver = Receiver::start().await;
    receiver.answer_with(302);
    let emulator = receiver.emulator().start().await.unwrap();
    create_user(&emulator, "alice").await;
    let (_, first) = receiver.next().await;
    let (_, second) = receiver.next().await;
    assert_eq!(first, second);
    let failed = emulator.wait_for_webhook(|it| it.state == WebhookState::Failed);
    let failed = timeout(TIMEOUT, failed).await.unwrap().unwrap();
    let statuses: Vec<_> = failed.attempts.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [Some(302); 2]);
}

#[tokio::test]
async fn advanced_clock_keeps_attempts_in_flight() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let webhooks = WebhookSettings::new(url);
    let emulator = Emulator::builder().webhooks(webhooks).start();
    let emulator = emulator.await.unwrap();
    create_user(&emulator, "alice").await;
    let (mut stream, _) = listener.accept().await.unwrap();
    emulator
        .advance_clock(Duration::from_secs(3600))
        .await
        .unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    let ended = emulator.wait_for_webhook(|it| it.attempts[0].ended_at.is_some());
    let ended = timeout(TIMEOUT, ended).await.unwrap().unwrap();
    assert_eq!(ended.state, WebhookState::Delivered);
}

#[tokio::test]
async fn refused_connection_is_logged() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = unused.local_addr().unwrap();
    drop(unused);
    let webhooks = WebhookSettings::new(format!("http://{address}/"));
    let emulator = Emulator::builder()
        .webhooks(webhooks)
        .start()
        .await
        .unwrap();
    create_user(&emulator, "alice").await;
    let failed = emulator.wait_for_webhook(|it| it.state == WebhookState::Failed);
    let failed = timeout(TIMEOUT, failed).await.unwrap().unwrap();
    let error = failed.attempts[1].error.as_deref().unwrap();
    assert!(error.contains("cannot connect"), "{error}");
}

#[tokio::test]
async fn pending_webhooks_and_key_survive_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start().await;
    let start =
        async |builder: EmulatorBuilder, folder: &Path| builder.data(folder).start().await.unwrap();
    // No receiver listens at the first address.
    let nowhere = Emulator::builder().webhooks(WebhookSettings::new("http://127.0.0.1:1/"));
    let emulator = start(nowhere, folder.path()).await;
    let first_key = key(&emulator).await;
    create_user(&emulator, "alice").await;
    let attempted = emulator.wait_for_webhook(|it| it.attempts.iter().any(|it| it.error.is_some()));
    let attempted = timeout(TIMEOUT, attempted).await.unwrap().unwrap();
    emulator.shutdown().await;

    let emulator = start(receiver.emulator(), folder.path()).await;
    let (headers, body) = receiver.next().await;
    assert_eq!(body, attempted.body);
    assert_eq!(key(&emulator).await, first_key);
    assert_signed(&first_key, &headers, &body);
    emulator.shutdown().await;

    // A start without webhooks keeps the key.
    let without = Emulator::builder().settings(Settings::default());
    let emulator = start(without, folder.path()).await;
    emulator.shutdown().await;
    let emulator = start(receiver.emulator(), folder.path()).await;
    assert_eq!(key(&emulator).await, first_key);
    emulator.shutdown().await;

    // The stored settings have the address and the key.
    let emulator = start(Emulator::builder(), folder.path()).await;
    assert_eq!(key(&emulator).await, first_key);
    create_user(&emulator, "bob").await;
    let (headers, body) = receiver.next().await;
    assert_signed(&first_key, &headers, &body);
}

#[tokio::test]
async fn foreign_address_needs_permission() {
    let foreign = || Emulator::builder().webhooks(WebhookSettings::new("http://192.0.2.1/hooks"));
    let error = foreign().start().await.unwrap_err();
    assert!(
        matches!(error, StartError::Webhook(WebhookAddressError::NotLocal(_))),
        "{error}"
    );
    foreign().webhook_any().start().await.unwrap();

    let emulator = Emulator::start().await.unwrap();
    let body = json!({ "webhooks": { "url": "http://192.0.2.1/hooks" } });
    let response = post(&emulator, "/_emulator/settings", body).await;
    assert_eq!(response.status(), 400);
    assert_eq!(
        emulator.settings().await.unwrap(),
        Settings {
            origin: emulator.url().to_owned(),
            ..Settings::default()
        }
    );
}

#[tokio::test]
async fn foreign_address_in_settings_is_not_reached() {
    let emulator = Emulator::start().await.unwrap();
    let settings = Settings {
        webhooks: WebhookSettings::new("http://192.0.2.1/hooks"),
        ..Settings::default()
    };
    emulator.set_settings(settings).await.unwrap();
    create_user(&emulator, "alice").await;
    let failed = emulator.wait_for_webhook(|it| it.state == WebhookState::Failed);
    let failed = timeout(TIMEOUT, failed).await.unwrap().unwrap();
    let error = failed.attempts[0].error.as_deref().unwrap();
    assert!(error.contains("--webhook-any"), "{error}");
}

#[tokio::test]
async fn control_starts_webhooks_and_masks_key() {
    let mut receiver = Receiver::start().await;
    let emulator = Emulator::start().await.unwrap();
    let body = json!({ "webhooks": { "url": receiver.url } });
    let response = post(&emulator, "/_emulator/settings", body).await;
    let shown = json_of(&response);
    assert_eq!(shown["webhooks"]["secret"], "***");
    let before = key(&emulator).await;
    // Settings can be written back as they were read.
    assert_eq!(
        json_of(&post(&emulator, "/_emulator/settings", shown.clone()).await),
        shown
    );
    assert_eq!(key(&emulator).await, before);
    create_user(&emulator, "alice").await;
    let (headers, body) = receiver.next().await;
    assert_signed(&before, &headers, &body);
}

#[tokio::test]
async fn control_lists_and_resends_webhooks() {
    let mut receiver = Receiver::start().await;
    let emulator = receiver.emulator().start().await.unwrap();
    for user in ["alice", "bob"] {
        create_user(&emulator, user).await;
        let id = user.to_owned();
        let delivered = emulator.wait_for_webhook(move |it| {
            it.state == WebhookState::Delivered && it.json()["data"]["user"]["id"] == id
        });
        timeout(TIMEOUT, delivered).await.unwrap().unwrap();
        receiver.next().await;
    }
    let list = async |query: &str| {
        let list = get(&emulator, &format!("/_emulator/webhooks{query}")).await;
        json_of(&list)["data"].as_array().unwrap().clone()
    };
    let all = list("").await;
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["type"], "user.created");
    assert_eq!(all[0]["state"], "delivered");
    assert_eq!(all[0]["attempts"][0]["status"], 200);
    assert!(all[0].get("body").is_none());
    assert_eq!(list("?limit=1").await, all[..1]);
    assert_eq!(
        list("?app=app&type=user.created&state=delivered").await,
        all
    );
    assert_eq!(list("?state=failed").await, Vec::<Value>::new());
    for query in ["?state=lost", "?limit=x", "?unknown=1", "?type=user.gone"] {
        let response = get(&emulator, &format!("/_emulator/webhooks{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
    }

    let path = format!("/_emulator/webhooks/{}", all[1]["id"].as_str().unwrap());
    let one = json_of(&get(&emulator, &path).await);
    let body = one["body"].as_str().unwrap();
    assert!(body.contains(r#""id":"alice""#), "{body}");
    let response = post(&emulator, &format!("{path}/resend"), json!({})).await;
    assert_eq!(response.status(), 200);
    let (_, resent) = receiver.next().await;
    assert_eq!(resent, body);
    for path in [
        "/_emulator/webhooks/evt_x",
        "/_emulator/webhooks/evt_x/resend",
    ] {
        let response = match path.ends_with("resend") {
            true => post(&emulator, path, json!({})).await,
            false => get(&emulator, path).await,
        };
        assert_eq!(json_of(&response)["errorCode"], "WEBHOOK_NOT_FOUND");
    }
}
