//! The markup that people type into a message.
//!
//! A text is read in passes, from the coarse to the fine. What one pass takes, the later ones do
//! not see; what it leaves is text to them:
//!
//! 1. [`list`]: lines that start with `- `, `* ` or `+ ` become lists.
//! 2. [`span`]: ```` ```code``` ````, then `<!!mention:ID|NAME>`, then `<!!customemoji:NAME>`; where
//!    links are read, then `<URL|label>`, `<actionlink:NAME?k=v|label>` and
//!    `<actionbutton:NAME?k=v|label>`.
//! 3. [`emphasis`]: `*bold*`, `_italic_`, `~struck through~`. This is all that a label may hold.
//! 4. [`autolink`]: addresses and phone numbers in what is left.
//!
//! A text that none of them can find anything in, as most are, is known at a glance (`is_plain`).
//!
//! Every pass is linear in the text's length: none goes back, and what it has found ahead it
//! remembers. None recurses, and nesting is bounded by the grammar: a list, a point, a label, and
//! each kind of emphasis once.

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

/// Reads markup: one block, of rich text. Every text is valid: what is no markup is text.
///
/// ```
/// use talk_proto::content::{ContentBlock, MarkupSource, TextNode, parse_markup};
///
/// let content = parse_markup("Hello *world*!", MarkupSource::Send);
/// let nodes = ["Hello ".into(), TextNode::bold(["world".into()]), "!".into()];
/// assert_eq!(content, [ContentBlock::text(nodes)]);
/// ```
///
/// [`to_wire_json`](crate::content::to_wire_json) returns the JSON that clients send for the result.
pub fn parse_markup(text: &str, source: MarkupSource) -> Vec<ContentBlock> {
    let mut nodes = Nodes::default();
    if is_plain(text) {
        nodes.push_text(text);
    } else {
        read(text, source, &mut nodes);
    }
    vec![ContentBlock::text(nodes.finish())]
}

/// Characters without which a text has neither markup nor an address nor a phone number. A full stop
/// counts unless white space follows, or nothing.
const MARKS: &[u8] = b"*_~`<-+@:/0123456789";

/// Returns `true` if the text surely holds no markup.
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

/// The boundary before an opening marker is kept. What people send has two recorded exceptions, in
/// which it becomes a space: a message with a list, and an edit with an action.
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

/// Reads what is left in the end. Links with labels may be in it, where those are not read: no other
/// link, and no HTML, extends over their parts.
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
