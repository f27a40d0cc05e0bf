//! Runs as text: the seed of the world, then one operation per line, all JSON.

use serde::{Deserialize, Serialize};

use super::op::Op;
use super::run::{Failure, WorldKind};

/// A run that can be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The kind of its world.
    pub world: WorldKind,
    /// The seed of its world.
    pub seed: u64,
    /// The invariant that the run broke when the transcript was written.
    pub rule: Option<String>,
    /// The operations.
    pub ops: Vec<Op>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(default, skip_serializing_if = "is_default")]
    world: WorldKind,
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

/// Returns `true` if the world is of the default kind.
fn is_default(world: &WorldKind) -> bool {
    *world == WorldKind::default()
}

impl Transcript {
    /// Creates the transcript of a failed run.
    pub fn of_failure(
        world: WorldKind,
        seed: u64,
        failure: Option<&Failure>,
        ops: Vec<Op>,
    ) -> Self {
        let rule = failure.map(|failure| failure.rule.clone());
        Self {
            world,
            seed,
            rule,
            ops,
        }
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
        let Head { world, seed, rule } = head;
        Ok(Self {
            world,
            seed,
            rule,
            ops,
        })
    }
}

impl std::fmt::Display for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let json = |value: serde_json::Result<String>| value.map_err(|_| std::fmt::Error);
        let (world, seed, rule) = (self.world, self.seed, self.rule.clone());
        let head = Head { world, seed, rule };
        writeln!(f, "{}", json(serde_json::to_string(&head))?)?;
        for op in &self.ops {
            writeln!(f, "{}", json(serde_json::to_string(op))?)?;
        }
        Ok(())
    }
}
