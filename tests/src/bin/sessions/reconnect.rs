//! The reconnects of sessions after a common loss.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures_util::StreamExt;
use serde_json::{Value, json};
use talk_tokio::ConnectionState;
use tokio::sync::mpsc;

use crate::histogram::{deviation_from_uniform, largest_share, shares};
use crate::many_sessions::ManySessions;

/// The largest allowed share of first attempts in a window of one second after a planned restart.
const MAX_SHARE: f64 = 0.15;

/// The time limit for all reconnects.
const PATIENCE: Duration = Duration::from_secs(120);

/// The delay before an attempt to connect, in milliseconds of Unix time.
struct Attempt {
    /// The first attempt after the loss is 1.
    number: u32,
    since: u64,
    until: u64,
}

/// An observation of all sessions.
pub(crate) struct Watch {
    sessions: usize,
    began: Instant,
    seen: mpsc::UnboundedReceiver<Seen>,
}

enum Seen {
    Waits(Attempt),
    Ready,
}

/// The reconnects of all sessions.
pub(crate) struct Comeback {
    sessions: usize,
    took: Duration,
    attempts: Vec<Attempt>,
}

impl Comeback {
    /// Starts to observe the sessions.
    pub(crate) fn watch(many_sessions: &ManySessions) -> Watch {
        let (tell, seen) = mpsc::unbounded_channel();
        for session in many_sessions.sessions() {
            let mut states = session.connection_states();
            let tell = tell.clone();
            tokio::spawn(async move {
                // A session is only counted as reconnected after a loss.
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
                            // The receiver may be gone.
                            let _ = tell.send(Seen::Ready);
                            return;
                        }
                        // An attempt without a delay is not recorded.
                        ConnectionState::Connecting { .. } => {
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

    /// Returns the figures after an announced restart, and `true` if the goal is met.
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

    /// Returns the figures after an unannounced restart, and `true` if the goal is met.
    pub(crate) fn unplanned(&self) -> (Value, bool) {
        let first: Vec<_> = self
            .first()
            .map(|attempt| attempt.until - attempt.since)
            .collect();
        // Later delays are scaled to thousandths of their upper limits.
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
    /// Waits until all sessions have lost their connection and are connected again.
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
