//! The options of a comparison, and the selection of its rows.

use std::path::PathBuf;

use anyhow::{Result, ensure};

/// The letters of all rows, in the order of the table.
pub(super) const ROWS: &str = "ABCDEFGHIJKLMNOP";

/// The rows to measure, and the output format.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The IDs of rows. A letter stands for all rows that begin with it. If empty, all rows are
    /// measured.
    pub rows: Vec<String>,
    /// Set to print JSON instead of a table.
    pub json: bool,
    /// Set to measure the published client in addition to row D.
    pub node: bool,
    /// Set to measure builds from scratch for row J, which takes minutes.
    pub build: bool,
    /// Set to measure the core with shorter lists, and without reconnects.
    pub quick: bool,
    /// Set to leave out the rows of the core's benchmarks.
    pub no_core: bool,
    /// Set to draw plots in this folder instead of measuring rows.
    pub plot: Option<PathBuf>,
}

impl Options {
    /// Returns `true` if the row is measured.
    pub(super) fn wants(&self, id: &str) -> bool {
        let is_it = |row: &String| row == id || row.len() == 1 && id.starts_with(row.as_str());
        self.rows.is_empty() || self.rows.iter().any(is_it)
    }

    /// Returns `true` if a row with this letter is measured.
    pub(super) fn wants_any(&self, letter: char) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|row| row.starts_with(letter))
    }

    /// Checks the names of the rows.
    pub(super) fn check(&self) -> Result<()> {
        for row in &self.rows {
            let letter = row
                .split_once('-')
                .map_or(row.as_str(), |(letter, _)| letter);
            let known = letter.len() == 1 && ROWS.contains(letter);
            ensure!(known, "there is no row {row:?}, only {ROWS}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_by_id_or_letter() {
        let options = |rows: &str| Options {
            rows: rows.split_terminator(',').map(str::to_owned).collect(),
            ..Options::default()
        };
        let some = options("P-many,O");
        assert!(some.check().is_ok());
        assert!(some.wants("P-many") && some.wants("O-sent") && some.wants_any('P'));
        assert!(!some.wants("P") && !some.wants("P-one") && !some.wants_any('D'));
        assert!(options("").wants("P"));
        assert!(options("Z").check().is_err() && options("Pmany").check().is_err());
    }
}
