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

/// The content that came of a parsed text, as a client sends it: `autolink`, `bulletlist`,
/// `bulletpoint`, `codespan`, `customemoji`, `actionlink`, `actionbutton`. Content that a user gave
/// as blocks is sent as it serialises by itself.
///
/// ```
/// use talk_proto::{ContentBlock, ForWire, TextNode};
///
/// let content = [ContentBlock::text([TextNode::code_span("x = 1")])];
/// let sent = serde_json::to_string(&ForWire(&content)).unwrap();
/// assert_eq!(sent, r#"[{"type":"text","children":[{"type":"codespan","text":"x = 1"}]}]"#);
/// ```
#[derive(Clone, Copy)]
pub struct ForWire<'a>(pub &'a [ContentBlock]);

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
