//! The content of messages: blocks, nodes of rich text, markup and plain text.

mod block;
mod markup;
mod members;
mod node;
mod node_json;
mod number;
mod plaintext;
mod spelling;
mod unknown_fields;

pub(crate) use block::for_wire;
pub use block::{ContentBlock, FileBlock, FileSubtype, LocationBlock, TextBlock, to_wire_json};
pub use markup::{MarkupSource, parse_markup};
pub use members::MAX_NESTING;
pub use node::{Action, TextNode};
pub(crate) use number::JsNumber;
pub use plaintext::plaintext;
pub use unknown_fields::{RawJson, UnknownFields};
