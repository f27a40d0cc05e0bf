//! The control API for test suites: received requests, and waiting for an object.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::control::{Query, bad_request, parse};
use super::control_extract::ControlBody;
use super::engine::{Predicate, Stopped};
use super::refusal::Refusal;
use super::state::Shell;
use crate::server::{FindKind, ReceivedRequest, Server};

/// The default maximum number of requests in an answer.
const DEFAULT_LIMIT: usize = 100;

/// The maximum time to wait.
const MAX_WAIT: u64 = 60_000;

/// Returns received requests, oldest first.
pub(crate) async fn requests(
    State(shell): State<Shell>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = Query::read(query, &["after", "limit"])?;
    let after = query.number("after")?.unwrap_or(0);
    let limit = query.limit(DEFAULT_LIMIT)?;
    let list = shell.engine.call(move |core, _| {
        let requests = core.server.received_requests();
        let mut requests = requests.skip_while(|it| it.number <= after);
        let page: Vec<_> = requests.by_ref().take(limit).collect();
        let last = match requests.next() {
            Some(next) => next.number - 1,
            None => core.server.last_request(),
        };
        let page: Vec<_> = page.into_iter().map(ReceivedRequest::json).collect();
        json!({ "requests": page, "last": last })
    });
    Ok(Json(list.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wait {
    #[serde(rename = "for")]
    kind: FindKind,
    app: String,
    #[serde(rename = "match", default)]
    pattern: Map<String, Value>,
    #[serde(default = "default_timeout")]
    timeout_ms: u64,
}

const fn default_timeout() -> u64 {
    5000
}

/// Waits for an object that matches a pattern.
pub(crate) async fn wait(
    State(shell): State<Shell>,
    ControlBody(body): ControlBody,
) -> Result<Json<Value>, Refusal> {
    let wait: Wait = parse(&body)?;
    if wait.timeout_ms > MAX_WAIT {
        let reason = format!("The time to wait is at most {MAX_WAIT} ms.");
        return Err(bad_request(reason));
    }
    let limit = Duration::from_millis(wait.timeout_ms);
    let seen = Arc::new(AtomicUsize::new(0));
    let (found, mut object) = oneshot::channel();
    let predicate = predicate(wait, Arc::clone(&seen), found);
    let fulfilled = shell
        .engine
        .call(move |core, _| core.wait_for(predicate))
        .await?;
    if let Ok(fulfilled) = timeout(limit, fulfilled).await {
        fulfilled.map_err(|_| Stopped)?;
        let object = object.try_recv().map_err(|_| Stopped)?;
        return Ok(Json(json!({ "found": object })));
    }
    let seen = seen.load(Ordering::Relaxed);
    let reason = format!(
        "No match in {} ms. {seen} objects of this kind were compared.",
        limit.as_millis()
    );
    Err(Refusal::new(
        StatusCode::REQUEST_TIMEOUT,
        "WAIT_TIMEOUT",
        reason,
    ))
}

/// Returns a condition that sends the matching object.
fn predicate(wait: Wait, seen: Arc<AtomicUsize>, found: oneshot::Sender<Value>) -> Predicate {
    let mut found = Some(found);
    let mut version = None;
    Box::new(move |server: &Server| {
        // Objects are compared only after one of them has changed.
        let current = server.version_of(wait.kind);
        if current.is_some() && std::mem::replace(&mut version, current) == current {
            return false;
        }
        match server.find(wait.kind, &wait.app, &wait.pattern) {
            Ok(object) => {
                if let Some(found) = found.take() {
                    // The caller may have stopped waiting.
                    let _ = found.send(object);
                }
                true
            }
            Err(not_found) => {
                seen.store(not_found.seen, Ordering::Relaxed);
                false
            }
        }
    })
}
