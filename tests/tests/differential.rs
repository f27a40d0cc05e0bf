//! Our live client compared with fresh sessions of the published one, after random histories.
//!
//! `DIFF_SEED=17` repeats a history, `DIFF_SEEDS=200` runs this many new ones, and `DIFF_STEPS=300`
//! sets their length. The choices follow from the seed. The order of answers and events of
//! concurrent steps does not, and neither do the times in filters.

use std::ops::Range;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use talk_tests::{Histories, Peer};

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_equal_those_of_the_published_client() -> Result<()> {
    let Some(peer) = Peer::install()? else {
        return Ok(());
    };
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let seeds = seeds(ci)?;
    let steps = number("DIFF_STEPS")?.unwrap_or(if ci { 300 } else { 120 });
    eprintln!(
        "seeds {} to {}, {steps} steps each",
        seeds.start,
        seeds.end - 1
    );
    Histories { seeds, steps }.run(&peer).await
}

/// Returns new seeds if they are requested, or else a few fixed ones.
fn seeds(ci: bool) -> Result<Range<u64>> {
    if let Some(seed) = number("DIFF_SEED")? {
        return Ok(seed..seed + 1);
    }
    let count = match number("DIFF_SEEDS")? {
        Some(count) => count,
        None if ci => 20,
        None => return Ok(1..4),
    };
    let first = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() * 1000;
    Ok(first..first + count)
}

fn number<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    name: &str,
) -> Result<Option<T>> {
    let Some(text) = std::env::var_os(name) else {
        return Ok(None);
    };
    let text = text.to_string_lossy();
    let number = text.parse().with_context(|| format!("{name}={text}"))?;
    Ok(Some(number))
}
