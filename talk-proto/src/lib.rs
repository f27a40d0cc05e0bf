//! The TalkJS chat protocol as a pure state machine.

mod content;

pub use content::{
    ContentBlock, Extra, FileBlock, FileSubtype, ForWire, LocationBlock, MAX_NESTING, RawJson,
    TextBlock, TextNode,
};
