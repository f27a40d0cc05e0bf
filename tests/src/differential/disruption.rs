//! What happens to the connections.

use anyhow::Result;
use fastrand::Rng;
use talk_emulator::Emulator;
use talk_emulator::server::{Fault, FaultKind};

use super::random::{pick, pick_weighted};
use super::world::WATCHERS;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disruption {
    /// All connections are cut.
    Drop,
    /// A watcher's connection is cut; the others go on.
    DropWatcher(&'static str),
    /// The next requests to change something are done, and the connection is cut instead of an
    /// answer.
    DropAnswers,
    /// All connections are cut, and no new ones are let in before it is over.
    Outage,
    /// A restart is announced to all, and they are disconnected.
    Restart,
    /// A watcher's connection stays open and silent.
    Stall(&'static str),
    /// All sessions expire.
    Expiry,
    /// A watcher's next requests are refused for the moment.
    Refusals(&'static str),
    /// A watcher's next answers come late, and so do the events behind them.
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

    /// Lets connections in again.
    pub(super) fn end(self, emulator: &Emulator) {
        if self == Self::Outage {
            emulator.refuse_connections(false);
        }
    }
}
