//! Lists: consecutive lines that start with a bullet.

use super::chars::{count_steps, is_space};

/// A section of the input. `T` is the text outside of lists, or the content of one item.
pub(super) enum Section<T> {
    Text(T),
    /// The content of the list's items.
    List(Vec<T>),
}

/// Splits the input into lists and the text around them.
///
/// An item is a line such as `- one`. The bullet is `-`, `*` or `+`, spaces may precede it, and at
/// least one must follow. The blank lines before an item and the line end after it belong to the
/// list.
pub(super) fn split(text: &str) -> Vec<Section<&str>> {
    let mut sections = Vec::new();
    let mut pending = 0;
    let mut line = 0;
    loop {
        let bullet = skip_space(text, line);
        let Some((start, end)) = point(text, bullet) else {
            match text[bullet..].find('\n') {
                Some(length) => {
                    count_steps(length);
                    line = bullet + length + 1;
                    continue;
                }
                None => break,
            }
        };
        let before = &text[pending..line.saturating_sub(1).max(pending)];
        if !before.is_empty() {
            sections.push(Section::Text(before));
        }
        let point = &text[start..end];
        match sections.last_mut() {
            Some(Section::List(points)) if line == pending => points.push(point),
            _ => sections.push(Section::List(vec![point])),
        }
        line = (end + 1).min(text.len());
        pending = line;
    }
    if pending < text.len() {
        sections.push(Section::Text(&text[pending..]));
    }
    sections
}

/// Returns the range of an item's content if `bullet` is the position of a bullet.
fn point(text: &str, bullet: usize) -> Option<(usize, usize)> {
    if !text[bullet..].starts_with(['-', '*', '+']) {
        return None;
    }
    let space = bullet + 1;
    let mut start = skip_space(text, space);
    if start == space {
        return None;
    }
    if start == text.len() {
        // Only spaces follow. An item has at least one character other than a line end.
        start = text[space..]
            .char_indices()
            .skip(1)
            .filter(|&(_, c)| c != '\n')
            .last()?
            .0
            + space;
    }
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    count_steps(length);
    Some((start, start + length))
}

fn skip_space(text: &str, from: usize) -> usize {
    let length = text[from..]
        .find(|c| !is_space(c))
        .unwrap_or(text.len() - from);
    count_steps(length + 1);
    from + length
}
