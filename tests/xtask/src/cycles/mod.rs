//! Import cycles: modules of a crate that import from each other in a ring.
//!
//! The graph has an edge from a module to each module that one of its paths names. A `mod`
//! declaration is no import. A re-export from a descendant is an import only if some descendant of
//! the re-exporting module imports from it, or if that module uses the re-exported name itself.
//! Code behind `cfg(test)` is left out. Two modules may import from each other: a cycle is a
//! strongly connected component of more than two.

mod graph;
mod paths;
mod tree;

use std::fmt::{self, Display, Formatter};

use anyhow::Result;

use self::graph::Graph;
use self::tree::Tree;
use crate::Workspace;
use crate::ceilings::Counts;

/// A strongly connected component of a package's module graph.
#[derive(Debug)]
pub struct Cycle {
    package: String,
    modules: Vec<String>,
    imports: Vec<(String, String)>,
}

/// Components up to this size are allowed.
const ALLOWED: usize = 2;

/// Returns the cycles of every package, the largest of a package first.
///
/// # Errors
///
/// If a source file cannot be read or parsed.
pub fn find(workspace: &Workspace) -> Result<Vec<Cycle>> {
    let mut cycles = Vec::new();
    for package in workspace.packages() {
        if let Some(root) = package.crate_root() {
            let tree = Tree::read(&root)?;
            cycles.extend(find_in(package.name(), &tree));
        }
    }
    Ok(cycles)
}

fn find_in(package: &str, tree: &Tree) -> Vec<Cycle> {
    let graph = Graph::new(tree);
    let components = graph.components().into_iter();
    let mut cycles: Vec<_> = components
        .filter(|component| component.len() > ALLOWED)
        .map(|component| Cycle {
            package: package.to_owned(),
            imports: graph.imports_within(tree, &component),
            modules: component.iter().map(|module| tree.name(*module)).collect(),
        })
        .collect();
    cycles.sort_by_key(|cycle| std::cmp::Reverse(cycle.modules.len()));
    cycles
}

/// Counts the modules of the largest cycle and of all cycles, by package.
#[must_use]
pub fn count(cycles: &[Cycle]) -> Counts {
    let mut counts = Counts::new();
    for cycle in cycles {
        let size = cycle.modules.len();
        let kinds = counts.entry(cycle.package.clone()).or_default();
        let largest = kinds
            .entry("modules-in-largest-cycle".to_owned())
            .or_default();
        *largest = size.max(*largest);
        *kinds.entry("modules-in-cycles".to_owned()).or_default() += size;
    }
    counts
}

impl Display for Cycle {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            package, modules, ..
        } = self;
        writeln!(
            f,
            "{package}: a cycle of {} modules: {}",
            modules.len(),
            modules.join(", ")
        )?;
        for (from, to) in &self.imports {
            writeln!(f, "    {from} -> {to}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the modules of the cycles in a crate that is given as one file.
    fn cycles(source: &str) -> Vec<String> {
        let tree = Tree::parse(source).unwrap();
        let cycles = find_in("package", &tree).into_iter();
        cycles.map(|cycle| cycle.modules.join(" ")).collect()
    }

    #[test]
    fn two_modules_that_import_each_other_are_allowed() {
        let source = "mod a { use crate::b::B; } mod b { use super::a::A; }";
        assert!(cycles(source).is_empty());
    }

    #[test]
    fn ring_of_three_is_a_cycle() {
        let source =
            "mod a { use crate::b::B; } mod b { use super::c; } mod c { fn f(_: crate::a::A) {} }";
        assert_eq!(cycles(source), ["a b c"]);
    }

    #[test]
    fn path_in_a_macro_is_an_import() {
        let source = "mod a { use crate::b::B; } mod b { use super::c; } \
            mod c { fn f() { vec![crate::a::A] } }";
        assert_eq!(cycles(source), ["a b c"]);
    }

    #[test]
    fn path_through_an_imported_module_is_an_import() {
        let source = "mod a { use crate::b; fn f() { b::c::g() } } \
            mod b { pub mod c { use crate::d; } } mod d { use crate::a; }";
        assert_eq!(cycles(source), ["a b::c d"]);
    }

    #[test]
    fn reexport_of_children_is_no_import() {
        let source = "pub use a::A; pub use b::B; mod a { use crate::b::B; } mod b {}";
        assert!(cycles(source).is_empty());
    }

    #[test]
    fn reexport_counts_if_a_child_imports_from_the_parent() {
        let source = "pub use a::A; pub use b::B; mod a { use crate::B; } mod b { use crate::A; }";
        assert_eq!(cycles(source), ["crate a b"]);
    }

    #[test]
    fn reexport_counts_if_the_parent_uses_the_name() {
        let source = "mod p { pub use self::a::A; pub struct P(A); pub mod a { use crate::q; } } \
            mod q { use crate::p::P; }";
        assert_eq!(cycles(source), ["p p::a q"]);
    }

    #[test]
    fn local_name_of_a_module_is_no_import() {
        let source = "fn f(b: u8) { b; } mod b { use super::c; } mod c { use super::D; }";
        assert!(cycles(source).is_empty());
    }

    #[test]
    fn code_for_tests_is_left_out() {
        let source = "mod a { use crate::b::B; } mod b { use super::c; } \
            mod c { #[cfg(test)] mod tests { use crate::a::A; } #[cfg(test)] use crate::a::A; }";
        assert!(cycles(source).is_empty());
    }
}
