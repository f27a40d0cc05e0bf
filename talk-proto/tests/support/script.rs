//! The scripted answers of server, network and application.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::data;
use super::log::Request;

/// The server's reaction to a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// An answer with a status and a body.
    Reply(u16, Value),
    /// An answer after this time.
    Late(Duration, u16, Value),
    /// No answer at all.
    Silence,
    /// These strings as frames.
    Raw(Vec<String>),
    /// The end of the connection. The request may or may not have been processed.
    Drop,
}

impl Answer {
    pub(crate) fn refuse(status: u16, code: &str) -> Self {
        Self::Reply(status, json!({"errorCode": code, "reasons": ["because"]}))
    }
}

/// The outcome of connection attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// Attempts succeed after this time.
    Up(Duration),
    /// Attempts fail at once.
    Refuse,
    /// Attempts never finish.
    Hang,
}

/// The reaction of the application to a token fetch. The n-th token is `token-n`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// A token after this time.
    After(Duration),
    Fails,
    FailsAfter(Duration),
    NeverAnswers,
}

type Rule = Box<dyn FnMut(&Request) -> Option<Answer>>;
type HttpRule = Box<dyn FnMut(&str) -> Option<Option<(u16, Value)>>>;

/// The rules by which the world answers. Later rules have precedence.
#[derive(Default)]
pub(crate) struct Script {
    rules: Vec<Rule>,
    http_rules: Vec<HttpRule>,
    /// The answers to the next requests, regardless of their content.
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

    /// Removes all rules.
    pub(crate) fn forget(&mut self) {
        self.rules.clear();
        self.http_rules.clear();
        self.next.clear();
    }

    /// Leaves HTTP requests whose address contains `part` to the test.
    pub(crate) fn hold_http(&mut self, part: &'static str) {
        self.held_http.push(part);
    }

    pub(crate) fn holds_http(&self, uri: &str) -> bool {
        self.held_http.iter().any(|part| uri.contains(part))
    }

    /// Returns the server's reaction to `request`.
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

    /// Returns the answer to an HTTP request for `uri`, or `None` for a network failure.
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

    /// Returns the reaction of a server without rules.
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
