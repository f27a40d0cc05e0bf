//! The rows of a table of ratios.

use std::process::ExitCode;

use serde_json::json;

/// A ratio and its goal.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    /// The two compared quantities.
    pub(crate) what: String,
    pub(crate) ratio: f64,
    /// `None` if the ratio is only reported.
    pub(crate) goal: Option<Goal>,
}

/// The maxima of a ratio.
#[derive(Clone, Copy)]
pub(crate) struct Goal {
    ratio: f64,
    /// The ratio above which the benchmark fails.
    ceiling: f64,
}

impl Goal {
    /// Creates a goal that must be met.
    pub(crate) fn of(ratio: f64) -> Self {
        Self::with_ceiling(ratio, ratio)
    }

    /// Creates a goal that is missed or met narrowly. The benchmark fails only if the ratio exceeds
    /// `ceiling`.
    pub(crate) fn with_ceiling(ratio: f64, ceiling: f64) -> Self {
        Self { ratio, ceiling }
    }
}

/// The rows to measure.
#[derive(Clone, Default)]
pub(crate) struct Selection {
    /// Set to leave out slow rows.
    pub(crate) quick: bool,
    /// The IDs of rows. A letter stands for all rows that begin with it. If empty, all rows are
    /// measured.
    rows: Vec<String>,
}

impl Selection {
    /// Reads the arguments `--quick` and `--rows A,P-many`, and ignores others.
    pub(crate) fn parse(arguments: &[String]) -> Self {
        let mut values = arguments.iter().skip_while(|it| *it != "--rows").skip(1);
        let rows = values.next().into_iter().flat_map(|rows| rows.split(','));
        Self {
            quick: arguments.iter().any(|it| it == "--quick"),
            rows: rows.map(str::to_owned).collect(),
        }
    }

    /// Returns `true` if the row is selected.
    pub(crate) fn wants(&self, id: &str) -> bool {
        let is_it = |row: &String| row == id || row.len() == 1 && id.starts_with(row.as_str());
        self.rows.is_empty() || self.rows.iter().any(is_it)
    }

    /// Returns `true` if a row with this letter is selected.
    pub(crate) fn wants_any(&self, letter: char) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|row| row.starts_with(letter))
    }
}

impl Row {
    fn is_met(&self) -> bool {
        self.goal.is_none_or(|goal| self.ratio <= goal.ratio)
    }

    fn is_accepted(&self) -> bool {
        self.goal.is_none_or(|goal| self.ratio <= goal.ceiling)
    }
}

/// Prints the rows. The exit code is a failure if a ratio exceeds the ceiling of its goal.
pub(crate) fn print(rows: &[Row], as_json: bool) -> ExitCode {
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "id": row.id, "what": row.what, "ratio": row.ratio,
                    "goal": row.goal.map(|goal| goal.ratio), "met": row.is_met(),
                })
            })
            .collect();
        println!("{}", json!({ "rows": rows }));
    } else {
        for row in rows {
            let goal = row
                .goal
                .map_or_else(String::new, |goal| format!("≤ {}", goal.ratio));
            let met = if row.is_met() { "" } else { "MISSED" };
            println!(
                "{:<9} {:>7.3} {goal:<6} {met:<7} {}",
                row.id, row.ratio, row.what
            );
        }
    }
    if rows.iter().all(Row::is_accepted) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
