//! Parser for the markup of messages.
//!
//! The parser runs several passes. Each pass turns parts of the text into nodes, and the later
//! passes see only the remaining text:
//!
//! 1. [`list`]: lines that start with `- `, `* ` or `+ ` become lists.
//! 2. [`span`]: ```` ```code``` ````, then `<!!mention:ID|NAME>`, then `<!!customemoji:NAME>`. In
//!    sources that may contain links, then `<URL|label>`, `<actionlink:NAME?k=v|label>` and
//!    `<actionbutton:NAME?k=v|label>`.
//!    `<actionbutton:NAME?k=v|label>`.
//! 3. [`emphasis`]: `*bold*`, `_italic_`, `~struck through~`. Labels may contain only these.
//! 4. [`autolink`]: addresses and phone numbers in the remaining text.
//!
//! Most messages contain no markup. `is_plain` detects them with a single scan.
//!
//! Every pass takes time linear in the length of the text: a pass never moves backwards, and it
//! caches the results of forward searches. No pass is recursive. The grammar bounds the nesting to
//! a list, an item, a label, and each kind of emphasis once.

mod autolink;
mod chars;
mod emphasis;
mod list;
mod nodes;
mod span;
#[cfg(test)]
mod tests;

use emphasis::Boundary;
use list::Section;
use nodes::Nodes;
pub use span::MarkupSource;
use span::Piece;

use super::block::ContentBlock;
use super::node::TextNode;

/// Parses markup into one block of rich text. Every string is valid: malformed markup is text.
///
/// ```
/// use talk_proto::content::{ContentBlock, MarkupSource, TextNode, parse_markup};
///
/// let content = parse_markup("Hello *world*!", MarkupSource::Send);
/// let nodes = ["Hello ".into(), TextNode::bold(["world".into()]), "!".into()];
/// assert_eq!(content, [ContentBlock::text(nodes)]);
/// ```
///
/// [`to_wire_json`](crate::content::to_wire_json) returns the JSON that clients send for the
/// result.
pub fn parse_markup(text: &str, source: MarkupSource) -> Vec<ContentBlock> {
    let mut nodes = Nodes::default();
    if is_plain(text) {
        nodes.push_text(text);
    } else {
        read(text, source, &mut nodes);
    }
    vec![ContentBlock::text(nodes.finish())]
}

/// The characters of which markup, addresses and phone numbers contain at least one. A full stop
/// also counts, unless white space or the end of the text follows.
const MARKS: &[u8] = b"*_~`<-+@:/0123456789";

/// Returns `true` if the text certainly contains no markup.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_stop = |index: usize| {
        let next = bytes.get(index + 1);
        bytes[index] == b'.' && next.is_some_and(|next| !next.is_ascii_whitespace())
    };
    !(0..bytes.len()).any(|index| MARKS.contains(&bytes[index]) || is_stop(index))
}

fn read(text: &str, source: MarkupSource, nodes: &mut Nodes) {
    let sections = list::split(text).into_iter().map(|section| match section {
        Section::Text(text) => Section::Text(span::split(text, source)),
        Section::List(points) => Section::List(
            points
                .into_iter()
                .map(|point| span::split(point, source))
                .collect(),
        ),
    });
    let sections: Vec<_> = sections.collect();
    let boundary = boundary_of(&sections, source);
    for section in sections {
        match section {
            Section::Text(pieces) => read_pieces(pieces, boundary, nodes),
            Section::List(points) => {
                let points = points.into_iter().map(|point| {
                    let mut children = Nodes::default();
                    read_pieces(point, boundary, &mut children);
                    TextNode::bullet_point(children.finish())
                });
                nodes.push(TextNode::bullet_list(points.collect::<Vec<_>>()));
            }
        }
    }
}

/// Returns the treatment of the boundary before an opening marker. It is kept, with two exceptions
/// that were observed in the published client: in a message or edit with a list, and in an edit
/// with an action, it becomes a space.
fn boundary_of(sections: &[Section<Vec<Piece<'_>>>], source: MarkupSource) -> Boundary {
    let is_exception = |section: &Section<Vec<Piece<'_>>>| match section {
        Section::Text(pieces) => {
            source == MarkupSource::Edit && pieces.iter().any(Piece::is_action)
        }
        Section::List(_) => source != MarkupSource::Translation,
    };
    if sections.iter().any(is_exception) {
        Boundary::Blanked
    } else {
        Boundary::Kept
    }
}

fn read_pieces(pieces: Vec<Piece<'_>>, boundary: Boundary, nodes: &mut Nodes) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => emphasis::parse(text, boundary, read_plain, nodes),
            Piece::Node(node) => nodes.push(node),
            Piece::Labelled(target, label) => {
                let mut children = Nodes::default();
                emphasis::parse(
                    label,
                    boundary,
                    |text, nodes| nodes.push_text(text),
                    &mut children,
                );
                nodes.push(target.into_node(children.finish()));
            }
        }
    }
}

/// Parses the remaining text. Where links with labels are not allowed, it may contain their markup.
/// No other link, and no HTML, extends over the parts of such a link.
fn read_plain(text: &str, nodes: &mut Nodes) {
    for piece in span::split_links(text) {
        match piece {
            Piece::Text(text) => autolink::link(text, nodes),
            Piece::Labelled(target, label) => {
                nodes.push_text("<");
                autolink::link(target.as_str(), nodes);
                nodes.push_text("|");
                autolink::link(label, nodes);
                nodes.push_text(">");
            }
            Piece::Node(node) => nodes.push(node),
        }
    }
}
