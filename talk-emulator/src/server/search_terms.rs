//! What words a text has, for search.

use talk_proto::{ContentBlock, TextNode};

use super::message::ContentJson;

/// The words of a query.
#[derive(Debug)]
pub(super) struct SearchTerms(Vec<String>);

impl SearchTerms {
    pub(super) fn parse(query: &str) -> Self {
        Self(words(query).collect())
    }

    /// Whether each of these is the beginning of some word of the text. A query without a word is
    /// in nothing.
    pub(super) fn match_text(&self, text: &str) -> bool {
        let text: Vec<String> = words(text).collect();
        !self.0.is_empty()
            && self
                .0
                .iter()
                .all(|word| text.iter().any(|of_text| of_text.starts_with(word)))
    }
}

/// SearchTerms in lower case, without the punctuation at their ends.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace()
        .map(|word| word.trim_matches(is_punctuation).to_lowercase())
        .filter(|word| !word.is_empty())
}

/// Punctuation as people type it: ASCII's, and what other scripts and typography add.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c,
            '\u{A1}' | '\u{A7}' | '\u{AB}' | '\u{B6}' | '\u{B7}' | '\u{BB}' | '\u{BF}'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205E}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301F}'
            | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF3D}'
            | '\u{60C}' | '\u{61B}' | '\u{61F}')
}

/// The text of a message, formatting aside. Files and places have none.
pub(super) fn plain_text(content: &ContentJson) -> String {
    let blocks: Vec<ContentBlock> = serde_json::from_str(content.get()).unwrap_or_default();
    let mut text = String::new();
    for block in &blocks {
        if let ContentBlock::Text(block) = block {
            push_nodes(&block.children, &mut text);
        }
    }
    text
}

fn push_nodes(nodes: &[TextNode], text: &mut String) {
    for node in nodes {
        match node {
            TextNode::Text(plain) => text.push_str(plain),
            TextNode::AutoLink { text: shown, .. }
            | TextNode::CodeSpan { text: shown, .. }
            | TextNode::CustomEmoji { text: shown, .. }
            | TextNode::Mention { text: shown, .. } => text.push_str(shown),
            TextNode::Bold { children, .. }
            | TextNode::Italic { children, .. }
            | TextNode::Strikethrough { children, .. }
            | TextNode::BulletList { children, .. }
            | TextNode::Link { children, .. }
            | TextNode::ActionLink { children, .. }
            | TextNode::ActionButton { children, .. } => push_nodes(children, text),
            TextNode::BulletPoint { children, .. } => {
                text.push('\n');
                push_nodes(children, text);
                text.push('\n');
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SearchTerms;

    #[test]
    fn search_terms_match_word_prefixes() {
        for (query, text) in [
            ("look", "Looking good"),
            ("GOOD look", "look, a good one!"),
            ("look look", "look"),
            ("\"look!\"", "(look)"),
            ("look-at", "look-at-me"),
            ("zürich", "in ZÜRICH"),
            ("👍", "ok 👍"),
        ] {
            assert!(
                SearchTerms::parse(query).match_text(text),
                "{query:?} is in {text:?}"
            );
        }
        for (query, text) in [
            ("look-at", "look at"),
            ("ook", "look"),
            ("look bad", "look good"),
            ("!", "look!"),
            ("", "look"),
            ("lookat", "look-at"),
        ] {
            assert!(
                !SearchTerms::parse(query).match_text(text),
                "{query:?} is not in {text:?}"
            );
        }
    }
}
