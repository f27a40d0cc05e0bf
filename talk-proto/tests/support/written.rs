//! Conversion of content back to markup.

use talk_proto::content::{ContentBlock, TextNode};

/// Returns markup that parses to the content. The parameters of actions and the text around lists
/// are left out.
pub(crate) fn written(content: &[ContentBlock]) -> String {
    let mut out = String::new();
    for block in content {
        if let ContentBlock::Text(text) = block {
            write(&text.children, &mut out);
        }
    }
    out
}

/// Returns `true` if the content contains a list.
pub(crate) fn has_list(content: &[ContentBlock]) -> bool {
    let is_list = |node: &TextNode| matches!(node, TextNode::BulletList { .. });
    let mut blocks = content.iter();
    blocks.any(|block| match block {
        ContentBlock::Text(text) => text.children.iter().any(is_list),
        _ => false,
    })
}

fn write(nodes: &[TextNode], out: &mut String) {
    for node in nodes {
        let (before, after) = match node {
            TextNode::Text(text) | TextNode::AutoLink { text, .. } => (text.to_string(), ""),
            TextNode::Bold { .. } => ("*".to_owned(), "*"),
            TextNode::Italic { .. } => ("_".to_owned(), "_"),
            TextNode::Strikethrough { .. } => ("~".to_owned(), "~"),
            TextNode::BulletPoint { .. } => ("- ".to_owned(), "\n"),
            TextNode::CodeSpan { text, .. } => (format!("```{text}"), "```"),
            TextNode::CustomEmoji { text, .. } => {
                let name = text.trim_matches(':');
                (format!("<!!customemoji:{name}"), ">")
            }
            TextNode::Mention { id, text, .. } => (format!("<!!mention:{id}|{text}"), ">"),
            TextNode::Link { url, .. } => (format!("<{url}|"), ">"),
            TextNode::ActionLink { action, .. } => (format!("<actionlink:{}|", action.name), ">"),
            TextNode::ActionButton { action, .. } => {
                (format!("<actionbutton:{}|", action.name), ">")
            }
            _ => (String::new(), ""),
        };
        out.push_str(&before);
        write(node.children(), out);
        out.push_str(after);
    }
}
