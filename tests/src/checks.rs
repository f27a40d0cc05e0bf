use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// Runs a script that prints a JSON line per check and a summary line at the end, as
/// `tests/interop/harness.mjs` does.
///
/// # Errors
///
/// If the script cannot be run, or does not end within `patience`.
///
/// # Panics
///
/// If a check fails.
pub async fn run_checks(mut script: Command, patience: Duration) -> Result<()> {
    let mut process = script.spawn()?;
    let output = process.stdout.take().context("no standard output")?;

    let mut failures = BTreeMap::new();
    let mut passed = 0;
    let mut summary = None;
    let mut last = "the start".to_owned();
    let reading = async {
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            let line: Value = serde_json::from_str(&line).context(line)?;
            match line["check"].as_str() {
                Some(check) if line["ok"] == true => {
                    passed += 1;
                    check.clone_into(&mut last);
                }
                Some(check) => {
                    failures.insert(check.to_owned(), line["error"].clone());
                }
                None => summary = Some(line),
            }
        }
        anyhow::Ok(())
    };
    let read = timeout(patience, reading).await;

    // Failed checks come first, because a failed check can be the reason for a hang.
    assert!(failures.is_empty(), "{failures:#?}");
    read.with_context(|| format!("the checks hang after {last}"))??;
    assert_eq!(
        summary,
        Some(json!({ "done": passed, "failed": 0 })),
        "the script did not end"
    );
    assert!(process.wait().await?.success());
    Ok(())
}
