//! The rows of the table: what is compared with what, and the goal.

use std::process::ExitCode;

use serde_json::json;

use crate::callgrind::per_frame;
use crate::work::Work;

/// A ratio, and the most that it may be.
pub(crate) struct Row {
    id: &'static str,
    what: String,
    ratio: f64,
    /// `None` = it is only told.
    goal: Option<f64>,
}

impl Row {
    fn is_met(&self) -> bool {
        self.goal.is_none_or(|goal| self.ratio <= goal)
    }
}

/// Counts, and compares. `quick` leaves out what takes long and has no goal.
pub(crate) fn measure(quick: bool) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let count = |work| per_frame(work, 1_000);

    let apply = count(Work::ApplyText)?;
    let value = count(Work::ValueText)?;
    let typed = count(Work::TypedText)?;
    rows.push(Row {
        id: "A-text",
        what: format!("text messages into a core, against serde_json reading them into Value ({apply:.0} : {value:.0} instructions a frame)"),
        ratio: apply / value,
        goal: Some(0.9),
    });
    rows.push(Row {
        id: "A-typed",
        what: format!("the same, against reading them into the core's own types ({typed:.0})"),
        ratio: apply / typed,
        goal: None,
    });
    let apply = count(Work::ApplyMix)?;
    let value = count(Work::ValueMix)?;
    rows.push(Row {
        id: "A-mix",
        what: format!("every kind of event into a core, against Value ({apply:.0} : {value:.0})"),
        ratio: apply / value,
        goal: Some(0.9),
    });

    let few = count(Work::Loaded(30))?;
    let sizes: &[(&'static str, u64, Option<f64>)] = if quick {
        &[("B", 10_000, Some(1.5))]
    } else {
        &[
            ("B-1000", 1_000, None),
            ("B", 10_000, Some(1.5)),
            ("B-100000", 100_000, None),
        ]
    };
    for &(id, loaded, goal) in sizes {
        let many = count(Work::Loaded(loaded))?;
        rows.push(Row {
            id,
            what: format!(
                "an event with {loaded} messages loaded, against 30 ({many:.0} : {few:.0})"
            ),
            ratio: many / few,
            goal,
        });
    }

    let one = count(Work::Beside(1))?;
    let sizes: &[(&'static str, u64, Option<f64>)] =
        &[("C-100", 100, None), ("C", 10_000, Some(1.2))];
    for &(id, beside, goal) in sizes.iter().skip(usize::from(quick)) {
        let many = count(Work::Beside(beside))?;
        rows.push(Row {
            id,
            what: format!("an event beside {beside} subscriptions that it does not concern, against 1 ({many:.0} : {one:.0})"),
            ratio: many / one,
            goal,
        });
    }
    Ok(rows)
}

/// Prints the rows; the exit code tells whether all goals are met.
pub(crate) fn print(rows: &[Row], as_json: bool) -> ExitCode {
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({"id": row.id, "what": row.what, "ratio": row.ratio, "goal": row.goal, "met": row.is_met()})
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
