//! The rows of a table of ratios.

use std::process::ExitCode;

use serde_json::json;

/// A ratio and its maximum.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    /// The two compared quantities.
    pub(crate) what: String,
    pub(crate) ratio: f64,
    /// The maximum; `None` if the ratio is only reported.
    pub(crate) goal: Option<f64>,
}

impl Row {
    fn is_met(&self) -> bool {
        self.goal.is_none_or(|goal| self.ratio <= goal)
    }
}

/// Prints the rows. The exit code reports if all goals are met.
pub(crate) fn print(rows: &[Row], as_json: bool) -> ExitCode {
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "id": row.id, "what": row.what, "ratio": row.ratio, "goal": row.goal,
                    "met": row.is_met(),
                })
            })
            .collect();
        println!("{}", json!({ "rows": rows }));
    } else {
        for row in rows {
            let goal = row
                .goal
                .map_or_else(String::new, |goal| format!("≤ {goal}"));
            let met = if row.is_met() { "" } else { "MISSED" };
            println!(
                "{:<9} {:>7.3} {goal:<6} {met:<7} {}",
                row.id, row.ratio, row.what
            );
        }
    }
    if rows.iter().all(Row::is_met) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
