//! The form of a message in which an own message is recognised after its answer was lost.

use serde_json::{Map, Value};

use crate::content::ContentBlock;
use crate::model::Custom;

/// The parts of a message that the server does not change, in one spelling: node types in lower
/// case, file blocks by their token, mentions by their user, locations by their numbers. Absent and
/// empty custom data are equal.
#[derive(Clone, PartialEq)]
pub(crate) struct NormalForm {
    blocks: Vec<Value>,
    custom: Custom,
}

impl NormalForm {
    pub(crate) fn new(content: &[ContentBlock], custom: &Custom) -> Self {
        // Serialisation to a value fails only for maps with keys that are not strings.
        let block = |block| normal(serde_json::to_value(block).unwrap_or_default());
        Self {
            blocks: content.iter().map(block).collect(),
            custom: custom.clone(),
        }
    }

    /// Returns `true` if both have the same kinds of blocks.
    pub(crate) fn has_kinds_of(&self, other: &Self) -> bool {
        let kinds = |form: &Self| -> Vec<Option<Value>> {
            let kinds = form.blocks.iter().map(|block| block.get("type").cloned());
            kinds.collect()
        };
        kinds(self) == kinds(other)
    }
}

/// Recurses to the depth of the value, which is at most
/// [`MAX_NESTING`](crate::content::MAX_NESTING) nodes.
fn normal(value: Value) -> Value {
    let mut members = match value {
        Value::Array(items) => return items.into_iter().map(normal).collect(),
        Value::Object(members) => members,
        other => return other,
    };
    let kind = members.get("type").and_then(Value::as_str);
    let kind = kind.map(str::to_ascii_lowercase).unwrap_or_default();
    let kept: &[&str] = match kind.as_str() {
        "file" => &["fileToken"],
        "mention" => &["id"],
        "location" => &["latitude", "longitude"],
        _ => {
            members.insert("type".to_owned(), kind.into());
            let members = members.into_iter();
            return members.map(|(name, value)| (name, normal(value))).collect();
        }
    };
    let number = |value: Value| value.as_f64().map_or(value, Value::from);
    let mut normal = Map::new();
    for name in kept {
        if let Some(value) = members.remove(*name) {
            normal.insert((*name).to_owned(), number(value));
        }
    }
    normal.insert("type".to_owned(), kind.into());
    Value::Object(normal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(content: Value, custom: &[(&str, &str)]) -> NormalForm {
        let content: Vec<ContentBlock> = serde_json::from_value(content).unwrap();
        NormalForm::new(&content, &custom.iter().copied().collect())
    }

    fn text(children: Value) -> NormalForm {
        form(json!([{"type": "text", "children": children}]), &[])
    }

    #[test]
    fn normal_form_folds_node_names() {
        let sent = text(json!([{"type": "autolink", "text": "a.b", "url": "https://a.b"}]));
        let stored = text(json!([{"type": "autoLink", "text": "a.b", "url": "https://a.b"}]));
        assert!(sent == stored);
        let new = text(json!([{"type": "newNode", "x": 1}]));
        assert!(new == text(json!([{"type": "newnode", "x": 1}])));
        assert!(new != text(json!([{"type": "newnode", "x": 2}])));
    }

    #[test]
    fn normal_form_compares_mentions_by_user() {
        let mention =
            |text_of: &str| text(json!([{"type": "mention", "id": "bob", "text": text_of}]));
        assert!(mention("Bob") == mention("Robert"));
        assert!(mention("Bob") != text(json!([{"type": "mention", "id": "eve", "text": "Bob"}])));
    }

    #[test]
    fn normal_form_compares_files_by_token() {
        let sent = form(json!([{"type": "file", "fileToken": "ft"}]), &[]);
        let stored = json!([{"type": "file", "fileToken": "ft", "url": "https://f", "size": 3}]);
        assert!(sent == form(stored, &[]));
        assert!(sent != form(json!([{"type": "file", "fileToken": "other"}]), &[]));
    }

    #[test]
    fn normal_form_compares_locations_by_number() {
        let at = |latitude: Value| {
            form(
                json!([{"type": "location", "latitude": latitude, "longitude": 4.5}]),
                &[],
            )
        };
        assert!(at(json!(52)) == at(json!(52.0)));
        assert!(at(json!(52)) != at(json!(52.1)));
    }

    #[test]
    fn normal_form_compares_custom_data() {
        let block = json!([{"type": "text", "children": ["a"]}]);
        assert!(form(block.clone(), &[]) == text(json!(["a"])));
        assert!(form(block.clone(), &[("k", "v")]) != text(json!(["a"])));
        assert!(form(block.clone(), &[("k", "v")]) == form(block, &[("k", "v")]));
    }

    #[test]
    fn normal_form_kinds_ignore_content() {
        let location = form(
            json!([{"type": "location", "latitude": 1, "longitude": 2}]),
            &[],
        );
        assert!(text(json!(["a"])).has_kinds_of(&text(json!(["b"]))));
        assert!(!text(json!(["a"])).has_kinds_of(&location));
    }
}
