//! Lives on paper: the seed of the world, then one act a line, all JSON.

use serde::{Deserialize, Serialize};

use super::op::Op;
use super::run::Failure;

/// A life that can be lived again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The seed of its world.
    pub seed: u64,
    /// The rule that it broke, when it was written down.
    pub rule: Option<String>,
    /// What is done.
    pub ops: Vec<Op>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

impl Transcript {
    /// A life that failed.
    pub fn of_failure(seed: u64, failure: Option<&Failure>, ops: Vec<Op>) -> Self {
        let rule = failure.map(|failure| failure.rule.clone());
        Self { seed, rule, ops }
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    ///
    /// # Errors
    /// Those of JSON, when a line is no head or act.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let head: Head = serde_json::from_str(lines.next().unwrap_or_default())?;
        let ops = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
        let Head { seed, rule } = head;
        Ok(Self { seed, rule, ops })
    }
}

impl std::fmt::Display for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let json = |value: serde_json::Result<String>| value.map_err(|_| std::fmt::Error);
        let (seed, rule) = (self.seed, self.rule.clone());
        writeln!(f, "{}", json(serde_json::to_string(&Head { seed, rule }))?)?;
        for op in &self.ops {
            writeln!(f, "{}", json(serde_json::to_string(op))?)?;
        }
        Ok(())
    }
}
