//! All rows together, as a table and as JSON.

use std::fmt;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::row::{Bound, Row};

/// The rows in the order of the table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// Returns a failure if a goal is missed.
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.all_met() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn all_met(&self) -> bool {
        self.rows.iter().all(|row| row.met)
    }
}

/// Formats the rows as a Markdown table.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| id | comparison | ratio | goal | met |")?;
        write!(f, "| --- | --- | ---: | ---: | --- |")?;
        for row in &self.rows {
            let ratio = row.ratio.map(|ratio| format!("{ratio:.2}"));
            let goal = row.goal.map(|goal| match row.bound {
                Bound::AtMost => format!("≤ {goal}"),
                Bound::AtLeast => format!("≥ {goal}"),
            });
            let met = match row.goal {
                None => "",
                Some(_) if row.met => "yes",
                Some(_) => "NO",
            };
            write!(
                f,
                "\n| `{}` | {} | {} | {} | {met} |",
                row.id,
                row.what,
                ratio.unwrap_or_default(),
                goal.unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> Table {
        Table {
            rows: vec![
                Row::at_least(1.0, "D", 1.234, "faster".to_owned()),
                Row::at_most(1.3, "F", 1.5, "slower".to_owned()),
                Row::without_goal("J", None, "3 MiB".to_owned()),
            ],
        }
    }

    #[test]
    fn table_display_is_markdown() {
        let text = "\
| id | comparison | ratio | goal | met |
| --- | --- | ---: | ---: | --- |
| `D` | faster | 1.23 | ≥ 1 | yes |
| `F` | slower | 1.50 | ≤ 1.3 | NO |
| `J` | 3 MiB |  |  |  |";
        assert_eq!(table().to_string(), text);
    }

    #[test]
    fn table_serialises_as_json() {
        let json = json!({"rows": [
            {"id": "D", "what": "faster", "ratio": 1.234, "goal": 1.0,
                "bound": "at_least", "met": true},
            {"id": "F", "what": "slower", "ratio": 1.5, "goal": 1.3,
                "bound": "at_most", "met": false},
            {"id": "J", "what": "3 MiB", "ratio": null, "goal": null,
                "bound": "at_most", "met": true},
        ]});
        assert_eq!(serde_json::to_value(table()).unwrap(), json);
    }

    #[test]
    fn table_with_a_missed_goal_fails() {
        let mut table = table();
        assert!(!table.all_met());
        table.rows.remove(1);
        assert!(table.all_met());
    }
}
