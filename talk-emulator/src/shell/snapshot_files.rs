//! The control API: snapshots as JSON, with the contents of their files.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::control::{Query, bad_request, parse};
use super::control_data::{keep, unknown};
use super::control_extract::{ControlBody, ControlPath};
use super::files::{Files, is_token};
use super::refusal::Refusal;
use super::state::Shell;
use crate::server::Snapshot;

/// The maximum size of all contents in an exported snapshot. As JSON they have a third more.
const MAX_CONTENTS: u64 = 64 << 20;

/// An exported snapshot.
#[derive(Serialize)]
pub(crate) struct ExportedSnapshot {
    #[serde(flatten)]
    snapshot: Snapshot,
    files: BTreeMap<String, String>,
}

/// The contents of files in an exported snapshot, by token, in Base64.
#[derive(Deserialize)]
struct ExportedFiles {
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// Returns a snapshot as JSON. With `files=false`, it has no contents of files.
pub(crate) async fn export_snapshot(
    State(shell): State<Shell>,
    ControlPath(name): ControlPath<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ExportedSnapshot>, Refusal> {
    let with_files = Query::read(query, &["files"])?.flag("files")?;
    let found = shell
        .engine
        .call(move |core, _| core.snapshots.get(&name).cloned());
    let snapshot = found.await?.ok_or_else(unknown)?;
    let files = match with_files.unwrap_or(true) {
        true => contents(&shell.files, &snapshot).await?,
        false => BTreeMap::new(),
    };
    Ok(Json(ExportedSnapshot { snapshot, files }))
}

async fn contents(files: &Files, snapshot: &Snapshot) -> Result<BTreeMap<String, String>, Refusal> {
    let mut total = 0;
    let mut exported = BTreeMap::new();
    for (token, size) in snapshot.files() {
        let Some(contents) = files.get(token).await? else {
            continue;
        };
        total += size;
        if total > MAX_CONTENTS {
            let reason = format!(
                "The files of the snapshot have more than {MAX_CONTENTS} bytes: export it without \
                 their contents, with ?files=false."
            );
            return Err(bad_request(reason));
        }
        let bytes = contents.whole(size).await?;
        exported.insert(token.to_owned(), BASE64.encode(&bytes));
    }
    Ok(exported)
}

/// Stores an exported snapshot under a name. It is not restored. The contents of its files are
/// stored at once.
pub(crate) async fn import_snapshot(
    State(shell): State<Shell>,
    ControlPath(name): ControlPath<String>,
    ControlBody(body): ControlBody,
) -> Result<Json<Value>, Refusal> {
    let snapshot: Snapshot = parse(&body)?;
    let ExportedFiles { files } = parse(&body)?;
    let known: BTreeMap<&str, u64> = snapshot.files().collect();
    let mut decoded = Vec::new();
    for (token, contents) in &files {
        let bytes = BASE64.decode(contents.as_bytes()).ok();
        let size = bytes.as_ref().map(|bytes| bytes.len() as u64);
        match bytes {
            Some(bytes) if is_token(token) && known.get(&**token).copied() == size => {
                decoded.push((token, bytes));
            }
            _ => {
                let reason = format!(
                    "The contents of the file {token:?} are not Base64, or not of the size of its \
                     record, or its token is not one of an emulator."
                );
                return Err(bad_request(reason));
            }
        }
    }
    for (token, bytes) in decoded {
        shell.files.import(token, &bytes).await?;
    }
    shell
        .engine
        .call(move |core, _| keep(core, name, snapshot))
        .await?
}
