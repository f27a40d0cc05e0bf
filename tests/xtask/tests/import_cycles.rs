//! The workspace's import cycles are within their ceilings.

#![allow(clippy::unwrap_used)]

use xtask::{Ceilings, Workspace, cycles};

#[test]
fn import_cycles_are_within_ceilings() {
    let workspace = Workspace::find().unwrap();
    let cycles = cycles::find(&workspace).unwrap();
    let ceilings = Ceilings::read(&workspace, "cycles").unwrap();
    let report = ceilings.compare(&cycles::count(&cycles));
    assert!(report.is_within(), "{report}");
}
