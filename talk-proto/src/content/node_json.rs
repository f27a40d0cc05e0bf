//! Nodes to and from JSON.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::members::{Kind, Members, any_value};
use super::node::TextNode;
use super::spelling::{Spelled, Spelling};
use super::unknown_fields::UnknownFields;

impl TextNode {
    /// A known node whose members are all there, or the object as it came.
    fn from_members<E: Error>(mut m: Members) -> Result<Self, E> {
        Ok(match m.kind {
            Kind::AutoLink if m.has_text("url") && m.has_text("text") => Self::AutoLink {
                url: m.take_text("url").unwrap_or_default(),
                text: m.take_text("text").unwrap_or_default(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::CodeSpan if m.has_text("text") => Self::CodeSpan {
                text: m.take_text("text").unwrap_or_default(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::CustomEmoji if m.has_text("text") => Self::CustomEmoji {
                text: m.take_text("text").unwrap_or_default(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::Mention if m.has_text("id") && m.has_text("text") => Self::Mention {
                id: m.take_text("id").unwrap_or_default(),
                text: m.take_text("text").unwrap_or_default(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::Link if m.has_children() && m.has_text("url") => Self::Link {
                url: m.take_text("url").unwrap_or_default(),
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::ActionLink if m.has_children() && m.has_action() => Self::ActionLink {
                action: m.take_action(),
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::ActionButton if m.has_children() && m.has_action() => Self::ActionButton {
                action: m.take_action(),
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::Bold if m.has_children() => Self::Bold {
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::Italic if m.has_children() => Self::Italic {
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::Strikethrough if m.has_children() => Self::Strikethrough {
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::BulletList if m.has_children() => Self::BulletList {
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            Kind::BulletPoint if m.has_children() => Self::BulletPoint {
                children: m.take_children(),
                unknown_fields: m.into_unknown_fields()?,
            },
            _ => Self::Unknown(m.into_value()?.into()),
        })
    }
}

/// Reads one node that stands `depth` nodes deep.
pub(crate) struct NodeSeed {
    pub(crate) depth: usize,
}

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = TextNode;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TextNode, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Deserialize<'de> for TextNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NodeSeed { depth: 0 }.deserialize(deserializer)
    }
}

impl<'de> Visitor<'de> for NodeSeed {
    type Value = TextNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an object with a type")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TextNode, E> {
        Ok(TextNode::text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextNode, A::Error> {
        TextNode::from_members(Members::read(map, self.depth + 1)?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<TextNode, A::Error> {
        Ok(TextNode::Unknown(any_value::array(seq)?.into()))
    }

    any_value::scalars!(
        |value: serde_json::Value| TextNode::Unknown(value.into()),
        TextNode
    );
}

impl Serialize for TextNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Spelled {
            value: self,
            spelling: Spelling::CamelCase,
        }
        .serialize(serializer)
    }
}

impl Serialize for Spelled<'_, TextNode> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pick = |camel: &'static str, lower: &'static str| match self.spelling {
            Spelling::CamelCase => camel,
            Spelling::LowerCase => lower,
        };
        let parent = |serializer: S,
                      kind: &str,
                      children: &Arc<[TextNode]>,
                      unknown_fields: &UnknownFields| {
            let mut map = open(serializer, kind)?;
            self.close(
                map_children(&mut map, children, self.spelling).map(|()| map)?,
                unknown_fields,
            )
        };
        match self.value {
            TextNode::Text(text) => serializer.serialize_str(text),
            TextNode::Unknown(raw) => raw.serialize(serializer),
            TextNode::Bold {
                children,
                unknown_fields,
            } => parent(serializer, "bold", children, unknown_fields),
            TextNode::Italic {
                children,
                unknown_fields,
            } => parent(serializer, "italic", children, unknown_fields),
            TextNode::Strikethrough {
                children,
                unknown_fields,
            } => parent(serializer, "strikethrough", children, unknown_fields),
            TextNode::BulletList {
                children,
                unknown_fields,
            } => parent(
                serializer,
                pick("bulletList", "bulletlist"),
                children,
                unknown_fields,
            ),
            TextNode::BulletPoint {
                children,
                unknown_fields,
            } => parent(
                serializer,
                pick("bulletPoint", "bulletpoint"),
                children,
                unknown_fields,
            ),
            TextNode::Link {
                url,
                children,
                unknown_fields,
            } => {
                let mut map = open(serializer, "link")?;
                map.serialize_entry("url", url)?;
                map_children(&mut map, children, self.spelling)?;
                self.close(map, unknown_fields)
            }
            TextNode::AutoLink {
                url,
                text,
                unknown_fields,
            } => {
                let mut map = open(serializer, pick("autoLink", "autolink"))?;
                map.serialize_entry("url", url)?;
                map.serialize_entry("text", text)?;
                self.close(map, unknown_fields)
            }
            TextNode::CodeSpan {
                text,
                unknown_fields,
            } => {
                let mut map = open(serializer, pick("codeSpan", "codespan"))?;
                map.serialize_entry("text", text)?;
                self.close(map, unknown_fields)
            }
            TextNode::CustomEmoji {
                text,
                unknown_fields,
            } => {
                let mut map = open(serializer, pick("customEmoji", "customemoji"))?;
                map.serialize_entry("text", text)?;
                self.close(map, unknown_fields)
            }
            TextNode::Mention {
                id,
                text,
                unknown_fields,
            } => {
                let mut map = open(serializer, "mention")?;
                map.serialize_entry("id", id)?;
                map.serialize_entry("text", text)?;
                self.close(map, unknown_fields)
            }
            TextNode::ActionLink {
                action,
                children,
                unknown_fields,
            } => {
                let mut map = open(serializer, pick("actionLink", "actionlink"))?;
                map.serialize_entry("action", &action.name)?;
                map.serialize_entry("params", &action.params)?;
                map_children(&mut map, children, self.spelling)?;
                self.close(map, unknown_fields)
            }
            TextNode::ActionButton {
                action,
                children,
                unknown_fields,
            } => {
                let mut map = open(serializer, pick("actionButton", "actionbutton"))?;
                map.serialize_entry("action", &action.name)?;
                map.serialize_entry("params", &action.params)?;
                map_children(&mut map, children, self.spelling)?;
                self.close(map, unknown_fields)
            }
        }
    }
}

impl Spelled<'_, TextNode> {
    fn close<M: SerializeMap>(
        &self,
        mut map: M,
        unknown_fields: &UnknownFields,
    ) -> Result<M::Ok, M::Error> {
        unknown_fields.serialize_into(&mut map)?;
        map.end()
    }
}

fn open<S: Serializer>(serializer: S, kind: &str) -> Result<S::SerializeMap, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("type", kind)?;
    Ok(map)
}

pub(crate) fn map_children<M: SerializeMap>(
    map: &mut M,
    children: &[TextNode],
    spelling: Spelling,
) -> Result<(), M::Error> {
    map.serialize_entry(
        "children",
        &Spelled {
            value: children,
            spelling,
        },
    )
}
