//! The nodes of rich text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::Error;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::members::{Member, Members, Visible};
use super::spelling::Spelled;
use super::unknown_fields::{RawJson, UnknownFields};

/// Defines [`TextNode`], its constructors and its JSON from the table below. A row is
///
/// ```text
/// "typeInCamelCase" | "typeinlowercase" => Variant, fn constructor { members in JSON order }
/// ```
///
/// The lower-case type is left out if it is equal. The constructor is left out if it is written by
/// hand.
macro_rules! nodes {
    ($(
        $(#[$doc:meta])*
        $camel:literal $(| $lower:literal)? => $node:ident $(, fn $new:ident)? {
            $($(#[$member_doc:meta])* $member:ident: $type:ty,)*
        }
    )*) => {
        /// A piece of rich text. Cheap to clone.
        ///
        /// Serialises to the documented shape with camelCase types; both spellings are read.
        /// `Debug` shows kinds and text lengths, but no text.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum TextNode {
            /// Plain text; a bare string in JSON.
            Text(Arc<str>),
            $(
                $(#[$doc])*
                #[non_exhaustive]
                $node {
                    $($(#[$member_doc])* $member: $type,)*
                    /// Members unknown to this version.
                    unknown_fields: UnknownFields,
                },
            )*
            /// A node of an unknown type, stored and passed on unchanged.
            Unknown(RawJson),
        }

        impl TextNode {
            $(nodes! { @constructor $node [$($new)?] { $($member: $type,)* } })*

            /// Returns the camelCase spelling of a known type.
            pub(super) fn type_name(name: &str) -> Option<&'static str> {
                match name {
                    $($camel $(| $lower)? => Some($camel),)*
                    _ => None,
                }
            }

            /// Returns a known node if all its members are present, otherwise the original object.
            pub(super) fn from_members<E: Error>(mut m: Members<Self>) -> Result<Self, E> {
                Ok(match m.kind {
                    $(Some($camel)
                        if $(<$type as Member<Self>>::is_in(&m, stringify!($member)))&&* =>
                    {
                        Self::$node {
                            $($member: <$type>::take_from(&mut m, stringify!($member)),)*
                            unknown_fields: m.into_unknown_fields()?,
                        }
                    })*
                    _ => Self::Unknown(m.into_value()?.into()),
                })
            }

            /// Returns the name of the variant and the visible part.
            fn parts(&self) -> (&'static str, Option<Visible<'_, Self>>) {
                match self {
                    Self::Text(text) => ("Text", Some(Visible::Text(text))),
                    $(Self::$node { $($member,)* .. } => {
                        let parts = [$($member.visible()),*];
                        (stringify!($node), parts.into_iter().flatten().last())
                    })*
                    Self::Unknown(_) => ("Unknown", None),
                }
            }
        }

        impl Serialize for Spelled<'_, TextNode> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.value {
                    TextNode::Text(text) => serializer.serialize_str(text),
                    $(TextNode::$node { $($member,)* unknown_fields } => {
                        let mut map = serializer.serialize_map(None)?;
                        map.serialize_entry("type", self.spelling.pick(&[$camel $(, $lower)?]))?;
                        $(Member::<TextNode>::write(
                            $member, stringify!($member), &mut map, self.spelling,
                        )?;)*
                        unknown_fields.serialize_into(&mut map)?;
                        map.end()
                    })*
                    TextNode::Unknown(raw) => raw.serialize(serializer),
                }
            }
        }
    };
    (@constructor $node:ident [] $members:tt) => {};
    (@constructor $node:ident [$new:ident] { $($member:ident: $type:ty,)* }) => {
        #[doc = concat!(
            "Creates a [`", stringify!($node), "`](Self::", stringify!($node), ") node."
        )]
        pub fn $new($($member: impl Into<$type>),*) -> Self {
            Self::$node {
                $($member: $member.into(),)*
                unknown_fields: UnknownFields::default(),
            }
        }
    };
}

nodes! {
    /// Bold text: `*bold*`.
    "bold" => Bold, fn bold {
        /// The bold nodes.
        children: Arc<[Self]>,
    }
    /// Text in italics: `_italic_`.
    "italic" => Italic, fn italic {
        /// The nodes in italics.
        children: Arc<[Self]>,
    }
    /// Struck-through text: `~struck through~`.
    "strikethrough" => Strikethrough, fn strikethrough {
        /// The struck-through nodes.
        children: Arc<[Self]>,
    }
    /// A list of [bullet points](Self::BulletPoint).
    "bulletList" | "bulletlist" => BulletList, fn bullet_list {
        /// The bullet points.
        children: Arc<[Self]>,
    }
    /// A bullet point of a list.
    "bulletPoint" | "bulletpoint" => BulletPoint, fn bullet_point {
        /// The content of the bullet point.
        children: Arc<[Self]>,
    }
    /// A link with a label. Users may not send these unless their role allows it.
    "link" => Link, fn link {
        /// The target of the link.
        url: Arc<str>,
        /// The label.
        children: Arc<[Self]>,
    }
    /// A web address, email address or phone number that was detected in the text. Servers refuse a
    /// node whose `text` and `url` do not match.
    "autoLink" | "autolink" => AutoLink, fn auto_link {
        /// The target of the link: `https:`, `mailto:`, `tel:`, …
        url: Arc<str>,
        /// The address as written.
        text: Arc<str>,
    }
    /// Code: `` `code` ``.
    "codeSpan" | "codespan" => CodeSpan, fn code_span {
        /// The code.
        text: Arc<str>,
    }
    /// A custom emoji of the app.
    "customEmoji" | "customemoji" => CustomEmoji, fn custom_emoji {
        /// The name, with the colons: `:cat:`.
        text: Arc<str>,
    }
    /// A mention of a user.
    "mention" => Mention, fn mention {
        /// The user's id.
        id: Arc<str>,
        /// The user's name, without an `@`.
        text: Arc<str>,
    }
    /// A link that triggers an action of the app. Users may not send these unless their role
    /// allows it.
    "actionLink" | "actionlink" => ActionLink {
        /// The action.
        action: Arc<Action>,
        /// The label.
        children: Arc<[Self]>,
    }
    /// A button that triggers an action of the app. Users may not send these unless their role
    /// allows it.
    "actionButton" | "actionbutton" => ActionButton {
        /// The action.
        action: Arc<Action>,
        /// The label.
        children: Arc<[Self]>,
    }
}

/// An action of the app that a link or button triggers. `Debug` hides the name and the parameters.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Action {
    /// The action's name.
    pub name: Arc<str>,
    /// The parameters of the action.
    pub params: BTreeMap<String, String>,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action").finish_non_exhaustive()
    }
}

impl Action {
    pub(super) fn new(name: Arc<str>, params: BTreeMap<String, String>) -> Arc<Self> {
        Arc::new(Self { name, params })
    }
}

impl TextNode {
    /// Creates plain text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Creates a [link that triggers an action](Self::ActionLink).
    pub fn action_link(
        action: impl Into<Arc<str>>,
        params: BTreeMap<String, String>,
        children: impl Into<Arc<[Self]>>,
    ) -> Self {
        Self::ActionLink {
            action: Action::new(action.into(), params),
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// Creates a [button that triggers an action](Self::ActionButton).
    pub fn action_button(
        action: impl Into<Arc<str>>,
        params: BTreeMap<String, String>,
        children: impl Into<Arc<[Self]>>,
    ) -> Self {
        Self::ActionButton {
            action: Action::new(action.into(), params),
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        }
    }

    /// Returns the nodes inside this one.
    pub fn children(&self) -> &[Self] {
        match self.visible() {
            Some(Visible::Children(children)) => children,
            _ => &[],
        }
    }

    /// Returns the visible part of the node.
    pub(super) fn visible(&self) -> Option<Visible<'_, Self>> {
        self.parts().1
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
        let (name, visible) = self.parts();
        let mut tuple = f.debug_tuple(name);
        match (self, visible) {
            (Self::Unknown(raw), _) => return raw.fmt(f),
            (_, Some(Visible::Text(text))) => tuple.field(&format_args!("{} bytes", text.len())),
            _ => tuple.field(&self.children()),
        };
        tuple.finish()
    }
}
