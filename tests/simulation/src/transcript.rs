//! Runs as text: the seed of the world, then one operation per line, all JSON.

use serde::{Deserialize, Serialize};

use super::op::Op;
use super::run::Failure;

/// A run that can be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The seed of its world.
    pub seed: u64,
    /// The invariant that the run broke when the transcript was written.
    pub rule: Option<String>,
    /// The operations.
    pub ops: Vec<Op>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

impl Transcript {
    /// Creates the transcript of a failed run.
    pub fn of_failure(seed: u64, failure: Option<&Failure>, ops: Vec<Op>) -> Self {
        let rule = failure.map(|failure| failure.rule.clone());
        Self { seed, rule, ops }
    }

    /// Parses the output of [`Display`](std::fmt::Display).
    ///
    /// # Errors
    ///
    /// If a line is not valid JSON for a head or an operation.
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
