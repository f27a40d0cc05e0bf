//! Checks of the workspace.

#![allow(clippy::unwrap_used)]

use std::fs;

use crate::{Ceilings, Workspace, cycles};

#[test]
fn import_cycles_are_within_ceilings() {
    let workspace = Workspace::find().unwrap();
    let cycles = cycles::find(&workspace).unwrap();
    let ceilings = Ceilings::read(&workspace, "cycles").unwrap();
    let report = ceilings.compare(&cycles::count(&cycles));
    assert!(report.is_within(), "{report}");
}

/// With a `tests/main.rs`, Cargo does not look for further tests. A forgotten file would not run.
#[test]
fn files_of_tests_belong_to_a_program() {
    let workspace = Workspace::find().unwrap();
    let mut checked = 0;
    for package in workspace.packages() {
        let mut files = package.files().unwrap();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
        let Some(main) = files.iter().find(|file| file.ends_with("tests/main.rs")) else {
            continue;
        };
        let folder = main.parent().unwrap();
        let manifest = fs::read_to_string(folder.with_file_name("Cargo.toml")).unwrap();
        let roots = files.iter().filter(|file| file.parent() == Some(folder));
        let roots: String = roots
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        for path in files
            .iter()
            .filter_map(|file| file.strip_prefix(folder).ok())
        {
            let first = path.iter().next().unwrap().to_str().unwrap();
            let name = first.trim_end_matches(".rs");
            let is_known = name == "main"
                || roots.contains(&format!("mod {name};"))
                || manifest.contains(&format!("name = \"{name}\""));
            let path = workspace.relative(folder).join(path);
            assert!(is_known, "{} is in no program", path.display());
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} files were found");
}
