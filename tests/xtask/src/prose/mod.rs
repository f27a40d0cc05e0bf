//! The style of comments, documentation and names.

mod place;
mod rust;
mod text;

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use self::place::{Kind, Place};
use crate::Workspace;
use crate::ceilings::Counts;

/// A place that the style rules out.
#[derive(Debug)]
pub struct Finding {
    package: String,
    path: PathBuf,
    line: usize,
    kind: Kind,
    detail: String,
}

/// Returns all findings in the workspace, by package and path.
///
/// # Errors
///
/// If a source file cannot be read or parsed.
pub fn find(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in workspace.packages() {
        for path in package.files()? {
            let places = find_in(&path).with_context(|| path.display().to_string())?;
            findings.extend(places.into_iter().map(|place| Finding {
                package: package.name().to_owned(),
                path: workspace.relative(&path).to_owned(),
                line: place.line,
                kind: place.kind,
                detail: place.detail,
            }));
        }
    }
    Ok(findings)
}

fn find_in(path: &Path) -> Result<Vec<Place>> {
    let source = fs::read_to_string(path)?;
    if path.extension().is_some_and(|kind| kind == "md") {
        return Ok(text::check_markdown(&source));
    }
    let mut places = text::check_comments(&source);
    places.extend(rust::check(&source)?);
    Ok(places)
}

/// Counts the findings by package and kind.
#[must_use]
pub fn count(findings: &[Finding]) -> Counts {
    let mut counts = Counts::new();
    for finding in findings {
        let kinds = counts.entry(finding.package.clone()).or_default();
        *kinds.entry(finding.kind.name().to_owned()).or_default() += 1;
    }
    counts
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            kind,
            detail,
            ..
        } = self;
        write!(f, "{}:{line}: {}: {detail}", path.display(), kind.name())
    }
}
