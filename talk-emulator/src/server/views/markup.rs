//! Content written back as markup.

use talk_proto::content::{Action, TextNode};
use talk_proto::encode_component;

/// Returns nodes as the markup that has the same meaning. Text that looks like markup is not
/// escaped, because markup has no escapes.
pub(in crate::server) fn of_nodes(nodes: &[TextNode]) -> String {
    let mut out = String::new();
    write_nodes(nodes, &mut out);
    out
}

fn write_nodes(nodes: &[TextNode], out: &mut String) {
    for node in nodes {
        write_node(node, out);
    }
}

fn write_node(node: &TextNode, out: &mut String) {
    match node {
        TextNode::Text(text) => out.push_str(text),
        TextNode::Bold { children, .. } => write_marked("*", children, out),
        TextNode::Italic { children, .. } => write_marked("_", children, out),
        TextNode::Strikethrough { children, .. } => write_marked("~", children, out),
        TextNode::BulletList { children, .. } => {
            for (at, point) in children.iter().enumerate() {
                if at > 0 || !out.is_empty() && !out.ends_with('\n') {
                    out.push('\n');
                }
                write_node(point, out);
            }
        }
        TextNode::BulletPoint { children, .. } => {
            out.push_str("- ");
            write_nodes(children, out);
        }
        TextNode::Link { url, children, .. } => write_labelled(url, children, out),
        TextNode::AutoLink { text, .. } => out.push_str(text),
        TextNode::CodeSpan { text, .. } => {
            for part in ["```", text, "```"] {
                out.push_str(part);
            }
        }
        TextNode::CustomEmoji { text, .. } => {
            for part in ["<!!customemoji:", text, ">"] {
                out.push_str(part);
            }
        }
        TextNode::Mention { id, text, .. } => {
            let id = encode_component(id).to_string();
            for part in ["<!!mention:", &id, "|", text, ">"] {
                out.push_str(part);
            }
        }
        TextNode::ActionLink {
            action, children, ..
        } => write_labelled(&format!("actionlink:{}", target(action)), children, out),
        TextNode::ActionButton {
            action, children, ..
        } => write_labelled(&format!("actionbutton:{}", target(action)), children, out),
        other => write_nodes(other.children(), out),
    }
}

fn write_marked(marker: &str, children: &[TextNode], out: &mut String) {
    out.push_str(marker);
    write_nodes(children, out);
    out.push_str(marker);
}

fn write_labelled(target: &str, children: &[TextNode], out: &mut String) {
    for part in ["<", target, "|"] {
        out.push_str(part);
    }
    write_nodes(children, out);
    out.push('>');
}

/// Returns `name?k=v&k=v`.
fn target(action: &Action) -> String {
    let mut out = action.name.to_string();
    for (at, (key, value)) in action.params.iter().enumerate() {
        out.push(if at == 0 { '?' } else { '&' });
        out.extend(encode_component(key));
        out.push('=');
        out.extend(encode_component(value));
    }
    out
}
