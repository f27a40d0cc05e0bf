//! The control API: the log of webhooks.

use axum::Json;
use axum::extract::{RawQuery, State};
use http::StatusCode;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::{Value, json};

use super::control_extract::ControlPath;
use super::refusal::Refusal;
use super::state::Shell;
use crate::server::{WebhookDelivery, WebhookKind, WebhookState, parse_query};

/// The default maximum length of a list.
const DEFAULT_LIMIT: usize = 100;

/// The query of a list.
#[derive(Debug)]
struct WebhookQuery {
    app: Option<String>,
    kind: Option<WebhookKind>,
    state: Option<WebhookState>,
    limit: usize,
}

/// Returns webhooks without their bodies, newest first.
pub(crate) async fn list_webhooks(
    State(shell): State<Shell>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = WebhookQuery::read(query.as_deref().unwrap_or_default())?;
    let answer = shell.engine.call(move |core, _| {
        let found = core.server.webhooks().rev().filter(|it| query.matches(it));
        let found = found.take(query.limit);
        let data: Vec<Value> = found.map(WebhookDelivery::without_body).collect();
        json!({ "data": data, "discarded": core.server.discarded_webhooks() })
    });
    Ok(Json(answer.await?))
}

/// Returns a webhook with its body.
pub(crate) async fn webhook(
    State(shell): State<Shell>,
    ControlPath(id): ControlPath<String>,
) -> Result<Json<Value>, Refusal> {
    let found = shell.engine.call(move |core, _| {
        let webhook = core.server.webhook(&id)?;
        let mut view = webhook.without_body();
        view["body"] = webhook.body.clone().into();
        Some(view)
    });
    found.await?.map(Json).ok_or_else(unknown)
}

/// Delivers a webhook once more.
pub(crate) async fn resend_webhook(
    State(shell): State<Shell>,
    ControlPath(id): ControlPath<String>,
) -> Result<Json<Value>, Refusal> {
    let resent = shell
        .engine
        .call(move |core, now| core.server.resend_webhook(now, &id));
    match resent.await? {
        true => Ok(Json(json!({}))),
        false => Err(unknown()),
    }
}

fn parse<T: for<'de> Deserialize<'de>>(name: &str, value: String) -> Result<T, Refusal> {
    let value: serde::de::value::StringDeserializer<Error> = value.into_deserializer();
    T::deserialize(value).map_err(|error| invalid(name, &error.to_string()))
}

fn invalid(name: &str, reason: &str) -> Refusal {
    let reason = format!("The parameter {name:?} is refused: {reason}.");
    Refusal::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", reason)
}

fn unknown() -> Refusal {
    let reason = "There is no webhook with this ID, or it is no longer in the log.";
    Refusal::new(StatusCode::NOT_FOUND, "WEBHOOK_NOT_FOUND", reason)
}

impl WebhookQuery {
    fn read(query: &str) -> Result<Self, Refusal> {
        let mut read = Self {
            app: None,
            kind: None,
            state: None,
            limit: DEFAULT_LIMIT,
        };
        for (name, value) in parse_query(query) {
            match name {
                "" => {}
                "app" => read.app = Some(value),
                "type" => read.kind = Some(parse(name, value)?),
                "state" => read.state = Some(parse(name, value)?),
                "limit" => {
                    let limit = value.parse();
                    read.limit = limit.map_err(|_| invalid(name, "it must be a number"))?;
                }
                _ => return Err(invalid(name, "it is unknown")),
            }
        }
        Ok(read)
    }

    fn matches(&self, webhook: &WebhookDelivery) -> bool {
        self.app.as_ref().is_none_or(|app| *app == webhook.app)
            && self.kind.is_none_or(|kind| kind == webhook.kind)
            && self.state.is_none_or(|state| state == webhook.state)
    }
}
