//! The emulator's inspector in a headless browser, with the published client as its traffic.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use talk_emulator::Emulator;
use talk_emulator::server::Seed;
use talk_tests::{NpmPackage, Peer, find_chromium, run_checks};

/// The time limit. It includes several starts of the browser on a busy machine.
const PATIENCE: Duration = Duration::from_secs(420);

#[tokio::test(flavor = "multi_thread")]
async fn inspector_pages_show_and_change_an_emulator() -> Result<()> {
    let (Some(_), Some(ui), Some(chromium)) = (
        Peer::install()?,
        NpmPackage::install("ui")?,
        find_chromium()?,
    ) else {
        return Ok(());
    };
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inspector");
    fs::create_dir_all(&screenshots)?;

    let seed = Seed::new("demo")
        .user("alice", "Alice")
        .user("bob", "Bob")
        .user("carol", "Carol");
    let emulator = Emulator::builder().initial_data(seed).start().await?;
    let restarted = Emulator::start().await?;
    let with_token = Emulator::builder()
        .control_host("talk.internal")
        .control_token("control-token");
    let with_token = with_token.start().await?;

    let mut script = ui.script("inspector/run-checks.mjs");
    for emulator in [&emulator, &restarted, &with_token] {
        script.arg(emulator.host());
    }
    script.arg(chromium).arg(&screenshots);
    run_checks(script, PATIENCE).await?;
    println!("the screenshots are in {}", screenshots.display());
    Ok(())
}
