//! What a message holds: blocks, the nodes of rich text, and what can be made of them.

mod block;
mod extra;
mod members;
mod node;
mod node_json;
mod number;
mod spelling;

pub use block::{ContentBlock, FileBlock, FileSubtype, LocationBlock, TextBlock};
pub use extra::{Extra, RawJson};
pub use node::{MAX_NESTING, TextNode};
pub use spelling::ForWire;
