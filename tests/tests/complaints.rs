//! Checks that the tests in the list of complaints exist.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A row of a table: its number if it begins a theme, and its test if it names one.
struct Row {
    number: String,
    test: Option<(String, PathBuf)>,
}

fn rows() -> Vec<Row> {
    parse(&fs::read_to_string(Path::new(ROOT).join("tests/COMPLAINTS.md")).unwrap())
}

/// Returns the rows of the bounds in the README.
fn bounds() -> Vec<Row> {
    let readme = fs::read_to_string(Path::new(ROOT).join("tests/README.md")).unwrap();
    let (_, section) = readme.split_once("## Bounds\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    parse(section)
}

fn parse(table: &str) -> Vec<Row> {
    let rows = table.lines().filter_map(|line| {
        let cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
        let cells: Vec<_> = cells.map(str::trim).collect();
        let [number, _, test, file] = cells[..] else {
            panic!("not four cells: {line}");
        };
        let bare = |cell: &str| Some(cell.strip_prefix('`')?.strip_suffix('`')?.to_owned());
        let test = bare(file).map(|file| (bare(test).expect(line), file.into()));
        Some(Row {
            number: number.to_owned(),
            test,
        })
    });
    rows.collect()
}

/// Returns `true` if a file has a function of this name. It can be a test or a scenario that a
/// macro turns into tests.
fn has_test(file: &Path, name: &str) -> bool {
    let code = fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_default();
    ["(", "<"]
        .iter()
        .any(|after| code.contains(&format!("fn {name}{after}")))
}

/// Checks that the tests in these rows exist, and that there are more than `least` of them.
fn assert_tests_exist(rows: Vec<Row>, least: usize) {
    let named: Vec<_> = rows.into_iter().filter_map(|row| row.test).collect();
    assert!(named.len() > least, "only {} tests were found", named.len());
    for (name, file) in named {
        let path = file.display();
        assert!(has_test(&file, &name), "{name} is not in {path}");
    }
}

#[test]
fn complaints_name_existing_tests() {
    assert_tests_exist(rows(), 100);
}

#[test]
fn bounds_name_existing_tests() {
    assert_tests_exist(bounds(), 10);
}

#[test]
fn every_theme_has_a_row() {
    let numbers: BTreeSet<_> = rows().into_iter().map(|row| row.number).collect();
    let all = |prefix: &'static str, last| (1..=last).map(move |n| format!("{prefix}{n}"));
    let sections = [("", 22), ("R", 4), ("V", 24), ("P", 9), ("F", 15)];
    for number in sections
        .into_iter()
        .flat_map(|(prefix, last)| all(prefix, last))
    {
        assert!(numbers.contains(&number), "{number} is missing");
    }
}

#[test]
fn every_test_about_a_complaint_is_in_the_list() {
    let named: BTreeSet<_> = rows().into_iter().filter_map(|row| row.test).collect();
    let folder = Path::new("talk-proto/tests/complaints");
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let code = fs::read_to_string(&path).unwrap();
        for after in code.split("#[test]\nfn ").skip(1) {
            let (name, _) = after.split_once('(').unwrap();
            let test = (name.to_owned(), folder.join(path.file_name().unwrap()));
            assert!(named.contains(&test), "{name} is not in the list");
        }
    }
}
