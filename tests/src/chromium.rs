use std::env;
use std::path::PathBuf;

use anyhow::Result;

use crate::missing;

/// The names that the browser goes by.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Finds a Chromium in the `PATH`; `None` as [`missing()`] has it.
///
/// # Errors
///
/// Where `CI=true` and there is none.
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
