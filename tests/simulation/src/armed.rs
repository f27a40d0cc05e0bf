//! Faults that wait for the phase in which they are injected.

use super::fault_kind::FaultKind;
use super::phase::Phase;

/// A fault that waits for its phase.
pub(super) struct Armed {
    pub(super) kind: FaultKind,
    pub(super) who: usize,
    pub(super) phase: Phase,
    pub(super) details: u32,
    /// The step at which it is injected in any phase.
    pub(super) until: u64,
}
