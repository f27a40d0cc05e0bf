//! The differential test. Several users make random changes while connections are disrupted. In the
//! end, each subscription of our client must show the same as a fresh session of the published
//! client.

mod change;
mod compare;
mod disruption;
mod filter;
mod fresh;
mod history;
mod random;
mod topic;
mod watcher;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::change::Kind;
use self::fresh::Fresh;
use self::history::{History, Outcome, Plan};
use self::topic::Topic;
use self::watcher::Tally;
use crate::peer::Peer;

/// The maximum number of histories in progress at a time. The final wait is not counted.
const AT_A_TIME: usize = 6;

/// The maximum number of steps of the history that a mismatch reports.
const SHOWN_STEPS: usize = 60;

/// The histories to run.
#[derive(Debug, Clone)]
pub struct Histories {
    /// The seeds. Each one determines a history.
    pub seeds: Range<u64>,
    /// The number of changes in each history.
    pub steps: usize,
}

impl Histories {
    /// Runs all histories and compares all subscriptions at their ends.
    ///
    /// # Errors
    ///
    /// If a snapshot differs or a history fails. The report contains every difference, and the
    /// seeds to repeat the histories.
    pub async fn run(self, peer: &Peer) -> Result<()> {
        let fresh = Arc::new(Fresh::start(peer)?);
        let turns = Arc::new(Semaphore::new(AT_A_TIME));
        let mut playing = JoinSet::new();
        for seed in self.seeds.clone() {
            let (fresh, turns) = (Arc::clone(&fresh), Arc::clone(&turns));
            let steps = self.steps;
            playing.spawn(async move {
                let turn = turns.acquire().await;
                let history = History::play(Plan { seed, steps }).await;
                drop(turn);
                let outcome = match history {
                    Ok(history) => history.compare(&fresh).await,
                    Err(error) => Err(error),
                };
                (seed, outcome)
            });
        }
        let mut accepted = BTreeSet::new();
        let (mut tallies, mut report) = (BTreeMap::<_, Tally>::new(), String::new());
        while let Some(played) = playing.join_next().await {
            match played? {
                (seed, Ok(outcome)) => {
                    write_report(&mut report, seed, &outcome)?;
                    accepted.extend(outcome.accepted);
                    for (kind, tally) in outcome.compared.tally {
                        let all = tallies.entry(kind).or_default();
                        all.snapshots += tally.snapshots;
                        all.filled += tally.filled;
                    }
                }
                (seed, Err(error)) => writeln!(report, "seed {seed}: {error:#}")?,
            }
        }
        if !report.is_empty() {
            bail!("{report}replay with DIFF_SEED=… DIFF_STEPS={}", self.steps);
        }
        // A kind that the server always refuses tests nothing. A single history need not contain
        // every kind.
        let never: Vec<_> = Kind::all()
            .filter(|kind| !accepted.contains(kind))
            .collect();
        if !never.is_empty() && self.seeds.end - self.seeds.start > 1 {
            bail!("the server never took {never:?}: play more steps, or mend the history");
        }
        for (kind, Tally { snapshots, filled }) in tallies {
            println!("{kind}: {snapshots} snapshots compared, {filled} of them not empty");
        }
        Ok(())
    }
}

fn write_report(report: &mut String, seed: u64, outcome: &Outcome) -> Result<()> {
    for mismatch in &outcome.compared.mismatches {
        writeln!(report, "seed {seed}: {}: {}", mismatch.user, mismatch.topic)?;
        for difference in &mismatch.differences {
            writeln!(report, "    {difference}")?;
        }
    }
    if let Some(mismatch) = outcome.compared.mismatches.first() {
        writeln!(
            report,
            "  what may have to do with the first of these, of seed {seed}:"
        )?;
        for line in relevant_steps(&outcome.log, &mismatch.topic) {
            writeln!(report, "  {line}")?;
        }
    }
    Ok(())
}

/// Returns the disruptions, the steps of the topic's subscriptions, and the last steps that may
/// have changed its snapshot.
fn relevant_steps<'a>(log: &'a [String], topic: &Topic) -> impl Iterator<Item = &'a String> {
    let name = topic.to_string();
    let about = topic.conversation();
    let may_concern =
        move |line: &str| about.is_none_or(|conversation| line.contains(conversation));
    let steps = log.iter().filter(|line| may_concern(line)).count();
    let mut skipped = steps.saturating_sub(SHOWN_STEPS);
    log.iter().filter(move |line| {
        let is_late = may_concern(line) && {
            let was_skipped = skipped > 0;
            skipped = skipped.saturating_sub(1);
            !was_skipped
        };
        is_late || line.ends_with(&name) || is_disruption(line)
    })
}

/// Returns `true` if a line of the log reports a disruption. Other lines name a user first.
fn is_disruption(line: &str) -> bool {
    line.split_once(": ")
        .is_some_and(|(_, what)| what.starts_with(char::is_uppercase))
}
