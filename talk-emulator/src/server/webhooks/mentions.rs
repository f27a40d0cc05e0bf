use talk_proto::content::{ContentBlock, TextNode};

use crate::server::message::Message;

/// Returns the mentioned users in the order of the mentions, without repetitions (our choice).
pub(super) fn of_message(message: &Message) -> Vec<String> {
    let blocks: Vec<ContentBlock> = serde_json::from_str(message.content.get()).unwrap_or_default();
    let mut users = Vec::new();
    for block in &blocks {
        if let ContentBlock::Text(text) = block {
            collect(&text.children, &mut users);
        }
    }
    users
}

fn collect(nodes: &[TextNode], users: &mut Vec<String>) {
    for node in nodes {
        match node {
            TextNode::Mention { id, .. } if !users.iter().any(|user| **user == **id) => {
                users.push(id.to_string());
            }
            other => collect(other.children(), users),
        }
    }
}
