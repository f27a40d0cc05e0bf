//! How sessions come back after they all lost their connection.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures_util::StreamExt;
use serde_json::{Value, json};
use talk_tokio::ConnectionState;
use tokio::sync::mpsc;

use crate::histogram::{deviation_from_uniform, largest_share, shares};
use crate::many_sessions::ManySessions;

/// After a planned restart no window of a second may see more than this share of first attempts.
const MAX_SHARE: f64 = 0.15;

/// Everybody is to be back within this time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A delay before an attempt to connect, in milliseconds of unix time.
struct Attempt {
    /// 1 is the first after the loss.
    number: u32,
    since: u64,
    until: u64,
}

/// Watches all sessions of a crowd.
pub(crate) struct Watch {
    sessions: usize,
    began: Instant,
    seen: mpsc::UnboundedReceiver<Seen>,
}

enum Seen {
    Waits(Attempt),
    Ready,
}

/// How they came back.
pub(crate) struct Comeback {
    sessions: usize,
    took: Duration,
    attempts: Vec<Attempt>,
}

impl Comeback {
    /// From now on.
    pub(crate) fn watch(many_sessions: &ManySessions) -> Watch {
        let (tell, seen) = mpsc::unbounded_channel();
        for session in many_sessions.sessions() {
            let mut states = session.connection_states();
            let tell = tell.clone();
            tokio::spawn(async move {
                // Those that are connected now are not back yet: they have not been away.
                let mut was_away = false;
                while let Some(state) = states.next().await {
                    let told = match state {
                        ConnectionState::Waiting {
                            since,
                            until,
                            attempt,
                            ..
                        } => {
                            was_away = true;
                            tell.send(Seen::Waits(Attempt {
                                number: attempt,
                                since: since.as_millis().unsigned_abs(),
                                until: until.as_millis().unsigned_abs(),
                            }))
                        }
                        ConnectionState::Ready if was_away => {
                            // Nobody looks any more.
                            let _ = tell.send(Seen::Ready);
                            return;
                        }
                        // One that does not wait at all tells of no delay.
                        ConnectionState::Connecting => {
                            was_away = true;
                            continue;
                        }
                        _ => continue,
                    };
                    if told.is_err() {
                        return;
                    }
                }
            });
        }
        Watch {
            sessions: many_sessions.sessions().len(),
            began: Instant::now(),
            seen,
        }
    }

    /// After a restart that was announced: the figures, and whether the goal is met.
    pub(crate) fn planned(&self) -> (Value, bool) {
        let times = self
            .first()
            .map(|attempt| attempt.until)
            .collect::<Vec<_>>();
        let share = largest_share(&times, 1_000);
        let is_met = share <= MAX_SHARE;
        let first = times.iter().min().copied().unwrap_or_default();
        let after: Vec<_> = times.iter().map(|time| time - first).collect();
        let figures = json!({
            "first_attempts": times.len(),
            "largest_share_in_1_s": share,
            "goal": MAX_SHARE,
            "met": is_met,
            "share_by_second": shares(&after, 1_000, 11),
            "all_back_after_ms": self.millis(),
        });
        (figures, is_met)
    }

    /// After a restart that nobody announced: the figures, and whether the goal is met.
    pub(crate) fn unplanned(&self) -> (Value, bool) {
        let first: Vec<_> = self
            .first()
            .map(|attempt| attempt.until - attempt.since)
            .collect();
        // Of each later delay the part of the longest one that it could have been, in thousandths.
        let later = self.attempts.iter().filter(|attempt| attempt.number > 1);
        let later: Vec<_> = later
            .map(|attempt| {
                let ceiling = (1_000 << (attempt.number - 1).min(5)).min(30_000);
                (attempt.until - attempt.since) * 1_000 / ceiling
            })
            .collect();
        let (first_by, later_by) = (
            deviation_from_uniform(&first),
            deviation_from_uniform(&later),
        );
        let is_met = first_by.is_met && later_by.is_met;
        let figures = json!({
            "first_attempts": first.len(),
            "share_by_100_ms": shares(&first, 100, 10),
            "deviation_from_uniform": first_by,
            "later_attempts": later.len(),
            "later_share_by_tenth_of_their_range": shares(&later, 100, 10),
            "later_deviation_from_uniform": later_by,
            "met": is_met,
            "all_back_after_ms": self.millis(),
        });
        (figures, is_met)
    }

    fn first(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.number == 1)
    }

    fn millis(&self) -> Value {
        json!({ "sessions": self.sessions, "ms": self.took.as_millis() as u64 })
    }
}

impl Watch {
    /// Waits until all have lost their connection and have another one.
    pub(crate) async fn all_back(mut self) -> Result<Comeback> {
        let mut attempts = Vec::new();
        let mut back = 0;
        while back < self.sessions {
            let left = PATIENCE.saturating_sub(self.began.elapsed());
            match tokio::time::timeout(left, self.seen.recv()).await {
                Ok(Some(Seen::Waits(attempt))) => attempts.push(attempt),
                Ok(Some(Seen::Ready)) => back += 1,
                Ok(None) | Err(_) => bail!("only {back} of {} sessions came back", self.sessions),
            }
        }
        Ok(Comeback {
            sessions: self.sessions,
            took: self.began.elapsed(),
            attempts,
        })
    }
}
