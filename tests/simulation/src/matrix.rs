//! The number of injections of each fault in each phase.

use std::collections::BTreeMap;
use std::fmt;

use super::fault_kind::FaultKind;
use super::phase::Phase;

/// The number of injections of each fault in each phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix(BTreeMap<(FaultKind, Phase), u64>);

impl Matrix {
    pub(super) fn count(&mut self, kind: FaultKind, phase: Phase) {
        *self.0.entry((kind, phase)).or_default() += 1;
    }

    /// Adds the counts of another matrix.
    pub fn add(&mut self, other: &Self) {
        for (pair, count) in &other.0 {
            *self.0.entry(*pair).or_default() += count;
        }
    }

    /// Returns the number of injections of a fault in a phase.
    pub fn get(&self, kind: FaultKind, phase: Phase) -> u64 {
        self.0.get(&(kind, phase)).copied().unwrap_or(0)
    }

    /// Returns the number of injections of each fault in all phases.
    pub fn by_kind(&self) -> BTreeMap<String, u64> {
        let sum = |kind| Phase::ALL.iter().map(|phase| self.get(kind, *phase)).sum();
        let kinds = self.kinds();
        kinds.map(|&kind| (name(kind), sum(kind))).collect()
    }

    /// Returns the kinds of sessions, and the kinds of bots if there are any.
    fn kinds(&self) -> impl Iterator<Item = &FaultKind> {
        let is_of_bots = |kind: &&FaultKind| self.0.keys().any(|(other, _)| other == *kind);
        let of_bots = FaultKind::OF_BOTS.iter().filter(is_of_bots);
        FaultKind::ALL.iter().chain(of_bots)
    }
}

fn name(of: impl serde::Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Formats the matrix as a Markdown table.
impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phases = Phase::ALL.map(name);
        writeln!(f, "| fault | {} |", phases.join(" | "))?;
        writeln!(f, "|---|{}", "---:|".repeat(phases.len()))?;
        for kind in self.kinds() {
            let counts = Phase::ALL.map(|phase| self.get(*kind, phase).to_string());
            writeln!(f, "| {} | {} |", name(kind), counts.join(" | "))?;
        }
        Ok(())
    }
}
