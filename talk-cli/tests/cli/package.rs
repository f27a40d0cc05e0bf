//! The published package of the command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// Returns the names of the dependencies of a manifest.
fn dependencies(manifest: &str) -> BTreeSet<&str> {
    let mut is_inside = false;
    let names = manifest.lines().filter_map(|line| {
        if line.starts_with('[') {
            is_inside = line.ends_with("dependencies]") && !line.contains("dev-");
            return None;
        }
        let name = line.split(['.', ' ']).next().unwrap_or_default();
        (is_inside && !name.is_empty()).then_some(name)
    });
    names.collect()
}

#[test]
fn package_has_the_dependencies_of_the_command() {
    let (command, package) = (read("talk-cli/Cargo.toml"), read("talk-command/Cargo.toml"));
    assert_eq!(dependencies(&command), dependencies(&package));
}

#[test]
fn package_has_the_version_of_the_workspace() {
    let (workspace, package) = (read("Cargo.toml"), read("talk-command/Cargo.toml"));
    let version = workspace
        .lines()
        .find(|line| line.starts_with("version = "));
    let version = version.unwrap();
    assert!(package.lines().any(|line| line == version), "{version}");
    for line in package
        .lines()
        .filter(|line| line.contains("path = \"../talk-"))
    {
        assert!(line.contains(version), "{line}");
    }
}
