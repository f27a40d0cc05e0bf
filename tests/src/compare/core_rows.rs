//! Rows A, B, C, E, I and K to N: the core, measured by the benchmarks of its package.

use std::process::Stdio;

use anyhow::{Context, Result};

use super::cargo::cargo;
use super::row::Row;
use super::table::Table;

/// The letters of the benchmarks' rows. Some rows have suffixes.
pub(super) const ROWS: [&str; 9] = ["A", "B", "C", "E", "I", "K", "L", "M", "N"];

const BENCHMARKS: [&str; 2] = ["core", "memory"];

/// Runs the benchmarks.
///
/// # Errors
///
/// If a benchmark cannot be run, or prints no rows.
pub(super) fn measure() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for benchmark in BENCHMARKS {
        rows.extend(run(benchmark)?);
    }
    rows.sort_by(|a, b| a.id.get(..1).cmp(&b.id.get(..1)));
    Ok(rows)
}

fn run(benchmark: &str) -> Result<Vec<Row>> {
    let arguments = [
        "bench",
        "-p",
        "talk-proto",
        "--bench",
        benchmark,
        "--",
        "--json",
    ];
    let command = format!("cargo {}", arguments.join(" "));
    let output = cargo()
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{command}` cannot be run"))?;
    // If a goal is missed, the command fails and still prints the rows.
    let text = String::from_utf8(output.stdout)?;
    parse(&text).with_context(|| format!("`{command}` printed no rows ({})", output.status))
}

fn parse(text: &str) -> Result<Vec<Row>> {
    let line = text.lines().rev().find(|line| line.starts_with('{'));
    let table: Table = serde_json::from_str(line.context("no line of JSON")?)?;
    Ok(table.rows)
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
