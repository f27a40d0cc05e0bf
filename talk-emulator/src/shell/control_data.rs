//! The control API: the clock, snapshots and the reset.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::control::{bad_request, parse};
use super::control_extract::{ControlBody, ControlPath};
use super::engine::Core;
use super::refusal::Refusal;
use super::state::Shell;
use crate::server::{Snapshot, Timestamp};

/// The maximum number of snapshots in memory.
const MAX_SNAPSHOTS: usize = 100;

/// The maximum size of an imported snapshot.
pub(crate) const MAX_IMPORT: usize = 256 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Advance {
    advance_ms: u64,
}

/// Returns the time of the emulator.
pub(crate) async fn clock(State(shell): State<Shell>) -> Result<Json<Value>, Refusal> {
    let now = shell.engine.call(|_, now| now).await?;
    Ok(Json(view(now)))
}

/// Advances the time, and performs all work that becomes due.
pub(crate) async fn advance_clock(
    State(shell): State<Shell>,
    ControlBody(body): ControlBody,
) -> Result<Json<Value>, Refusal> {
    let Advance { advance_ms } = parse(&body)?;
    let by = Duration::from_millis(advance_ms);
    let advanced = shell.engine.call(move |core, _| core.advance_clock(by));
    match advanced.await? {
        Some(now) => Ok(Json(view(now))),
        None => Err(bad_request(
            "The clock advances by up to 100 years.".to_owned(),
        )),
    }
}

fn view(now: Timestamp) -> Value {
    json!({ "now": now })
}

/// Removes all data, and stores the initial data again.
pub(crate) async fn reset(State(shell): State<Shell>) -> Result<Json<Value>, Refusal> {
    let reset = shell.engine.call(Core::reset).await?;
    reset.map_err(|error| bad_request(error.to_string()))?;
    Ok(Json(json!({})))
}

/// Returns the names of the snapshots.
pub(crate) async fn list_snapshots(State(shell): State<Shell>) -> Result<Json<Value>, Refusal> {
    let list = shell.engine.call(|core, _| {
        let snapshots = core.snapshots.iter();
        let item = |(name, snapshot): (&String, &Snapshot)| {
            json!({ "name": name, "records": snapshot.len() })
        };
        snapshots.map(item).collect::<Vec<_>>()
    });
    Ok(Json(json!({ "data": list.await? })))
}

/// Saves the data under a name, in place of an earlier snapshot with that name.
pub(crate) async fn save_snapshot(
    State(shell): State<Shell>,
    ControlPath(name): ControlPath<String>,
) -> Result<Json<Value>, Refusal> {
    let save = |core: &mut Core, _| {
        let snapshot = core.server.snapshot();
        keep(core, name, snapshot)
    };
    shell.engine.call(save).await?
}

/// Restores a snapshot.
pub(crate) async fn restore_snapshot(
    State(shell): State<Shell>,
    ControlPath(name): ControlPath<String>,
) -> Result<Json<Value>, Refusal> {
    let restore = move |core: &mut Core, now| {
        let snapshot = core.snapshots.get(&name).ok_or_else(unknown)?;
        let restored = core.server.restore_snapshot(now, snapshot);
        restored.map_err(|error| bad_request(error.to_string()))?;
        Ok(Json(json!({})))
    };
    shell.engine.call(restore).await?
}

/// Deletes a snapshot.
pub(crate) async fn delete_snapshot(
    State(shell): State<Shell>,
    ControlPath(name): ControlPath<String>,
) -> Result<Json<Value>, Refusal> {
    let removed = shell
        .engine
        .call(move |core, _| core.snapshots.remove(&name));
    removed.await?.ok_or_else(unknown)?;
    Ok(Json(json!({})))
}

/// Stores a snapshot under a name. Requests of browsers and of most other programs cannot contain
/// the names `.` and `..`: the snapshot could neither be read nor deleted.
pub(super) fn keep(
    core: &mut Core,
    name: String,
    snapshot: Snapshot,
) -> Result<Json<Value>, Refusal> {
    if matches!(&*name, "." | "..") {
        let reason = format!("A snapshot cannot have the name {name:?}.");
        return Err(bad_request(reason));
    }
    if core.snapshots.len() >= MAX_SNAPSHOTS && !core.snapshots.contains_key(&name) {
        let reason = format!("There are {MAX_SNAPSHOTS} snapshots: delete one first.");
        return Err(bad_request(reason));
    }
    let records = snapshot.len();
    core.snapshots.insert(name, snapshot);
    Ok(Json(json!({ "records": records })))
}

pub(super) fn unknown() -> Refusal {
    let reason = "There is no snapshot with this name: save it first, or list the snapshots.";
    Refusal::new(StatusCode::NOT_FOUND, "SNAPSHOT_NOT_FOUND", reason)
}
