//! Rows A, B, C, E, I and K to P: the core, measured by the benchmarks of its package.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::cargo::cargo;
use super::options::Options;
use super::row::Row;
use super::table::Table;

/// The benchmarks, each with its rows. A letter stands for all rows that begin with it.
const BENCHMARKS: [(&str, &[&str]); 2] = [
    (
        "core",
        &[
            "A",
            "B",
            "C",
            "I",
            "K",
            "L",
            "M",
            "N",
            "O-restore",
            "O-enqueue",
            "P-many",
            "P-one",
        ],
    ),
    ("memory", &["E", "O-entry", "P-stalled"]),
];

/// Runs the benchmarks of the selected rows.
///
/// # Errors
///
/// If a benchmark cannot be run, or prints no rows.
pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut flags = vec!["--json"];
    if options.quick {
        flags.push("--quick");
    }
    let selected = options.rows.join(",");
    if !options.rows.is_empty() {
        flags.extend(["--rows", selected.as_str()]);
    }
    let mut rows = Vec::new();
    for (benchmark, of) in BENCHMARKS {
        let is_wanted = |row: &&str| match row.chars().next() {
            Some(letter) if row.len() == 1 => options.wants_any(letter),
            _ => options.wants(row),
        };
        if of.iter().any(is_wanted) {
            rows.extend(parse(&output(benchmark, &flags)?)?);
        }
    }
    rows.sort_by(|a, b| a.id.get(..1).cmp(&b.id.get(..1)));
    Ok(rows)
}

/// Runs a benchmark and returns its output.
pub(super) fn output(benchmark: &str, flags: &[&str]) -> Result<String> {
    let bench = ["bench", "-p", "talk-proto", "--bench", benchmark, "--"];
    let arguments = [&bench, flags].concat();
    let command = format!("cargo {}", arguments.join(" "));
    let output = cargo()
        .args(&arguments)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{command}` cannot be run"))?;
    // If a goal is missed, the command fails and still prints the rows.
    let text = String::from_utf8(output.stdout)?;
    let has_result = text.lines().any(is_result);
    ensure!(
        has_result,
        "`{command}` printed no result ({})",
        output.status
    );
    Ok(text)
}

fn parse(text: &str) -> Result<Vec<Row>> {
    let table: Table = serde_json::from_str(result(text)?)?;
    Ok(table.rows)
}

/// Returns the last line of JSON.
pub(super) fn result(text: &str) -> Result<&str> {
    let line = text.lines().rev().find(|line| is_result(line));
    line.context("no line of JSON")
}

fn is_result(line: &str) -> bool {
    line.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_from_the_last_line_of_json() {
        let text = "warmed up\n\
            {\"rows\":[{\"id\":\"A-text\",\"what\":\"w\",\"ratio\":0.95,\"goal\":0.9,\"met\":false,\
            \"instructions\":7},\
            {\"id\":\"A-typed\",\"what\":\"w\",\"ratio\":1.5,\"goal\":null,\"met\":true}]}\n";
        let expected = [
            Row::at_most(0.9, "A-text", 0.95, "w".to_owned()),
            Row::without_goal("A-typed", Some(1.5), "w".to_owned()),
        ];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn output_without_rows_is_an_error() {
        assert!(parse("").is_err());
        assert!(parse("{\"rows\": 1}").is_err());
    }
}
