//! What a message holds: blocks, the nodes of rich text, and what can be made of them.

mod block;
mod markup;
mod members;
mod node;
mod node_json;
mod number;
mod plaintext;
mod spelling;
mod unknown_fields;

pub use block::{ContentBlock, FileBlock, FileSubtype, LocationBlock, TextBlock};
pub use markup::{MarkupSource, parse_markup};
pub use node::{Action, MAX_NESTING, TextNode};
pub(crate) use number::JsNumber;
pub use plaintext::plaintext;
pub(crate) use spelling::ForWire;
pub use spelling::to_wire_json;
pub use unknown_fields::{RawJson, UnknownFields};
