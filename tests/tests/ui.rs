//! The published UI components in a headless browser, with the emulator as their server.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use talk_emulator::Emulator;
use talk_tests::{NpmPackage, Peer, find_chromium, run_checks};

/// The time limit. It includes bundling the page and starting the browser on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn ui_components_show_and_change_a_chat() -> Result<()> {
    // The other side of the chat is the published client. The page's checks use its scripts.
    let (Some(_), Some(ui), Some(chromium)) = (
        Peer::install()?,
        NpmPackage::install("ui")?,
        find_chromium()?,
    ) else {
        return Ok(());
    };
    let emulator = Emulator::start().await?;
    let screenshot = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui-components.png");
    let mut script = ui.script("run-checks.mjs");
    script.arg(emulator.host()).arg(chromium).arg(&screenshot);
    run_checks(script, PATIENCE).await?;
    println!("the screenshot is {}", screenshot.display());
    Ok(())
}
