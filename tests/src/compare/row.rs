//! A row of the table.

use serde::{Deserialize, Serialize};

/// A measured ratio and its goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) what: String,
    /// `None` if the row has only figures.
    pub(super) ratio: Option<f64>,
    /// `None` if the ratio has no goal.
    pub(super) goal: Option<f64>,
    /// The direction of the goal.
    #[serde(default)]
    pub(super) bound: Bound,
    pub(super) met: bool,
}

/// The direction of a goal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    /// The ratio is a cost, which must not exceed the goal.
    #[default]
    AtMost,
    /// The ratio is a speed, which must reach the goal.
    AtLeast,
}

impl Row {
    /// Creates a row for a cost that must not exceed `goal`.
    pub(super) fn at_most(goal: f64, id: &str, ratio: f64, what: String) -> Self {
        Self {
            goal: Some(goal),
            met: ratio <= goal,
            ..Self::without_goal(id, Some(ratio), what)
        }
    }

    /// Creates a row for a speed that must reach `goal`.
    pub(super) fn at_least(goal: f64, id: &str, ratio: f64, what: String) -> Self {
        Self {
            goal: Some(goal),
            bound: Bound::AtLeast,
            met: ratio >= goal,
            ..Self::without_goal(id, Some(ratio), what)
        }
    }

    /// Creates a row without a goal.
    pub(super) fn without_goal(id: &str, ratio: Option<f64>, what: String) -> Self {
        Self {
            id: id.to_owned(),
            what,
            ratio,
            goal: None,
            bound: Bound::default(),
            met: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goal_bounds_costs_above_and_speeds_below() {
        let cost = |ratio| Row::at_most(1.3, "F", ratio, String::new()).met;
        assert!(cost(1.3) && !cost(1.31));
        let speed = |ratio| Row::at_least(0.8, "G", ratio, String::new()).met;
        assert!(speed(0.8) && !speed(0.79));
        assert!(!cost(f64::NAN) && !speed(f64::NAN));
        assert!(Row::without_goal("J", None, String::new()).met);
    }
}
