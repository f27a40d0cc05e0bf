use std::env;
use std::path::PathBuf;

use anyhow::Result;

use crate::missing;

/// The names of the browser's executable.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Finds a Chromium executable in the `PATH`. If there is none, the test is skipped as in
/// [`missing()`].
///
/// # Errors
///
/// If `CI=true` is set and no Chromium is installed.
pub fn find_chromium() -> Result<Option<PathBuf>> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .flat_map(|directory| NAMES.map(|name| directory.join(name)))
        .find(|file| file.is_file());
    match found {
        Some(file) => Ok(Some(file)),
        None => missing("Chromium"),
    }
}
