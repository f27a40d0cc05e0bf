//! Exclusion of HTML from the search for links: tags, comments, and the content of `<a>`,
//! `<script>` and `<style>`. Malformed HTML is treated as text.

use std::ops::Range;

use crate::content::markup::chars::{count_steps, is_space, starts_with_ignoring_case};

/// Returns the parts of a line that may contain links. No link extends from one part into another.
pub(super) fn text_ranges(line: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut inside = 0_usize;
    let mut pending = 0;
    for tag in tags(line) {
        if inside == 0 {
            push_between_entities(line, pending..tag.range.start, &mut ranges);
        }
        pending = tag.range.end;
        if ["a", "style", "script"]
            .iter()
            .any(|name| tag.name.eq_ignore_ascii_case(name))
        {
            inside += usize::from(tag.is_opening);
            inside = inside.saturating_sub(usize::from(tag.is_closing));
        }
    }
    if inside == 0 {
        push_between_entities(line, pending..line.len(), &mut ranges);
    }
    ranges
}

/// Splits a range at the HTML entities that end an address.
fn push_between_entities(line: &str, range: Range<usize>, ranges: &mut Vec<Range<usize>>) {
    const ENTITIES: [&str; 9] = [
        "&nbsp;", "&#160;", "&lt;", "&#60;", "&gt;", "&#62;", "&quot;", "&#34;", "&#39;",
    ];
    let text = &line[range.clone()];
    count_steps(text.len());
    let mut pending = range.start;
    for (at, _) in text.match_indices('&') {
        let entity = ENTITIES
            .iter()
            .find(|entity| starts_with_ignoring_case(&text[at..], entity));
        if let Some(entity) = entity {
            ranges.push(pending..range.start + at);
            pending = range.start + at + entity.len();
        }
    }
    ranges.push(pending..range.end);
}

/// A tag, or a comment or doctype, which have an empty name. The range includes `<` and `>`.
struct Tag<'a> {
    range: Range<usize>,
    name: &'a str,
    is_opening: bool,
    is_closing: bool,
}

fn tags(line: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    if !line.contains('<') {
        return tags;
    }
    count_steps(line.len());
    let mut state = State::Text;
    let mut start = 0;
    let mut name = 0..0;
    let mut is_end = false;
    let mut skipped_to = 0;
    for (at, c) in line.char_indices() {
        if at < skipped_to {
            continue;
        }
        let step = match state {
            State::Declaration => {
                let (step, length) = declaration(&line[at..]);
                skipped_to = at + length;
                step
            }
            state => state.step(c),
        };
        if matches!(state, State::Name) && !matches!(step, Step::Go(State::Name)) {
            name.end = at;
        }
        match step {
            Step::Go(next) => {
                match (state, next) {
                    (State::Open | State::EndOpen, State::Name) => name = at..at,
                    (State::Open, State::EndOpen) => is_end = true,
                    _ => {}
                }
                state = next;
            }
            Step::Start => (state, start, name, is_end) = (State::Open, at, 0..0, false),
            Step::Drop => state = State::Text,
            Step::End => {
                tags.push(Tag {
                    range: start..at + c.len_utf8(),
                    name: &line[name.clone()],
                    is_opening: !is_end,
                    is_closing: is_end || matches!(state, State::SelfClosing),
                });
                state = State::Text;
            }
        }
    }
    tags
}

/// Returns the kind of construct that `<!` starts, and the length of its keyword.
fn declaration(rest: &str) -> (Step, usize) {
    if rest.starts_with("--") {
        (Step::Go(State::CommentStart), "--".len())
    } else if starts_with_ignoring_case(rest, "doctype") {
        (Step::Go(State::Doctype), "doctype".len())
    } else {
        (Step::Drop, 0)
    }
}

#[derive(Clone, Copy)]
enum State {
    Text,
    Open,
    EndOpen,
    Name,
    BeforeAttribute,
    Attribute,
    AfterAttribute,
    BeforeValue,
    Quoted(char),
    Value,
    AfterValue,
    SelfClosing,
    Declaration,
    Doctype,
    CommentStart,
    CommentStartDash,
    Comment,
    CommentDash,
    CommentEnd,
    CommentBang,
}

enum Step {
    Go(State),
    /// A new tag starts here, and the unfinished one is text.
    Start,
    /// The unfinished tag is text.
    Drop,
    /// The tag ends here.
    End,
}

impl State {
    fn step(self, c: char) -> Step {
        use Step::{Drop, End, Go, Start};
        match (self, c) {
            (Self::Comment | Self::CommentBang, '-') => Go(Self::CommentDash),
            (Self::CommentStart, '-') => Go(Self::CommentStartDash),
            (Self::CommentStartDash | Self::CommentDash | Self::CommentEnd, '-') => {
                Go(Self::CommentEnd)
            }
            (Self::CommentEnd, '!') => Go(Self::CommentBang),
            (Self::CommentStart | Self::CommentStartDash, '>') => Drop,
            (Self::CommentEnd | Self::CommentBang, '>') => End,
            (
                Self::Comment
                | Self::CommentStart
                | Self::CommentStartDash
                | Self::CommentDash
                | Self::CommentEnd
                | Self::CommentBang,
                _,
            ) => Go(Self::Comment),

            (Self::Quoted(quote), c) if c == quote => Go(Self::AfterValue),
            (Self::Quoted(_), _) => Go(self),

            (Self::EndOpen, c) if c.is_ascii_alphabetic() => Go(Self::Name),
            (Self::SelfClosing, '>') => End,
            (Self::EndOpen | Self::SelfClosing | Self::Declaration, _) => Drop,

            (_, '<') => Start,
            (Self::Text, _) => Go(self),
            (Self::Doctype, c) if c != '>' => Go(self),

            (Self::Open, '!') => Go(Self::Declaration),
            (Self::Open, '/') => Go(Self::EndOpen),
            (Self::Open, c) if c.is_ascii_alphabetic() => Go(Self::Name),
            (Self::Open, _) => Drop,

            (Self::BeforeValue, '>' | '=' | '`') => Drop,
            (_, '>') => End,
            (Self::BeforeValue, '"' | '\'') => Go(Self::Quoted(c)),
            (Self::BeforeValue, c) if is_space(c) => Go(self),
            (Self::BeforeValue, _) => Go(Self::Value),

            (Self::Attribute | Self::AfterAttribute, c) if is_space(c) => Go(Self::AfterAttribute),
            (_, c) if is_space(c) => Go(Self::BeforeAttribute),
            (Self::Value, _) => Go(self),
            (_, '/') => Go(Self::SelfClosing),
            (Self::Name, ':') => Go(Self::Name),
            (Self::Name, c) if c.is_ascii_alphanumeric() => Go(Self::Name),
            (Self::Name, _) => Drop,
            (Self::Attribute | Self::AfterAttribute, '=') => Go(Self::BeforeValue),
            (_, '"' | '\'' | '=') => Drop,
            (Self::BeforeAttribute | Self::AfterValue, c) if c.is_ascii_control() => Drop,
            _ => Go(Self::Attribute),
        }
    }
}
