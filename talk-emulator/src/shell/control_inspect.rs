//! The control API: connections, apps, data and users.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use talk_proto::content::{MarkupSource, parse_markup};

use super::control::{bad_request, parse};
use super::control_extract::{ControlBody, ControlPath};
use super::large_body::{MAX_BODY, without_body};
use super::refusal::{Refusal, into_response};
use super::state::Shell;
use crate::server::{ConnectionId, ConnectionInfo, HttpRequest, Seed};

/// Returns the open connections.
pub(crate) async fn connections(State(shell): State<Shell>) -> Result<Json<Value>, Refusal> {
    let list = |core: &mut super::engine::Core, _| -> Vec<ConnectionInfo> {
        core.server.connections().collect()
    };
    let connections = shell.engine.call(list).await?;
    Ok(Json(json!({ "connections": connections })))
}

/// Closes a connection: with a close frame and the given code, or without a close frame.
pub(crate) async fn close_connection(
    State(shell): State<Shell>,
    ControlPath(id): ControlPath<u64>,
    ControlBody(body): ControlBody,
) -> Result<Json<Value>, Refusal> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Close {
        code: Option<u16>,
    }
    let Close { code } = match body.is_empty() {
        true => Close::default(),
        false => parse(&body)?,
    };
    if code.is_some_and(|code| !is_close_code(code)) {
        return Err(bad_request(
            "A close code is 1000 to 4999, except 1004, 1005, 1006 and 1015.".to_owned(),
        ));
    }
    let close = shell
        .engine
        .call(move |core, now| core.server.close_connection(now, ConnectionId(id), code));
    done_if(close.await?)
}

/// Returns `true` if a close frame may have this code. RFC 6455 reserves some.
fn is_close_code(code: u16) -> bool {
    (1000..5000).contains(&code) && !matches!(code, 1004..=1006 | 1015)
}

/// Expires the session of a connection.
pub(crate) async fn expire_connection(
    State(shell): State<Shell>,
    ControlPath(id): ControlPath<u64>,
) -> Result<Json<Value>, Refusal> {
    let expire = shell
        .engine
        .call(move |core, now| core.server.expire_connection(now, ConnectionId(id)));
    done_if(expire.await?)
}

fn done_if(is_open: bool) -> Result<Json<Value>, Refusal> {
    match is_open {
        true => Ok(Json(json!({}))),
        false => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "CONNECTION_NOT_FOUND",
            "There is no open connection with this ID.",
        )),
    }
}

/// Returns the IDs of the apps.
pub(crate) async fn apps(State(shell): State<Shell>) -> Result<Json<Value>, Refusal> {
    let list = |core: &mut super::engine::Core, _| -> Vec<String> {
        core.server.apps().map(str::to_owned).collect()
    };
    let apps = shell.engine.call(list).await?;
    Ok(Json(json!({ "apps": apps })))
}

/// Answers a request of the REST API. The access to the control API replaces its credentials.
pub(crate) async fn rest(
    State(shell): State<Shell>,
    request: Request,
) -> Result<Response, Refusal> {
    let (mut head, body) = request.into_parts();
    head.uri = rest_uri(&head.uri).ok_or_else(|| bad_request("The path is invalid.".to_owned()))?;
    let request = match to_bytes(body, MAX_BODY).await {
        Ok(body) => HttpRequest::from_parts(head, body),
        Err(_) => without_body(head),
    };
    let answer = shell
        .engine
        .call(move |core, now| core.server.rest_by_control(now, &request));
    Ok(into_response(answer.await?))
}

/// Returns the URI of the REST API for a URI below `/_emulator`.
fn rest_uri(uri: &Uri) -> Option<Uri> {
    let path = uri.path_and_query()?.as_str();
    let rest = path.strip_prefix("/rest/")?;
    format!("/v1/{rest}").parse().ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    app: String,
    user: String,
    method: String,
    path: String,
    data: Option<Box<RawValue>>,
    /// Markup that becomes the member `content` of the data.
    text: Option<String>,
}

impl Act {
    /// Returns the data of the request.
    fn data(&self) -> Result<Option<Box<RawValue>>, Refusal> {
        let Some(text) = &self.text else {
            return Ok(self.data.clone());
        };
        let mut data: Map<String, Value> = match &self.data {
            Some(data) => parse(data.get().as_bytes())?,
            None => Map::new(),
        };
        let content = json!(parse_markup(text, MarkupSource::Translation));
        if data.insert("content".to_owned(), content).is_some() {
            let reason = "Only one of `text` and `data.content` is allowed.";
            return Err(bad_request(reason.to_owned()));
        }
        let data = to_raw_value(&data).map_err(|error| bad_request(error.to_string()))?;
        Ok(Some(data))
    }
}

/// Makes a request in the name of a user.
pub(crate) async fn act(
    State(shell): State<Shell>,
    ControlBody(body): ControlBody,
) -> Result<Json<Value>, Refusal> {
    let act: Act = parse(&body)?;
    let data = act.data()?;
    let answer = shell.engine.call(move |core, now| {
        let (user, line) = ((&*act.app, &*act.user), (&*act.method, &*act.path));
        core.server.act(now, user, line, data.as_deref())
    });
    let (status, data) = answer.await?.ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "USER_NOT_FOUND",
            "The app has no user with this ID.",
        )
    })?;
    let data: Value = parse(data.as_bytes())?;
    Ok(Json(json!({ "status": status, "data": data })))
}

/// Adds a seed to the data.
pub(crate) async fn add_seed(
    State(shell): State<Shell>,
    ControlBody(body): ControlBody,
) -> Result<Json<Value>, Refusal> {
    let seed: Seed = parse(&body)?;
    let added = shell
        .engine
        .call(move |core, now| core.server.add_seed(now, &seed));
    added
        .await?
        .map_err(|error| bad_request(error.to_string()))?;
    Ok(Json(json!({})))
}
