//! How the server, the network and the application answer.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::data;
use super::log::Request;

/// What the server does about a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It answers with a status and a body.
    Reply(u16, Value),
    /// It answers so after a while.
    Late(Duration, u16, Value),
    /// It says nothing, now and ever.
    Silence,
    /// It sends these texts, whatever they are.
    Raw(Vec<String>),
    /// It closes the connection, having carried the request out or not.
    Drop,
}

impl Answer {
    pub(crate) fn ok() -> Self {
        Self::Reply(200, json!({}))
    }

    pub(crate) fn refuse(status: u16, code: &str) -> Self {
        Self::Reply(status, json!({"errorCode": code, "reasons": ["because"]}))
    }
}

/// What becomes of attempts to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// They succeed after so long.
    Up(Duration),
    /// They fail at once.
    Refuse,
    /// Nothing comes of them.
    Hang,
}

/// How the application answers when it is asked for a token. The n-th token is `token-n`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// With a token after so long.
    After(Duration),
    Fails,
    FailsAfter(Duration),
    NeverAnswers,
}

type Rule = Box<dyn FnMut(&Request) -> Option<Answer>>;
type HttpRule = Box<dyn FnMut(&str) -> Option<Option<(u16, Value)>>>;

/// The rules by which the world answers. Those that were added last are asked first.
#[derive(Default)]
pub(crate) struct Script {
    rules: Vec<Rule>,
    http_rules: Vec<HttpRule>,
    /// How the next requests are answered, whatever they are.
    pub(crate) next: VecDeque<Answer>,
    held_http: Vec<&'static str>,
    sent: u64,
}

impl Script {
    pub(crate) fn add(&mut self, rule: impl FnMut(&Request) -> Option<Answer> + 'static) {
        self.rules.push(Box::new(rule));
    }

    pub(crate) fn add_http(
        &mut self,
        rule: impl FnMut(&str) -> Option<Option<(u16, Value)>> + 'static,
    ) {
        self.http_rules.push(Box::new(rule));
    }

    /// From now on the server has nothing against anything.
    pub(crate) fn forget(&mut self) {
        self.rules.clear();
        self.http_rules.clear();
        self.next.clear();
    }

    /// HTTP requests whose address contains `part` are left to the test to answer.
    pub(crate) fn hold_http(&mut self, part: &'static str) {
        self.held_http.push(part);
    }

    pub(crate) fn holds_http(&self, uri: &str) -> bool {
        self.held_http.iter().any(|part| uri.contains(part))
    }

    /// What the server does about `request`.
    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        if let Some(answer) = self.next.pop_front() {
            return answer;
        }
        for rule in self.rules.iter_mut().rev() {
            if let Some(answer) = rule(request) {
                return answer;
            }
        }
        self.usual(request)
    }

    /// What comes of an HTTP request for `uri`: an answer, or a network fault.
    pub(crate) fn http(&mut self, uri: &str) -> Option<(u16, Value)> {
        for rule in self.http_rules.iter_mut().rev() {
            if let Some(answer) = rule(uri) {
                return answer;
            }
        }
        let body = if uri.contains("/bokens/") {
            json!({"boken": "boken-1"})
        } else {
            json!({})
        };
        Some((200, body))
    }

    /// What a server that has nothing against anything does.
    fn usual(&mut self, request: &Request) -> Answer {
        let actions = || request.data["actions"].as_array().map_or(0, Vec::len);
        let body = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/session/renew") => json!({"expiresInSeconds": null}),
            ("POST", path) if path.ends_with("/messages") => {
                self.sent += 1;
                json!({"id": format!("msg_{}", self.sent)})
            }
            ("POST", path) if path.ends_with("/participants") => {
                json!({"responses": vec![json!({"status": 200}); actions()]})
            }
            ("GET", _) => data::get(request),
            _ => json!({}),
        };
        Answer::Reply(200, body)
    }
}
