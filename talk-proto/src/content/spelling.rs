//! Node types have two spellings: servers and snapshots write `autoLink`, a client that has parsed
//! a text writes `autolink`. Both are read everywhere.

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::block::ContentBlock;
use super::node::TextNode;

/// Which of the two spellings to write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    CamelCase,
    LowerCase,
}

/// Returns parsed content as the JSON that a client sends, in which node types are in lower case.
///
/// Content given as blocks is sent as it serialises.
///
/// ```
/// use talk_proto::content::{to_wire_json, ContentBlock, TextNode};
///
/// let content = [ContentBlock::text([TextNode::code_span("x = 1")])];
/// let sent = r#"[{"type":"text","children":[{"type":"codespan","text":"x = 1"}]}]"#;
/// assert_eq!(to_wire_json(&content), sent);
/// ```
pub fn to_wire_json(content: &[ContentBlock]) -> String {
    // Serialising to a string fails only for maps with keys that are not strings.
    serde_json::to_string(&ForWire(content)).unwrap_or_default()
}

/// Parsed content in the spelling that clients send.
#[derive(Clone, Copy)]
pub(crate) struct ForWire<'a>(pub(crate) &'a [ContentBlock]);

impl Serialize for ForWire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut blocks = serializer.serialize_seq(Some(self.0.len()))?;
        for value in self.0 {
            blocks.serialize_element(&Spelled {
                value,
                spelling: Spelling::LowerCase,
            })?;
        }
        blocks.end()
    }
}

/// A block, a node or a list of nodes, to be written in one spelling all the way down.
pub(crate) struct Spelled<'a, T: ?Sized> {
    pub(crate) value: &'a T,
    pub(crate) spelling: Spelling,
}

impl Serialize for Spelled<'_, [TextNode]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut nodes = serializer.serialize_seq(Some(self.value.len()))?;
        for value in self.value {
            nodes.serialize_element(&Spelled {
                value,
                spelling: self.spelling,
            })?;
        }
        nodes.end()
    }
}
