//! Requests of a back end.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use talk_emulator::server::{
    HttpRequest, Settings, WebhookAnswer, WebhookAttemptId, WebhookRequest, WebhookSettings,
};

use crate::server::support::{Peer, World};

/// Creates a request with a body, unless it is null.
pub(crate) fn request(method: &str, path: &str, body: &Value) -> HttpRequest {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/v1/app{path}"))
        .header("authorization", "Bearer any");
    match body {
        Value::Null => request.body(Bytes::new()),
        body => request
            .header("content-type", "application/json")
            .body(body.to_string().into()),
    }
    .unwrap()
}

/// Signs a token.
pub(crate) fn sign(secret: &str, claims: &Value) -> String {
    let encode = |part: String| BASE64URL_NOPAD.encode(part.as_bytes());
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let signed = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// An address that receives webhooks.
pub(crate) const HOOKS: &str = "http://127.0.0.1:3000/hooks";

impl World {
    /// Creates a world whose server sends webhooks and can be restarted.
    pub(crate) fn hooked() -> Self {
        let mut world = Self::with(Settings {
            secret: None,
            webhooks: WebhookSettings::new(HOOKS),
            ..Settings::default()
        });
        world.restart();
        world
    }

    /// Creates the users and the conversation of [`of_friends`](Self::of_friends), and delivers
    /// their webhooks.
    pub(crate) fn befriend_hooked(&mut self) -> [Peer; 2] {
        let friends = self.befriend();
        self.deliver();
        friends
    }

    /// Takes the webhooks that are not answered yet.
    pub(crate) fn take_webhooks(&mut self) -> Vec<(WebhookAttemptId, WebhookRequest)> {
        self.webhooks.drain(..).collect()
    }

    /// Takes the only webhook that is not answered yet.
    pub(crate) fn take_webhook(&mut self) -> (WebhookAttemptId, WebhookRequest) {
        let mut all = self.take_webhooks();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) fn answer_webhook(&mut self, attempt: WebhookAttemptId, status: u16) {
        let body = format!("status {status}");
        let answer = WebhookAnswer { status, body };
        self.server
            .webhook_answered(self.time(), attempt, Ok(answer));
        self.drain();
    }

    /// Answers all webhooks with status 200, and returns their envelopes.
    pub(crate) fn deliver(&mut self) -> Vec<Value> {
        let mut delivered = Vec::new();
        while let Some((attempt, request)) = self.webhooks.pop_front() {
            delivered.push(serde_json::from_str(&request.body).unwrap());
            self.answer_webhook(attempt, 200);
        }
        delivered
    }

    /// Delivers all webhooks, and returns their types.
    pub(crate) fn delivered_types(&mut self) -> Vec<String> {
        let delivered = self.deliver();
        let kind = |webhook: &Value| webhook["type"].as_str().unwrap().to_owned();
        delivered.iter().map(kind).collect()
    }

    /// Sends a request with a body, unless it is null.
    pub(crate) fn rest(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.http(request(method, path, &body))
    }

    /// Sends a request that must succeed.
    pub(crate) fn done(&mut self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.rest(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Sends a GET request that must succeed.
    pub(crate) fn read(&mut self, path: &str) -> Value {
        self.done("GET", path, Value::Null)
    }

    /// Sends a GET request for a list, and returns the ids of its items.
    pub(crate) fn ids(&mut self, path: &str) -> Vec<String> {
        let list = self.read(path);
        let items = list["data"].as_array().unwrap();
        let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
        items.iter().map(id).collect()
    }

    /// Sends a request that must be refused, and returns the status and the error code.
    pub(crate) fn rejected(&mut self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.rest(method, path, body);
        assert_ne!(status, 200, "{method} {path}: {answer}");
        (status, answer["errorCode"].as_str().unwrap().to_owned())
    }

    /// Creates users with their ids as names.
    pub(crate) fn provision(&mut self, users: &[&str]) {
        for user in users {
            self.done("PUT", &format!("/users/{user}"), json!({ "name": user }));
        }
    }
}
