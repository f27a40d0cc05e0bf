//! A list of nodes that merges adjacent text.

use crate::content::node::TextNode;

/// A list of nodes under construction.
#[derive(Default)]
pub(super) struct Nodes {
    nodes: Vec<TextNode>,
    text: String,
}

impl Nodes {
    pub(super) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn push(&mut self, node: TextNode) {
        self.end_text();
        self.nodes.push(node);
    }

    pub(super) fn finish(mut self) -> Vec<TextNode> {
        self.end_text();
        self.nodes
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.nodes.push(TextNode::text(self.text.as_str()));
            self.text.clear();
        }
    }
}
