use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemUse, Macro, UseTree, Visibility};

use super::tree::{Module, is_for_tests};

/// A path in a module's code.
#[derive(Debug)]
pub(super) struct CodePath {
    pub(super) segments: Vec<String>,
    pub(super) place: Place,
}

/// The place of a path.
#[derive(Debug)]
pub(super) enum Place {
    /// An import, with the name that it binds.
    Use { binds: String, is_reexport: bool },
    /// Any other code.
    Code,
}

/// Collects the paths of a module, without those in code for tests.
pub(super) fn collect(module: &Module) -> Vec<CodePath> {
    let mut collector = Collector { paths: Vec::new() };
    for item in &module.items {
        collector.visit_item(item);
    }
    collector.paths
}

struct Collector {
    paths: Vec<CodePath>,
}

impl Collector {
    fn add_use(&mut self, prefix: &[String], tree: &UseTree, is_reexport: bool) {
        let add = |this: &mut Self, last: Option<&syn::Ident>, binds: String| {
            let mut segments = prefix.to_vec();
            segments.extend(last.filter(|last| *last != "self").map(ToString::to_string));
            let place = Place::Use { binds, is_reexport };
            this.paths.push(CodePath { segments, place });
        };
        match tree {
            UseTree::Path(path) => {
                let mut prefix = prefix.to_vec();
                prefix.push(path.ident.to_string());
                self.add_use(&prefix, &path.tree, is_reexport);
            }
            UseTree::Name(name) if name.ident == "self" => {
                let binds = prefix.last().cloned().unwrap_or_default();
                add(self, None, binds);
            }
            UseTree::Name(name) => add(self, Some(&name.ident), name.ident.to_string()),
            UseTree::Rename(rename) => add(self, Some(&rename.ident), rename.rename.to_string()),
            UseTree::Glob(_) => add(self, None, String::new()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(prefix, tree, is_reexport);
                }
            }
        }
    }

    /// Collects the paths in a macro's tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut segments: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut paths = Vec::new();
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        paths.push(std::mem::take(&mut segments));
                    }
                    segments.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    paths.push(std::mem::take(&mut segments));
                    self.add_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    paths.push(std::mem::take(&mut segments));
                    colons = 0;
                }
            }
        }
        paths.push(segments);
        let paths = paths.into_iter().filter(|segments| !segments.is_empty());
        self.paths.extend(paths.map(|segments| CodePath {
            segments,
            place: Place::Code,
        }));
    }
}

fn attributes(item: &syn::Item) -> &[Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.add_use(&[], &item.tree, is_reexport);
    }

    // `pub(in path)` is no import.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        self.paths.push(CodePath {
            segments: segments.collect(),
            place: Place::Code,
        });
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.visit_path(&item.path);
        self.add_tokens(item.tokens.clone());
    }
}
