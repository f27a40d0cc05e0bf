use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::Workspace;

/// Counts by package and kind of finding.
pub(crate) type Counts = BTreeMap<String, BTreeMap<String, usize>>;

/// The largest counts that are allowed. A count without a ceiling must be zero.
///
/// The file has one line per count and a blank line between packages, so that two changes to
/// different packages merge without a conflict.
#[derive(Debug)]
pub struct Ceilings {
    path: PathBuf,
    name: String,
    counts: Counts,
}

/// The counts that differ from their ceilings.
#[derive(Debug)]
pub struct Report {
    name: String,
    above: Vec<Difference>,
    below: Vec<Difference>,
}

#[derive(Debug)]
struct Difference {
    package: String,
    kind: String,
    ceiling: usize,
    count: usize,
}

impl Ceilings {
    /// Reads `.ci/NAME.ceilings`. A missing file has no ceilings. In a file with the markers of a
    /// merge conflict, the lower one of two ceilings counts.
    ///
    /// # Errors
    ///
    /// If a line cannot be read.
    pub fn read(workspace: &Workspace, name: &str) -> Result<Self> {
        let path = workspace.root().join(format!(".ci/{name}.ceilings"));
        let mut counts = Counts::new();
        for line in fs::read_to_string(&path).unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            let package = match words.next() {
                None | Some("<<<<<<<" | "|||||||" | "=======" | ">>>>>>>") => continue,
                Some(package) => package,
            };
            let (kind, count) = words
                .next()
                .zip(words.next())
                .with_context(|| format!("{}: {line}", path.display()))?;
            let count = count.parse().with_context(|| line.to_owned())?;
            let kinds: &mut BTreeMap<_, usize> = counts.entry(package.to_owned()).or_default();
            let ceiling = kinds.entry(kind.to_owned()).or_insert(count);
            *ceiling = (*ceiling).min(count);
        }
        let name = name.to_owned();
        Ok(Self { path, name, counts })
    }

    /// Compares counts with the ceilings.
    #[must_use]
    pub fn compare(&self, counts: &Counts) -> Report {
        let mut report = Report {
            name: self.name.clone(),
            above: Vec::new(),
            below: Vec::new(),
        };
        let get = |counts: &Counts, package: &str, kind: &str| {
            let count = counts.get(package).and_then(|kinds| kinds.get(kind));
            count.copied().unwrap_or_default()
        };
        let keys = counts.iter().chain(&self.counts);
        let keys = keys.flat_map(|(package, kinds)| kinds.keys().map(move |kind| (package, kind)));
        let keys: BTreeSet<_> = keys.collect();
        for (package, kind) in keys {
            let difference = Difference {
                package: package.clone(),
                kind: kind.clone(),
                ceiling: get(&self.counts, package, kind),
                count: get(counts, package, kind),
            };
            if difference.count > difference.ceiling {
                report.above.push(difference);
            } else if difference.count < difference.ceiling {
                report.below.push(difference);
            }
        }
        report
    }

    /// Lowers every ceiling that is above its count. In a new file, every count is its ceiling.
    pub fn shrink(&mut self, counts: &Counts) {
        if self.counts.is_empty() {
            self.counts.clone_from(counts);
        }
        for (package, kinds) in &mut self.counts {
            for (kind, ceiling) in &mut *kinds {
                let count = counts.get(package).and_then(|kinds| kinds.get(kind));
                *ceiling = (*ceiling).min(count.copied().unwrap_or_default());
            }
            kinds.retain(|_, ceiling| *ceiling > 0);
        }
        self.counts.retain(|_, kinds| !kinds.is_empty());
    }

    /// Writes the ceilings to their file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self) -> Result<()> {
        let blocks: Vec<String> = self
            .counts
            .iter()
            .map(|(package, kinds)| {
                let lines = kinds.iter();
                lines
                    .map(|(kind, count)| format!("{package} {kind} {count}\n"))
                    .collect()
            })
            .collect();
        fs::write(&self.path, blocks.join("\n")).with_context(|| self.path.display().to_string())
    }
}

impl Report {
    /// Returns `true` if no count is above its ceiling.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.above.is_empty()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        for Difference {
            package,
            kind,
            ceiling,
            count,
        } in &self.above
        {
            writeln!(
                f,
                "{name}: {package}: {count} {kind}, the ceiling is {ceiling}"
            )?;
        }
        for Difference {
            package,
            kind,
            ceiling,
            count,
        } in &self.below
        {
            writeln!(
                f,
                "{name}: {package}: {count} {kind}, the ceiling {ceiling} can shrink"
            )?;
        }
        if !self.above.is_empty() {
            writeln!(f, "{name}: run `.ci/{name} --list` for the places")?;
        } else if !self.below.is_empty() {
            writeln!(f, "{name}: run `.ci/{name} --shrink`")?;
        }
        Ok(())
    }
}
