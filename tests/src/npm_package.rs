use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::missing;

/// A directory below `tests/` that contains scripts for Node and their installed dependencies.
#[derive(Debug, Clone)]
pub struct NpmPackage {
    directory: PathBuf,
}

impl NpmPackage {
    /// Installs the dependencies of a package at the versions of its lockfile. Without Node,
    /// the test is skipped as in [`missing()`].
    ///
    /// # Errors
    ///
    /// If the dependencies cannot be installed.
    pub fn install(name: &str) -> Result<Option<Self>> {
        let Some(version) = node_version() else {
            return missing("Node");
        };
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let lock = directory.join("package-lock.json");
        let stamp = directory.join("node_modules/.installed");
        let wanted = format!("{version}\n{}", fs::read_to_string(&lock)?);

        // Test binaries may run in parallel. The first one installs; the others wait for the lock.
        let guard = File::open(&lock)?;
        guard.lock()?;
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(Some(Self { directory }));
        }
        let output = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&directory)
            .output()
            .context("cannot run npm")?;
        if !output.status.success() {
            bail!("npm ci failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        fs::write(&stamp, wanted)?;
        Ok(Some(Self { directory }))
    }

    /// Returns a command that runs one of the scripts. Dropping its process ends it.
    pub fn script(&self, name: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("node");
        command
            .arg(self.directory.join(name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

fn node_version() -> Option<String> {
    let output = Command::new("node").arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()
}
