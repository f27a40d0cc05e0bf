//! A server and a back end that calls it.

use std::time::Duration;

use serde_json::json;
use talk_emulator::server::{Output, Server, Settings, WebhookAnswer, WebhookRequest};
use talk_rest::{
    Api, Call, ConversationParams, Credentials, NewMessage, RestError, Timestamp, UserId,
    UserParams, conversation, put_users,
};

pub(crate) const SECRET: &str = "sk_test_secret";

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) api: Api,
    pub(crate) now: Timestamp,
}

pub(crate) fn id<T: TryFrom<&'static str>>(text: &'static str) -> T {
    T::try_from(text).unwrap_or_else(|_| panic!("{text:?} is no ID"))
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&json!({ "secret": SECRET }))
    }

    /// Creates a world whose server sends webhooks.
    pub(crate) fn hooked() -> Self {
        let webhooks = json!({ "url": "http://127.0.0.1:3000/hooks" });
        Self::with(&json!({ "secret": SECRET, "webhooks": webhooks }))
    }

    pub(crate) fn with(settings: &serde_json::Value) -> Self {
        let settings: Settings = serde_json::from_value(settings.clone()).unwrap();
        let now = Timestamp::from_millis(1_767_225_600_000);
        Self {
            server: Server::new(settings, 7, now),
            api: Api::new("app1", SECRET)
                .unwrap()
                .base("http://127.0.0.1:4000/v1"),
            now,
        }
    }

    /// Creates a world with alice, bob and the conversation `order_1` of both.
    pub(crate) fn of_friends() -> Self {
        Self::new().befriended()
    }

    pub(crate) fn befriended(mut self) -> Self {
        let users = ["alice", "bob"].map(|user| (id(user), UserParams::named(user)));
        self.ok(&put_users(users).unwrap());
        let both: [UserId; 2] = ["alice", "bob"].map(id);
        self.ok(&conversation("order_1")
            .unwrap()
            .put(ConversationParams::of(both)));
        self
    }

    pub(crate) fn credentials(&mut self, credentials: Credentials) {
        self.api = Api::new("app1", credentials)
            .unwrap()
            .base("http://127.0.0.1:4000/v1/");
    }

    pub(crate) fn call<T>(&mut self, call: &Call<T>) -> Result<T, RestError> {
        let request = self.api.request(call, self.now).unwrap();
        let response = self.server.http(self.now, &request);
        call.decode(&response.map(|chunks| chunks.concat()))
    }

    pub(crate) fn ok<T>(&mut self, call: &Call<T>) -> T {
        match self.call(call) {
            Ok(answer) => answer,
            Err(error) => panic!("{call:?}: {error}"),
        }
    }

    /// Makes a call that must be refused, and returns the status and the code.
    pub(crate) fn refused<T>(&mut self, call: &Call<T>) -> (u16, Option<String>) {
        match self.call(call) {
            Err(RestError::Refused(refusal)) => (refusal.status.as_u16(), refusal.error_code),
            Err(error) => panic!("{call:?}: {error}"),
            Ok(_) => panic!("{call:?} was accepted"),
        }
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.server.tick(self.now);
    }

    pub(crate) fn say(&mut self, sender: &'static str, text: &str) -> talk_rest::MessageId {
        let message = NewMessage::user(id(sender), text);
        let call = conversation("order_1").unwrap().send([message]).unwrap();
        self.wait(10);
        self.ok(&call).remove(0).id
    }

    /// Answers all webhooks with status 200, and returns them.
    pub(crate) fn webhooks(&mut self) -> Vec<WebhookRequest> {
        let mut webhooks = Vec::new();
        while let Some(output) = self.server.poll_output() {
            if let Output::SendWebhook { attempt, request } = output {
                let answer = WebhookAnswer {
                    status: 200,
                    body: String::new(),
                };
                self.server.webhook_answered(self.now, attempt, Ok(answer));
                webhooks.push(request);
            }
        }
        webhooks
    }
}
