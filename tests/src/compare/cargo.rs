//! The cargo that builds this workspace.

use std::process::Command;

/// The one that runs this program, or the one on the path.
pub(super) fn cargo() -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
