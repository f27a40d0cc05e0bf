//! Addresses and phone numbers in plain text.
//!
//! Web and email addresses are found as in Autolinker.js 4 (by Gregory Jacobs, MIT license; see
//! NOTICE): with the same candidates, character classes, top-level domains and treatment of HTML.
//! There are two differences: links never overlap, and no link splits a character. Phone numbers
//! have separate rules.

mod address;
mod html;
mod letters;
mod phone;
mod scan;
mod state;
mod tld;

use scan::Link;

use super::nodes::Nodes;
use crate::content::node::TextNode;

/// Finds the links in text without other markup. A link never extends beyond the end of a line.
pub(super) fn link(text: &str, nodes: &mut Nodes) {
    for line in text.split_inclusive('\n') {
        let mut pending = 0;
        for link in addresses(line) {
            link_phones(&line[pending..link.start], nodes);
            nodes.push(TextNode::auto_link(link.url, &line[link.start..link.end]));
            pending = link.end;
        }
        link_phones(&line[pending..], nodes);
    }
}

fn link_phones(text: &str, nodes: &mut Nodes) {
    let mut pending = 0;
    for link in phone::find(text) {
        nodes.push_text(&text[pending..link.start]);
        nodes.push(TextNode::auto_link(link.url, &text[link.start..link.end]));
        pending = link.end;
    }
    nodes.push_text(&text[pending..]);
}

/// Returns the web and email addresses in a line, in order and without overlaps. Of several that
/// start together, the longest is kept, or the first to end; of two that overlap, the first.
fn addresses(line: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for range in html::text_ranges(line) {
        let offset = range.start;
        found.extend(scan::addresses(&line[range]).into_iter().map(|link| Link {
            start: link.start + offset,
            end: link.end + offset,
            url: link.url,
        }));
    }
    found.sort_by_key(|link| (link.start, std::cmp::Reverse(link.end)));
    let mut end = 0;
    found.retain(|link| {
        let apart = link.start >= end;
        if apart {
            end = link.end;
        }
        apart
    });
    found
}
