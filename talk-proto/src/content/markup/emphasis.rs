//! Parser for `*bold*`, `_italic_` and `~struck through~`.
//!
//! An opening marker must be at the start of the text, or after a boundary that follows all earlier
//! emphasis. The next character may not be a space or the same marker.
//!
//! The closing marker is the first marker of its kind on the line that meets three conditions: at
//! least two UTF-16 units are in between, the previous character is not a space or the same marker,
//! and a boundary or the end of the text follows. If no marker meets them, one with a single unit
//! in between is accepted.
//!
//! The marker that opens first has precedence, so that no kind of emphasis is nested in itself.

use super::chars::{Next, count_steps, is_line_end, is_space};
use super::nodes::Nodes;
use crate::content::node::TextNode;

/// The treatment of the boundary before an opening marker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Boundary {
    Kept,
    /// The boundary is replaced by a space.
    Blanked,
}

/// Parses emphasis in one pass. `leaf` parses the text between markers. It receives the text up to
/// a boundary, because a link does not extend into the boundary.
pub(super) fn parse(text: &str, boundary: Boundary, leaf: fn(&str, &mut Nodes), nodes: &mut Nodes) {
    let mut closings = Marker::ALL.map(|marker| Closings::new(text, marker));
    let mut line_ends = Next::new(text, is_line_end);
    let mut level = Level::new(None, 0, usize::MAX, std::mem::take(nodes));
    let mut outer = Vec::new();
    let mut before = None;
    count_steps(text.len());
    for (at, c) in text.char_indices() {
        if at == level.end
            && let Some(parent) = outer.pop()
        {
            leaf(&text[level.pending..at], &mut level.nodes);
            let closed = std::mem::replace(&mut level, parent);
            level.pending = at + c.len_utf8();
            if let Some(marker) = closed.marker {
                level.nodes.push(marker.node(closed.nodes.finish()));
            }
        } else if let Some(marker) = Marker::of(c)
            && let Some(gap) = level.gap_before(at, before)
            && let Some(end) =
                closings[marker as usize].of_opening(at, level.end.min(line_ends.at(at)))
        {
            leaf(&text[level.pending..gap], &mut level.nodes);
            level.nodes.push_text(match &text[gap..at] {
                gap if gap.is_empty() || boundary == Boundary::Kept => gap,
                _ => " ",
            });
            let inside = Level::new(Some(marker), at + c.len_utf8(), end, Nodes::default());
            outer.push(std::mem::replace(&mut level, inside));
        }
        before = Some(c);
    }
    leaf(&text[level.pending..], &mut level.nodes);
    *nodes = level.nodes;
}

#[derive(Clone, Copy)]
enum Marker {
    Bold,
    Italic,
    Strikethrough,
}

impl Marker {
    const ALL: [Self; 3] = [Self::Bold, Self::Italic, Self::Strikethrough];

    fn of(c: char) -> Option<Self> {
        Self::ALL.into_iter().find(|marker| marker.char() == c)
    }

    fn char(self) -> char {
        match self {
            Self::Bold => '*',
            Self::Italic => '_',
            Self::Strikethrough => '~',
        }
    }

    fn node(self, children: Vec<TextNode>) -> TextNode {
        match self {
            Self::Bold => TextNode::bold(children),
            Self::Italic => TextNode::italic(children),
            Self::Strikethrough => TextNode::strikethrough(children),
        }
    }
}

/// An open emphasis, or the whole text.
struct Level {
    marker: Option<Marker>,
    start: usize,
    /// The position of the closing marker.
    end: usize,
    /// The start of the text that is not part of a node yet.
    pending: usize,
    nodes: Nodes,
}

impl Level {
    fn new(marker: Option<Marker>, start: usize, end: usize, nodes: Nodes) -> Self {
        Self {
            marker,
            start,
            end,
            pending: start,
            nodes,
        }
    }

    /// Returns the start of the boundary before a marker if the marker may open here. At the start
    /// of the text or of a line the boundary is empty.
    fn gap_before(&self, at: usize, before: Option<char>) -> Option<usize> {
        if at == self.start || before == Some('\n') {
            return Some(at);
        }
        let gap = at - before.filter(|&c| is_boundary(c))?.len_utf8();
        (gap >= self.pending).then_some(gap)
    }
}

/// The positions at which markers of one kind may close, for opening markers in ascending order.
struct Closings<'a> {
    text: &'a str,
    marker: char,
    places: Vec<usize>,
    passed: usize,
}

impl<'a> Closings<'a> {
    fn new(text: &'a str, marker: Marker) -> Self {
        let marker = marker.char();
        let may_close = |at: usize| {
            let inside = text[..at].chars().next_back();
            let outside = text[at + 1..].chars().next();
            inside.is_some_and(|c| c != marker && !is_space(c)) && outside.is_none_or(is_boundary)
        };
        count_steps(text.len());
        let places = text
            .match_indices(marker)
            .map(|(at, _)| at)
            .filter(|&at| may_close(at));
        Self {
            text,
            marker,
            places: places.collect(),
            passed: 0,
        }
    }

    /// Returns the position of the closing marker before `limit` for a marker that opens at `at`.
    fn of_opening(&mut self, at: usize, limit: usize) -> Option<usize> {
        let first = self.text[at + 1..].chars().next()?;
        if first == self.marker || is_space(first) {
            return None;
        }
        while self
            .places
            .get(self.passed)
            .is_some_and(|&place| place <= at)
        {
            count_steps(1);
            self.passed += 1;
        }
        let single = at + 1 + first.len_utf8();
        let is_too_close = |place: usize| place == single && first.len_utf16() == 1;
        let mut ahead = self.places[self.passed..]
            .iter()
            .copied()
            .take_while(|&place| place < limit);
        let next = ahead.next()?;
        if is_too_close(next) {
            ahead.next().or(Some(next))
        } else {
            Some(next)
        }
    }
}

/// Returns `true` for the characters that may surround emphasis: space, and punctuation other than
/// `"`, `+`, `=` and `` ` ``.
fn is_boundary(c: char) -> bool {
    is_space(c)
        || matches!(
            c,
            '!' | '#'..='*'
                | ','..='/'
                | ':'..='<'
                | '>'..='@'
                | '['..='_'
                | '{'..='~'
                | '¡'..='¨'
                | '«' | '¬' | '°' | '¶' | '·' | '»' | '¿'
                | '\u{2010}'
                | '\u{2012}'..='\u{2015}'
                | '‘' | '’' | '“' | '”'
                | '†'..='•'
                | '…'
                | '‰'..='′'
                | '※' | '‽' | '⁂' | '⁄'
                | '₩' | '₪' | '€'
                | '№' | '∴' | '␠' | '☞'
        )
}
