//! The cargo command for this workspace.

use std::process::Command;

/// Returns the cargo that runs this program, or the one in the `PATH`.
pub(super) fn cargo() -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
