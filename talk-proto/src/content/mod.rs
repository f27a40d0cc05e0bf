//! What a message holds: blocks, the nodes of rich text, and what can be made of them.

mod block;
mod extra;
mod markup;
mod members;
mod node;
mod node_json;
mod number;
mod plaintext;
mod spelling;

pub use block::{ContentBlock, FileBlock, FileSubtype, LocationBlock, TextBlock};
pub use extra::{Extra, RawJson};
pub use markup::{MarkupSource, parse_markup};
pub use node::{Action, MAX_NESTING, TextNode};
pub(crate) use number::JsNumber;
pub use plaintext::plaintext;
pub use spelling::ForWire;
