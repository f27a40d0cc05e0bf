//! Spans with explicit delimiters: code, mentions, custom emoji, links with labels.

use std::collections::BTreeMap;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use super::chars::{Next, count_steps, is_line_end, is_space, starts_with_ignoring_case};
use crate::content::node::TextNode;
use crate::content::plaintext::plaintext_of_nodes;

/// The origin of marked-up text. It decides if links with labels are parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MarkupSource {
    /// A new message. Links with labels stay text, because users may not send them.
    Send,
    /// New text for an existing message, which may contain such links already.
    Edit,
    /// A server's translation of a message.
    Translation,
}

/// A part of the input: a node of this pass, or remaining text.
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// A span and its label, which a later pass parses.
    Labelled(Target<'a>, &'a str),
    Node(TextNode),
}

/// The target of a label.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Link(&'a str),
    ActionLink(&'a str),
    ActionButton(&'a str),
}

impl Piece<'_> {
    pub(super) fn is_action(&self) -> bool {
        matches!(
            self,
            Self::Labelled(Target::ActionLink(_) | Target::ActionButton(_), _)
        )
    }
}

impl<'a> Target<'a> {
    pub(super) fn as_str(&self) -> &'a str {
        match self {
            Self::Link(target) | Self::ActionLink(target) | Self::ActionButton(target) => target,
        }
    }

    pub(super) fn into_node(self, label: Vec<TextNode>) -> TextNode {
        match self {
            Self::Link(url) => TextNode::link(url, label),
            Self::ActionLink(action) => {
                let (name, params) = action_parts(action);
                TextNode::action_link(name, params, label)
            }
            Self::ActionButton(action) => {
                let (name, params) = action_parts(action);
                TextNode::action_button(name, params, label)
            }
        }
    }
}

/// Splits the input at all spans.
pub(super) fn split(text: &str, source: MarkupSource) -> Vec<Piece<'_>> {
    let mut pieces = vec![Piece::Text(text)];
    pieces = pass(pieces, code);
    pieces = pass(pieces, mentions);
    pieces = pass(pieces, custom_emoji);
    if source != MarkupSource::Send {
        pieces = pass(pieces, links);
        pieces = pass(pieces, |text| labelled(text, &["actionlink:"]));
        pieces = pass(pieces, |text| labelled(text, &["actionbutton:"]));
    }
    pieces
}

/// Splits the input at links with labels, but not at actions.
pub(super) fn split_links(text: &str) -> Vec<Piece<'_>> {
    pass(vec![Piece::Text(text)], links)
}

fn links(text: &str) -> Vec<Span<'_>> {
    labelled(text, &["http:", "https:", "mailto:"])
}

type Span<'a> = (Range<usize>, Piece<'a>);

/// Splits the text pieces of earlier passes at the spans that `find` returns.
fn pass<'a>(pieces: Vec<Piece<'a>>, find: impl Fn(&'a str) -> Vec<Span<'a>>) -> Vec<Piece<'a>> {
    let mut out = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let Piece::Text(text) = piece else {
            out.push(piece);
            continue;
        };
        let mut pending = 0;
        for (range, span) in find(text) {
            if pending < range.start {
                out.push(Piece::Text(&text[pending..range.start]));
            }
            out.push(span);
            pending = range.end;
        }
        if pending < text.len() {
            out.push(Piece::Text(&text[pending..]));
        }
    }
    out
}

/// Finds ```` ```code``` ```` with at least one character of any kind. Mentions and emoji in code
/// are replaced by their visible text.
fn code(text: &str) -> Vec<Span<'_>> {
    const FENCE: &str = "```";
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(open) = find(text, FENCE, from) {
        let start = open + FENCE.len();
        let Some(first) = text[start..].chars().next() else {
            break;
        };
        let Some(end) = find(text, FENCE, start + first.len_utf8()) else {
            break;
        };
        from = end + FENCE.len();
        spans.push((
            open..from,
            Piece::Node(TextNode::code_span(shown(&text[start..end]))),
        ));
    }
    spans
}

/// Returns code with visible text in place of mentions (`@Name`) and custom emoji (the name). In
/// code, an ID may contain any character except a line end, and a name any character.
fn shown(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut pending = 0;
    for mention in mention_parts(code, |c| c == '|' || is_line_end(c), |c| c == '>') {
        out.push_str(&code[pending..mention.range.start]);
        out.push('@');
        out.push_str(mention.name);
        pending = mention.range.end;
    }
    out.push_str(&code[pending..]);
    let pieces = pass(vec![Piece::Text(&out)], custom_emoji);
    let nodes = pieces.into_iter().map(|piece| match piece {
        Piece::Node(node) => node,
        Piece::Text(text) | Piece::Labelled(_, text) => text.into(),
    });
    plaintext_of_nodes(&nodes.collect::<Vec<_>>())
}

/// Finds `<!!mention:ID|NAME>` on one line. The ID is percent-encoded and contains no space.
fn mentions(text: &str) -> Vec<Span<'_>> {
    let is_id_end = |c| c == '|' || c == '>' || is_space(c);
    let is_name_end = |c| c == '>' || is_line_end(c);
    let mentions = mention_parts(text, is_id_end, is_name_end).into_iter();
    let spans = mentions.filter_map(|mention| {
        let id = decode_component(mention.id)?;
        Some((
            mention.range,
            Piece::Node(TextNode::mention(id, mention.name)),
        ))
    });
    spans.collect()
}

struct MentionParts<'a> {
    range: Range<usize>,
    id: &'a str,
    name: &'a str,
}

fn mention_parts(
    text: &str,
    is_id_end: fn(char) -> bool,
    is_name_end: fn(char) -> bool,
) -> Vec<MentionParts<'_>> {
    const OPEN: &str = "<!!mention:";
    let mut id_ends = Next::new(text, is_id_end);
    let mut name_ends = Next::new(text, is_name_end);
    let mut mentions = Vec::new();
    let mut from = 0;
    while let Some(open) = find(text, OPEN, from) {
        from = open + OPEN.len();
        let bar = id_ends.at(from);
        if !text[bar..].starts_with('|') {
            continue;
        }
        let end = name_ends.at(bar + 1);
        if !text[end..].starts_with('>') {
            continue;
        }
        let (id, name) = (&text[from..bar], &text[bar + 1..end]);
        from = end + 1;
        mentions.push(MentionParts {
            range: open..from,
            id,
            name,
        });
    }
    mentions
}

/// Finds `<!!customemoji:NAME>`.
fn custom_emoji(text: &str) -> Vec<Span<'_>> {
    const OPEN: &str = "<!!customemoji:";
    let mut name_ends = Next::new(text, |c| c == '>' || is_line_end(c));
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(open) = find(text, OPEN, from) {
        from = open + OPEN.len();
        let end = name_ends.at(from);
        if text[end..].starts_with('>') {
            let name = &text[from..end];
            from = end + 1;
            spans.push((open..from, Piece::Node(TextNode::custom_emoji(name))));
        }
    }
    spans
}

/// Finds `<SCHEME:…|label>` on one line, with one of `schemes` in upper or lower case.
fn labelled<'a>(text: &'a str, schemes: &[&str]) -> Vec<Span<'a>> {
    let mut target_ends = Next::new(text, |c| c == '|' || c == '\n');
    let mut label_ends = Next::new(text, |c| c == '>' || c == '\n');
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(open) = find(text, "<", from) {
        from = open + 1;
        let Some(scheme) = schemes
            .iter()
            .find(|scheme| starts_with_ignoring_case(&text[from..], scheme))
        else {
            continue;
        };
        let bar = target_ends.at(from + scheme.len());
        if !text[bar..].starts_with('|') {
            continue;
        }
        let end = label_ends.at(bar + 1);
        if !text[end..].starts_with('>') {
            continue;
        }
        let target = match (*scheme, &text[from + scheme.len()..bar]) {
            ("actionlink:" | "actionbutton:", "") => continue,
            ("actionlink:", action) => Target::ActionLink(action),
            ("actionbutton:", action) => Target::ActionButton(action),
            _ => Target::Link(&text[from..bar]),
        };
        from = end + 1;
        spans.push((open..from, Piece::Labelled(target, &text[bar + 1..end])));
    }
    spans
}

fn find(text: &str, pattern: &str, from: usize) -> Option<usize> {
    let length = text[from..].find(pattern);
    count_steps(length.unwrap_or(text.len() - from) + 1);
    length.map(|length| from + length)
}

/// Decodes like JavaScript's `decodeURIComponent`; returns `None` where that throws.
fn decode_component(text: &str) -> Option<String> {
    let is_escaped =
        |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if text.split('%').skip(1).any(|rest| !is_escaped(rest)) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// Splits `name?k=v&k=v`, with parameters as in the query of a web form.
fn action_parts(action: &str) -> (&str, BTreeMap<String, String>) {
    let (name, query) = action.split_once('?').unwrap_or((action, ""));
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let params = query
        .split('&')
        .filter(|param| !param.is_empty())
        .map(|param| {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            (decode(name), decode(value))
        });
    (name, params.collect())
}
