//! The nodes of rich text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::unknown_fields::{RawJson, UnknownFields};

/// How deep nodes may nest. A level costs two levels of JSON, of which common decoders take 128 in
/// a whole frame; deeper text does not decode, and markup beyond it is left as text.
pub const MAX_NESTING: usize = 50;

/// A piece of rich text. Cheap to clone.
///
/// Serialises to the documented shape with camelCase types; both spellings are read. `Debug` shows
/// the kinds and the lengths of texts, never a text.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum TextNode {
    /// Plain text; a bare string in JSON.
    Text(Arc<str>),
    /// `*bold*`
    #[non_exhaustive]
    Bold {
        /// What is in bold.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// `_italic_`
    #[non_exhaustive]
    Italic {
        /// What is in italics.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// `~struck through~`
    #[non_exhaustive]
    Strikethrough {
        /// What is struck through.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// A list; its children are bullet points.
    #[non_exhaustive]
    BulletList {
        /// The points.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// One point of a list.
    #[non_exhaustive]
    BulletPoint {
        /// What the point says.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// A link with a label. Users may not send these unless their role allows it.
    #[non_exhaustive]
    Link {
        /// Where it leads.
        url: Arc<str>,
        /// The label.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// A web address, email address or phone number that was found in the text.
    #[non_exhaustive]
    AutoLink {
        /// Where it leads: `https:`, `mailto:`, `tel:`, …
        url: Arc<str>,
        /// As it was written.
        text: Arc<str>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// `` `code` ``
    #[non_exhaustive]
    CodeSpan {
        /// The code.
        text: Arc<str>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// An emoji of the app's own.
    #[non_exhaustive]
    CustomEmoji {
        /// Its name, with the colons: `:cat:`.
        text: Arc<str>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// Somebody is spoken to.
    #[non_exhaustive]
    Mention {
        /// The user's id.
        id: Arc<str>,
        /// The user's name, without an `@`.
        text: Arc<str>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// A link that triggers an action of the app. Users may not send these unless their role
    /// allows it.
    #[non_exhaustive]
    ActionLink {
        /// What it triggers.
        action: Arc<Action>,
        /// The label.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// A button that triggers an action of the app. Users may not send these unless their role
    /// allows it.
    #[non_exhaustive]
    ActionButton {
        /// What it triggers.
        action: Arc<Action>,
        /// The label.
        children: Arc<[Self]>,
        /// Members unknown to this version.
        unknown_fields: UnknownFields,
    },
    /// A node that this version does not know, kept as it came and passed on as it is.
    Unknown(RawJson),
}

/// An action of the app, as a link or button triggers it. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Action {
    /// The action's name.
    pub name: Arc<str>,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action").finish_non_exhaustive()
    }
}

impl TextNode {
    /// Plain text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Bold text.
    pub fn bold(children: impl Into<Arc<[Self]>>) -> Self {
        Self::Bold {
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// Text in italics.
    pub fn italic(children: impl Into<Arc<[Self]>>) -> Self {
        Self::Italic {
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// Struck-through text.
    pub fn strikethrough(children: impl Into<Arc<[Self]>>) -> Self {
        Self::Strikethrough {
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// A list of [bullet points](Self::bullet_point).
    pub fn bullet_list(points: impl Into<Arc<[Self]>>) -> Self {
        Self::BulletList {
            children: points.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// One point of a list.
    pub fn bullet_point(children: impl Into<Arc<[Self]>>) -> Self {
        Self::BulletPoint {
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// A link with a label.
    pub fn link(url: impl Into<Arc<str>>, children: impl Into<Arc<[Self]>>) -> Self {
        Self::Link {
            url: url.into(),
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// An address in the text. Servers refuse one whose `text` and `url` disagree.
    pub fn auto_link(url: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self::AutoLink {
            url: url.into(),
            text: text.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// Code.
    pub fn code_span(text: impl Into<Arc<str>>) -> Self {
        Self::CodeSpan {
            text: text.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// A custom emoji; `name` includes the colons.
    pub fn custom_emoji(name: impl Into<Arc<str>>) -> Self {
        Self::CustomEmoji {
            text: name.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// A mention of the user with this id and name.
    pub fn mention(user_id: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self::Mention {
            id: user_id.into(),
            text: name.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// A link that triggers an action.
    pub fn action_link(
        action: impl Into<Arc<str>>,
        params: BTreeMap<String, String>,
        children: impl Into<Arc<[Self]>>,
    ) -> Self {
        Self::ActionLink {
            action: Arc::new(Action {
                name: action.into(),
                params,
            }),
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// A button that triggers an action.
    pub fn action_button(
        action: impl Into<Arc<str>>,
        params: BTreeMap<String, String>,
        children: impl Into<Arc<[Self]>>,
    ) -> Self {
        Self::ActionButton {
            action: Arc::new(Action {
                name: action.into(),
                params,
            }),
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// The nodes inside this one.
    pub fn children(&self) -> &[Self] {
        match self {
            Self::Bold { children, .. }
            | Self::Italic { children, .. }
            | Self::Strikethrough { children, .. }
            | Self::BulletList { children, .. }
            | Self::BulletPoint { children, .. }
            | Self::Link { children, .. }
            | Self::ActionLink { children, .. }
            | Self::ActionButton { children, .. } => children,
            Self::Text(_)
            | Self::AutoLink { .. }
            | Self::CodeSpan { .. }
            | Self::CustomEmoji { .. }
            | Self::Mention { .. }
            | Self::Unknown(_) => &[],
        }
    }
}

impl From<&str> for TextNode {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for TextNode {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl fmt::Debug for TextNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, text) = match self {
            Self::Text(text) => ("Text", Some(text)),
            Self::Bold { .. } => ("Bold", None),
            Self::Italic { .. } => ("Italic", None),
            Self::Strikethrough { .. } => ("Strikethrough", None),
            Self::BulletList { .. } => ("BulletList", None),
            Self::BulletPoint { .. } => ("BulletPoint", None),
            Self::Link { .. } => ("Link", None),
            Self::AutoLink { text, .. } => ("AutoLink", Some(text)),
            Self::CodeSpan { text, .. } => ("CodeSpan", Some(text)),
            Self::CustomEmoji { text, .. } => ("CustomEmoji", Some(text)),
            Self::Mention { text, .. } => ("Mention", Some(text)),
            Self::ActionLink { .. } => ("ActionLink", None),
            Self::ActionButton { .. } => ("ActionButton", None),
            Self::Unknown(raw) => return raw.fmt(f),
        };
        let mut tuple = f.debug_tuple(name);
        match text {
            Some(text) => tuple.field(&format_args!("{} bytes", text.len())),
            None => tuple.field(&self.children()),
        };
        tuple.finish()
    }
}
