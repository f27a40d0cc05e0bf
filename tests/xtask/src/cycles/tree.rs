use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta};

/// The modules of a library, with their items. Module 0 is the root.
pub(super) struct Tree {
    modules: Vec<Module>,
}

pub(super) type ModuleId = usize;

pub(super) struct Module {
    pub(super) name: String,
    pub(super) parent: Option<ModuleId>,
    pub(super) children: BTreeMap<String, ModuleId>,
    /// The items, without modules.
    pub(super) items: Vec<Item>,
}

impl Tree {
    /// Reads a library from its root file.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self {
            modules: Vec::new(),
        };
        let folder = root.parent().context("the root file has no folder")?;
        tree.add("crate", None, read_items(root)?, Some(folder))?;
        Ok(tree)
    }

    /// Parses a library that is one string.
    #[cfg(test)]
    pub(super) fn parse(source: &str) -> Result<Self> {
        let mut tree = Self {
            modules: Vec::new(),
        };
        tree.add("crate", None, syn::parse_file(source)?.items, None)?;
        Ok(tree)
    }

    /// Adds a module and its descendants. `folder` holds the files of its children.
    fn add(
        &mut self,
        name: &str,
        parent: Option<ModuleId>,
        items: Vec<Item>,
        folder: Option<&Path>,
    ) -> Result<ModuleId> {
        let id = self.modules.len();
        let (children, items) = items
            .into_iter()
            .partition(|item| matches!(item, Item::Mod(_)));
        self.modules.push(Module {
            name: name.to_owned(),
            parent,
            children: BTreeMap::new(),
            items,
        });
        for child in children {
            let Item::Mod(child) = child else { continue };
            if is_for_tests(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let below = folder.map(|folder| folder.join(&name));
            let items = match (child.content, folder) {
                (Some((_, items)), _) => items,
                (None, Some(folder)) => {
                    let file = match path_attribute(&child.attrs) {
                        Some(path) => folder.join(path),
                        None => module_file(folder, &name)?,
                    };
                    read_items(&file)?
                }
                (None, None) => bail!("module {name} has no items"),
            };
            let child = self.add(&name, Some(id), items, below.as_deref())?;
            self.modules[id].children.insert(name, child);
        }
        Ok(id)
    }

    /// Returns the modules with their IDs.
    pub(super) fn modules(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.modules.iter().enumerate()
    }

    pub(super) fn get(&self, id: ModuleId) -> &Module {
        &self.modules[id]
    }

    /// Returns the path of a module, without the crate.
    pub(super) fn name(&self, id: ModuleId) -> String {
        let module = self.get(id);
        match module.parent {
            None | Some(0) => module.name.clone(),
            Some(parent) => format!("{}::{}", self.name(parent), module.name),
        }
    }

    /// Returns `true` if a module lies below another one.
    pub(super) fn is_below(&self, id: ModuleId, ancestor: ModuleId) -> bool {
        let mut parent = self.get(id).parent;
        while let Some(id) = parent {
            if id == ancestor {
                return true;
            }
            parent = self.get(id).parent;
        }
        false
    }
}

fn read_items(path: &Path) -> Result<Vec<Item>> {
    let read = || anyhow::Ok(syn::parse_file(&fs::read_to_string(path)?)?.items);
    read().with_context(|| path.display().to_string())
}

/// Returns the file that `#[path = "…"]` names.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let pair = attribute.meta.require_name_value().ok()?;
        match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(path),
                ..
            }) if pair.path.is_ident("path") => Some(path.value()),
            _ => None,
        }
    })
}

fn module_file(folder: &Path, name: &str) -> Result<PathBuf> {
    let candidates = [
        folder.join(format!("{name}.rs")),
        folder.join(name).join("mod.rs"),
    ];
    let found = candidates.into_iter().find(|path| path.is_file());
    found.with_context(|| format!("{}: no file for module {name}", folder.display()))
}

/// Returns `true` if an item exists only in tests.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return false;
        };
        let condition = list.tokens.to_string();
        let mut words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
        list.path.is_ident("cfg")
            && !condition.contains("not")
            && words.any(|word| matches!(word, "test" | "doctest" | "shuttle"))
    })
}
