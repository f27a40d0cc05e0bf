use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::paths::{CodePath, Place, collect};
use super::tree::{ModuleId, Tree};

/// The imports between the modules of a library.
pub(super) struct Graph {
    imports: DiGraphMap<ModuleId, ()>,
}

/// The names that a module's imports bind: the module that each one comes from, and `true` if the
/// name is a module itself.
type Scope = BTreeMap<String, Bound>;

#[derive(Clone, Copy)]
struct Bound {
    module: ModuleId,
    is_module: bool,
    is_reexport: bool,
}

impl Graph {
    pub(super) fn new(tree: &Tree) -> Self {
        let paths: Vec<Vec<CodePath>> = tree.modules().map(|(_, module)| collect(module)).collect();
        let mut imports = DiGraphMap::new();
        let mut reexports = BTreeSet::new();
        for (id, _) in tree.modules() {
            imports.add_node(id);
            let scope = scope(tree, id, &paths[id]);
            for path in &paths[id] {
                if let Some(bound) = path.segments.first().and_then(|first| scope.get(first))
                    && bound.is_reexport
                    && matches!(path.place, Place::Code)
                {
                    imports.add_edge(id, bound.module, ());
                }
                // One segment is a local name, even if a module is called the same.
                if path.segments.len() == 1 && matches!(path.place, Place::Code) {
                    continue;
                }
                let Some((target, _)) = resolve(tree, &scope, id, &path.segments) else {
                    continue;
                };
                let is_reexport = matches!(
                    path.place,
                    Place::Use {
                        is_reexport: true,
                        ..
                    }
                );
                if is_reexport && tree.is_below(target, id) {
                    reexports.insert((id, target));
                } else if target != id {
                    imports.add_edge(id, target, ());
                }
            }
        }
        let feeds_descendants: BTreeSet<_> = imports
            .all_edges()
            .filter(|(from, to, ())| tree.is_below(*from, *to))
            .map(|(_, to, ())| to)
            .collect();
        for (from, to) in reexports {
            if feeds_descendants.contains(&from) {
                imports.add_edge(from, to, ());
            }
        }
        Self { imports }
    }

    /// Returns the strongly connected components, each sorted.
    pub(super) fn components(&self) -> Vec<Vec<ModuleId>> {
        let mut components = tarjan_scc(&self.imports);
        for component in &mut components {
            component.sort_unstable();
        }
        components
    }

    /// Returns the imports between the modules of a component, by name.
    pub(super) fn imports_within(
        &self,
        tree: &Tree,
        component: &[ModuleId],
    ) -> Vec<(String, String)> {
        let edges = self.imports.all_edges();
        let mut within: Vec<_> = edges
            .filter(|(from, to, ())| component.contains(from) && component.contains(to))
            .map(|(from, to, ())| (tree.name(from), tree.name(to)))
            .collect();
        within.sort();
        within
    }
}

/// Returns the names that a module's imports bind.
fn scope(tree: &Tree, module: ModuleId, paths: &[CodePath]) -> Scope {
    let mut scope = Scope::new();
    for path in paths {
        let Place::Use { binds, is_reexport } = &path.place else {
            continue;
        };
        let empty = Scope::new();
        if let Some((target, used)) = resolve(tree, &empty, module, &path.segments) {
            let bound = Bound {
                module: target,
                is_module: used == path.segments.len(),
                is_reexport: *is_reexport,
            };
            scope.insert(binds.clone(), bound);
        }
    }
    scope
}

/// Returns the module that a path leads to, and the number of segments that name it.
fn resolve(
    tree: &Tree,
    scope: &Scope,
    from: ModuleId,
    segments: &[String],
) -> Option<(ModuleId, usize)> {
    let (first, mut rest) = segments.split_first()?;
    let mut module = match first.as_str() {
        "crate" => 0,
        "self" if rest.is_empty() => return None,
        "self" => from,
        "super" => tree.get(from).parent?,
        name => match tree.get(from).children.get(name) {
            Some(child) => *child,
            None => {
                scope
                    .get(name)
                    .filter(|bound| bound.is_module && !rest.is_empty())?
                    .module
            }
        },
    };
    while let Some((next, after)) = rest.split_first() {
        module = match next.as_str() {
            "super" => tree.get(module).parent?,
            name => match tree.get(module).children.get(name) {
                Some(child) => *child,
                None => break,
            },
        };
        rest = after;
    }
    Some((module, segments.len() - rest.len()))
}
