//! Disruptions of the connections.

use anyhow::Result;
use fastrand::Rng;
use talk_emulator::Emulator;
use talk_emulator::server::{Fault, FaultKind};

use super::random::{pick, pick_weighted};
use super::world::WATCHERS;

/// A disruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disruption {
    /// Cuts all connections.
    Drop,
    /// Cuts the connection of a watcher.
    DropWatcher(&'static str),
    /// Executes the next changes and cuts the connection instead of answering.
    DropAnswers,
    /// Cuts all connections and refuses new ones until the disruption ends.
    Outage,
    /// Announces a restart to all clients and disconnects them.
    Restart,
    /// Keeps a watcher's connection open and silent.
    Stall(&'static str),
    /// Expires all sessions.
    Expiry,
    /// Refuses a watcher's next requests with a temporary error.
    Refusals(&'static str),
    /// Delays a watcher's next answers and the events behind them.
    Delays(&'static str),
}

impl Disruption {
    pub(super) fn choose(rng: &mut Rng) -> Self {
        let watcher = *pick(rng, &WATCHERS);
        let kinds = [
            (Self::Drop, 4),
            (Self::DropWatcher(watcher), 6),
            (Self::DropAnswers, 3),
            (Self::Outage, 3),
            (Self::Restart, 3),
            (Self::Stall(watcher), 1),
            (Self::Expiry, 2),
            (Self::Refusals(watcher), 4),
            (Self::Delays(watcher), 3),
        ];
        pick_weighted(rng, &kinds)
    }

    pub(super) async fn begin(self, emulator: &Emulator, rng: &mut Rng) -> Result<()> {
        let fault = |kind, user: Option<&str>, path: Option<&str>, times| Fault {
            user: user.map(str::to_owned),
            path: path.map(str::to_owned),
            times,
            ..Fault::new(kind)
        };
        match self {
            Self::Drop => emulator.drop_connections().await?,
            Self::DropWatcher(user) => {
                let drop = fault(FaultKind::Drop, Some(user), None, 1);
                emulator.inject(drop).await?;
            }
            Self::DropAnswers => {
                let drop = fault(
                    FaultKind::Drop,
                    None,
                    Some("/conversations"),
                    rng.u32(1..=3),
                );
                emulator.inject(drop).await?;
            }
            Self::Outage => {
                emulator.refuse_connections(true);
                emulator.drop_connections().await?;
            }
            Self::Restart => emulator.restart(true).await?,
            Self::Stall(user) => {
                let stall = fault(FaultKind::Stall, Some(user), None, 1);
                emulator.inject(stall).await?;
            }
            Self::Expiry => emulator.expire_tokens().await?,
            Self::Delays(user) => {
                let mut delays = fault(FaultKind::Slow, Some(user), None, rng.u32(1..=3));
                delays.after_ms = Some(rng.u64(50..500));
                emulator.inject(delays).await?;
            }
            Self::Refusals(user) => {
                let kind = *pick(rng, &[FaultKind::TooManyRequests, FaultKind::InternalError]);
                let refusals = fault(kind, Some(user), None, rng.u32(1..=5));
                emulator.inject(refusals).await?;
            }
        }
        Ok(())
    }

    /// Accepts connections again after an outage.
    pub(super) fn end(self, emulator: &Emulator) {
        if self == Self::Outage {
            emulator.refuse_connections(false);
        }
    }
}
