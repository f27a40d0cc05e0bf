//! Content as plain text, for lists and notifications.

use serde::Deserialize;
use serde_json::Value;

use super::block::{ContentBlock, FileBlock, FileSubtype};
use super::members::Visible;
use super::node::TextNode;
use super::unknown_fields::RawJson;

/// Returns content without formatting, for lists and notifications.
///
/// A bullet point is a line that starts with `- `. A mention is `@Name`, a file is an icon with its
/// name, a voice recording is an icon with its length, and a location is an icon. A blank line
/// separates blocks. Of the unknown nodes, `emoji`, `codeBlock` and `blockquote` are shown as their
/// text, as in the published client; all other unknown nodes are left out.
///
/// ```
/// use talk_proto::content::{ContentBlock, TextNode, plaintext};
///
/// let text = ContentBlock::text([TextNode::mention("bob", "Bob"), ", see:".into()]);
/// assert_eq!(plaintext(&[text, ContentBlock::location(52.1, 5.1)]), "@Bob, see:\n\n📍");
/// ```
pub fn plaintext(content: &[ContentBlock]) -> String {
    let blocks: Vec<_> = content.iter().map(plaintext_of_block).collect();
    blocks.join("\n\n")
}

fn plaintext_of_block(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => plaintext_of_nodes(&text.children),
        ContentBlock::File(file) => plaintext_of_file(file),
        ContentBlock::Location(_) => "📍".to_owned(),
        ContentBlock::Unknown(_) => String::new(),
    }
}

fn plaintext_of_file(file: &FileBlock) -> String {
    let icon = match file.subtype {
        Some(FileSubtype::Voice) => return plaintext_of_voice(file.duration),
        Some(FileSubtype::Image) => "📷",
        Some(FileSubtype::Video) => "🎥",
        Some(FileSubtype::Audio) => "🎧",
        Some(FileSubtype::Other(_)) | None => "📎",
    };
    match &file.filename {
        Some(filename) => format!("{icon} {filename}"),
        None => icon.to_owned(),
    }
}

fn plaintext_of_voice(duration: Option<f64>) -> String {
    const ICON: &str = "🎙️";
    match duration {
        Some(duration) => {
            let seconds = duration as u64;
            format!("{ICON} ({}:{:02})", seconds / 60, seconds % 60)
        }
        None => ICON.to_owned(),
    }
}

/// Returns rich text without formatting.
pub(crate) fn plaintext_of_nodes(nodes: &[TextNode]) -> String {
    let mut out = String::new();
    append_nodes(nodes, &mut out);
    out
}

/// Recurses to the depth of the nodes, which is at most [`MAX_NESTING`](super::MAX_NESTING) for
/// parsed content.
fn append_nodes(nodes: &[TextNode], out: &mut String) {
    for node in nodes {
        let (before, after) = match node {
            TextNode::Mention { .. } => ("@", ""),
            TextNode::BulletList { .. } => ("\n", ""),
            TextNode::BulletPoint { .. } => ("- ", "\n"),
            _ => ("", ""),
        };
        out.push_str(before);
        match node.visible() {
            Some(Visible::Text(text)) => out.push_str(text),
            Some(Visible::Children(children)) => append_nodes(children, out),
            None => {}
        }
        out.push_str(after);
        if let TextNode::Unknown(raw) = node {
            append_unknown(raw, out);
        }
    }
}

fn append_unknown(raw: &RawJson, out: &mut String) {
    let member = |name| raw.value().get(name);
    match raw.kind() {
        Some("emoji" | "codeBlock" | "codeblock") => {
            out.push_str(member("text").and_then(Value::as_str).unwrap_or_default());
        }
        Some("blockquote") => {
            let children = member("children").and_then(Value::as_array);
            for child in children.into_iter().flatten() {
                if let Ok(node) = TextNode::deserialize(child) {
                    append_nodes(&[node], out);
                }
            }
        }
        _ => {}
    }
}
