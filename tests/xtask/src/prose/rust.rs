//! Functions: their names, and the documentation of those that return a `bool`.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, ReturnType, Signature, Type};

use super::place::{Kind, Place};
use super::text::name_has_word;

/// Checks the functions of a Rust file.
pub(super) fn check(source: &str) -> syn::Result<Vec<Place>> {
    let mut functions = Functions {
        places: check_names(source),
    };
    // Parsing takes most of the time.
    if source.contains("-> bool") {
        functions.visit_file(&syn::parse_file(source)?);
    }
    Ok(functions.places)
}

/// Checks the names of functions by lines, since many tests stand in macros.
fn check_names(source: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let line = line.trim_start();
        let Some((before, after)) = line.split_once("fn ") else {
            continue;
        };
        let is_declaration = before.is_empty() || before.ends_with(' ');
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_');
        let name = &after[..end.unwrap_or(after.len())];
        if line.starts_with("//") || !is_declaration || name.is_empty() {
            continue;
        }
        if name.chars().count() > 60 {
            places.push(Place::new(number + 1, Kind::LongName, name));
        }
        let articles = ["a_", "an_", "the_"];
        if articles.iter().any(|article| name.starts_with(article)) {
            places.push(Place::new(number + 1, Kind::ArticleName, name));
        }
        if name_has_word(name) {
            places.push(Place::new(number + 1, Kind::NameWord, name));
        }
    }
    places
}

struct Functions {
    places: Vec<Place>,
}

impl Functions {
    fn check_doc(&mut self, attributes: &[Attribute], signature: &Signature) {
        let doc = attributes
            .iter()
            .filter_map(doc)
            .collect::<Vec<_>>()
            .join("\n");
        if is_bool(&signature.output) && !doc.is_empty() && !doc.contains("Returns") {
            let line = signature.span().start().line;
            let name = signature.ident.to_string();
            self.places.push(Place::new(line, Kind::BoolDoc, name));
        }
    }
}

fn doc(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

/// Returns `true` if a function returns a `bool`.
fn is_bool(output: &ReturnType) -> bool {
    let ReturnType::Type(_, output) = output else {
        return false;
    };
    matches!(&**output, Type::Path(path) if path.path.is_ident("bool"))
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.check_doc(&item.attrs, &item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.check_doc(&item.attrs, &item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.check_doc(&item.attrs, &item.sig);
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<(usize, &'static str, String)> {
        let places = check(source).unwrap().into_iter();
        places
            .map(|place| (place.line, place.kind.name(), place.detail))
            .collect()
    }

    #[test]
    fn documented_bool_function_must_say_returns() {
        let source = "/// Is set.\nfn a() -> bool {}\n/// Returns `true`.\nfn b() -> bool {}\n\
            fn c() -> bool {}\n/// Is set.\nfn d() -> u8 {}";
        assert_eq!(found(source), [(2, "bool-docs", "a".to_owned())]);
    }

    #[test]
    fn names_in_macros_are_checked() {
        let long = "a".repeat(61);
        let source = format!(
            "proptest! {{\n    fn {long}(x in 0..1) {{}}\n fn x_is_told() {{}}\n fn a_x() {{}} }}"
        );
        let expected = [
            (2, "long-names", long),
            (3, "words-in-names", "x_is_told".to_owned()),
            (4, "article-names", "a_x".to_owned()),
        ];
        assert_eq!(found(&source), expected);
    }
}
