//! Commands that control a running emulator: `talk fault`, `talk snapshot` and `talk clock`.

mod clock;
mod connection;
mod fault;
mod snapshot;

pub(crate) use clock::{Options as ClockOptions, run_clock};
pub(crate) use connection::is_loopback;
pub(crate) use fault::{Options as FaultOptions, run_fault};
pub(crate) use snapshot::{Options as SnapshotOptions, run_snapshot};
