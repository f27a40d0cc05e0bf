//! Rich text on a terminal. Without styles, the markup is shown instead.

use talk_proto::content::plaintext;
use talk_tokio::{ContentBlock, TextNode};

use super::sanitize;
use super::style::{Paint, Style};

/// Returns content as lines of text.
pub(crate) fn content(blocks: &[ContentBlock], style: Style) -> String {
    let blocks: Vec<_> = blocks
        .iter()
        .map(|block| match block {
            ContentBlock::Text(text) => nodes(&text.children, style),
            ContentBlock::Location(place) => {
                format!("📍 {}, {}", place.latitude, place.longitude)
            }
            ContentBlock::File(file) => {
                let name = sanitize::line(&plaintext(std::slice::from_ref(block)));
                let url = file.url.as_deref().map(sanitize::line).unwrap_or_default();
                format!("{name} {}", style.paint(Paint::Underline, &url))
            }
            _ => "(content of a kind that this version does not know)".to_owned(),
        })
        .collect();
    blocks.join("\n\n")
}

fn nodes(children: &[TextNode], style: Style) -> String {
    let mut out = String::new();
    for child in children {
        let text = node(child, style);
        let is_list = matches!(child, TextNode::BulletList { .. });
        if is_list && !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&text);
        if is_list {
            out.push('\n');
        }
    }
    out.trim_end_matches('\n').to_owned()
}

fn node(node: &TextNode, style: Style) -> String {
    let inner = || nodes(node.children(), style);
    let marked = |paint, mark: char, text: &str| {
        if style.is_enabled() {
            style.paint(paint, text)
        } else {
            format!("{mark}{text}{mark}")
        }
    };
    match node {
        TextNode::Text(text) => sanitize::lines(text),
        TextNode::Bold { .. } => marked(Paint::Bold, '*', &inner()),
        TextNode::Italic { .. } => marked(Paint::Italic, '_', &inner()),
        TextNode::Strikethrough { .. } => marked(Paint::Strikethrough, '~', &inner()),
        TextNode::BulletList { children, .. } => {
            let points: Vec<_> = children
                .iter()
                .map(|point| format!("• {}", self::node(point, style)))
                .collect();
            points.join("\n")
        }
        TextNode::CodeSpan { text, .. } => marked(Paint::Yellow, '`', &sanitize::lines(text)),
        TextNode::AutoLink { text, .. } => style.paint(Paint::Underline, &sanitize::line(text)),
        TextNode::Link { url, .. } => {
            format!(
                "{} <{}>",
                inner(),
                style.paint(Paint::Underline, &sanitize::line(url))
            )
        }
        TextNode::Mention { text, .. } => {
            style.paint(Paint::Cyan, &format!("@{}", sanitize::line(text)))
        }
        TextNode::CustomEmoji { text, .. } => sanitize::line(text),
        TextNode::BulletPoint { .. } | TextNode::ActionLink { .. } => inner(),
        TextNode::ActionButton { .. } => format!("[{}]", inner()),
        _ => "�".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use talk_proto::content::{MarkupSource, parse_markup};

    use super::*;

    fn shown(text: &str, enabled: bool) -> String {
        content(&parse_markup(text, MarkupSource::Send), Style::new(enabled))
    }

    #[test]
    fn content_without_styles_shows_markup() {
        assert_eq!(shown("a *b* _c_ ~d~", false), "a *b* _c_ ~d~");
        assert_eq!(
            shown("a *b* _c_", true),
            "a \x1b[1mb\x1b[22m \x1b[3mc\x1b[23m"
        );
    }

    #[test]
    fn content_list_starts_on_its_own_line() {
        assert_eq!(
            shown("bring:\n- *tea*\n- milk", false),
            "bring:\n• *tea*\n• milk"
        );
    }

    #[test]
    fn content_escape_is_not_printed() {
        assert!(!shown("\x1b[31mred *\x1b[1mbold*", false).contains('\x1b'));
    }
}
