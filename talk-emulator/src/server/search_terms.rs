//! Matching of search terms with text.

use talk_proto::content::{ContentBlock, TextNode};

use super::message::ContentJson;

/// The terms of a query, in lower case.
#[derive(Debug)]
pub(super) struct SearchTerms(Vec<String>);

impl SearchTerms {
    pub(super) fn parse(query: &str) -> Self {
        Self(words(query).collect())
    }

    /// Returns `true` if each term is a prefix of a word of the text. A query without terms
    /// matches nothing.
    pub(super) fn match_text(&self, text: &str) -> bool {
        let text: Vec<String> = words(text).collect();
        !self.0.is_empty()
            && self
                .0
                .iter()
                .all(|word| text.iter().any(|of_text| of_text.starts_with(word)))
    }
}

/// Splits text into words, in lower case and without leading or trailing punctuation.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace()
        .map(|word| word.trim_matches(is_punctuation).to_lowercase())
        .filter(|word| !word.is_empty())
}

/// Returns `true` for ASCII punctuation and for punctuation of other scripts and typography.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c,
            '\u{A1}' | '\u{A7}' | '\u{AB}' | '\u{B6}' | '\u{B7}' | '\u{BB}' | '\u{BF}'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205E}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301F}'
            | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF3D}'
            | '\u{60C}' | '\u{61B}' | '\u{61F}')
}

/// Returns the text of a message without its formatting. Files and locations have none.
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
