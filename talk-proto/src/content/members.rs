//! Reading a block or node: an object whose `type` may stand anywhere in it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::node::{Action, MAX_NESTING, TextNode};
use super::node_json::NodeSeed;
use super::unknown_fields::UnknownFields;
use crate::json;

/// The members of one object. Children are read as nodes at once; the rest, which is small, waits
/// as JSON until the type is known.
pub(crate) struct Members {
    pub(crate) kind: Kind,
    children: Option<Arc<[TextNode]>>,
    rest: Map<String, Value>,
}

impl Members {
    /// Reads one object whose children stand `depth` nodes deep.
    pub(crate) fn read<'de, A: MapAccess<'de>>(mut map: A, depth: usize) -> Result<Self, A::Error> {
        let mut members = Self {
            kind: Kind::Unknown,
            children: None,
            rest: Map::new(),
        };
        while let Some(name) = map.next_key::<MemberName>()? {
            match name {
                MemberName::Type => match map.next_value()? {
                    TypeName::Known(kind) => members.kind = kind,
                    TypeName::Other(value) => members.put("type", value),
                },
                MemberName::Children => match map.next_value_seed(ChildrenSeed { depth })? {
                    Children::Nodes(nodes) => members.children = Some(nodes),
                    Children::Other(value) => members.put("children", value),
                },
                MemberName::Other(name) => {
                    let value = map.next_value()?;
                    members.rest.insert(name, value);
                }
            }
        }
        Ok(members)
    }

    fn put(&mut self, name: &str, value: Value) {
        self.rest.insert(name.to_owned(), value);
    }

    pub(crate) fn has_children(&self) -> bool {
        self.children.is_some()
    }

    pub(crate) fn has_text(&self, name: &str) -> bool {
        matches!(self.rest.get(name), Some(Value::String(_)))
    }

    pub(crate) fn has_number(&self, name: &str) -> bool {
        matches!(self.rest.get(name), Some(Value::Number(_)))
    }

    /// Whether there is an action, and its parameters are an object of strings.
    pub(crate) fn has_action(&self) -> bool {
        let params = self.rest.get("params").and_then(Value::as_object);
        self.has_text("action") && params.is_some_and(|map| map.values().all(Value::is_string))
    }

    pub(crate) fn take_children(&mut self) -> Arc<[TextNode]> {
        self.children.take().unwrap_or_default()
    }

    /// Takes a string; what is not one stays, and is kept as an extra member.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<Arc<str>> {
        let Value::String(text) = self.rest.get_mut(name)? else {
            return None;
        };
        let text = std::mem::take(text);
        self.rest.remove(name);
        Some(text.into())
    }

    /// Takes a member that `convert` accepts; any other stays.
    pub(crate) fn take<T>(&mut self, name: &str, convert: fn(&Value) -> Option<T>) -> Option<T> {
        let taken = convert(self.rest.get(name)?)?;
        self.rest.remove(name);
        Some(taken)
    }

    pub(crate) fn take_action(&mut self) -> Arc<Action> {
        let params = self.take("params", |params| BTreeMap::deserialize(params).ok());
        Arc::new(Action {
            name: self.take_text("action").unwrap_or_default(),
            params: params.unwrap_or_default(),
        })
    }

    /// All that was not taken.
    pub(crate) fn into_unknown_fields<E: Error>(mut self) -> Result<UnknownFields, E> {
        self.restore_children()?;
        Ok(self.rest.into())
    }

    /// The object as it came.
    pub(crate) fn into_value<E: Error>(mut self) -> Result<Value, E> {
        self.restore_children()?;
        if let Some(name) = self.kind.name() {
            self.put("type", Value::from(name));
        }
        Ok(Value::Object(self.rest))
    }

    fn restore_children<E: Error>(&mut self) -> Result<(), E> {
        if let Some(children) = self.children.take() {
            let value = serde_json::to_value(&children).map_err(E::custom)?;
            self.put("children", value);
        }
        Ok(())
    }
}

/// The types that the protocol knows today, blocks and nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    File,
    Location,
    Bold,
    Italic,
    Strikethrough,
    BulletList,
    BulletPoint,
    Link,
    AutoLink,
    CodeSpan,
    CustomEmoji,
    Mention,
    ActionLink,
    ActionButton,
    Unknown,
}

impl Kind {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "file" => Self::File,
            "location" => Self::Location,
            "bold" => Self::Bold,
            "italic" => Self::Italic,
            "strikethrough" => Self::Strikethrough,
            "bulletList" | "bulletlist" => Self::BulletList,
            "bulletPoint" | "bulletpoint" => Self::BulletPoint,
            "link" => Self::Link,
            "autoLink" | "autolink" => Self::AutoLink,
            "codeSpan" | "codespan" => Self::CodeSpan,
            "customEmoji" | "customemoji" => Self::CustomEmoji,
            "mention" => Self::Mention,
            "actionLink" | "actionlink" => Self::ActionLink,
            "actionButton" | "actionbutton" => Self::ActionButton,
            _ => return None,
        })
    }

    /// The camelCase name; `None` for an unknown type, whose name stays among the other members.
    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Text => "text",
            Self::File => "file",
            Self::Location => "location",
            Self::Bold => "bold",
            Self::Italic => "italic",
            Self::Strikethrough => "strikethrough",
            Self::BulletList => "bulletList",
            Self::BulletPoint => "bulletPoint",
            Self::Link => "link",
            Self::AutoLink => "autoLink",
            Self::CodeSpan => "codeSpan",
            Self::CustomEmoji => "customEmoji",
            Self::Mention => "mention",
            Self::ActionLink => "actionLink",
            Self::ActionButton => "actionButton",
            Self::Unknown => return None,
        })
    }
}

enum MemberName {
    Type,
    Children,
    Other(String),
}

impl<'de> Deserialize<'de> for MemberName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = MemberName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<MemberName, E> {
                Ok(match name {
                    "type" => MemberName::Type,
                    "children" => MemberName::Children,
                    _ => MemberName::Other(name.to_owned()),
                })
            }
        }

        deserializer.deserialize_identifier(NameVisitor)
    }
}

enum TypeName {
    Known(Kind),
    Other(Value),
}

impl<'de> Deserialize<'de> for TypeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TypeVisitor)
    }
}

struct TypeVisitor;

impl<'de> Visitor<'de> for TypeVisitor {
    type Value = TypeName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<TypeName, E> {
        let known = Kind::from_name(name).map(TypeName::Known);
        Ok(known.unwrap_or_else(|| TypeName::Other(name.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<TypeName, A::Error> {
        any_value::array(seq).map(TypeName::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TypeName, A::Error> {
        any_value::object(map).map(TypeName::Other)
    }

    any_value::scalars!(TypeName::Other, TypeName);
}

enum Children {
    Nodes(Arc<[TextNode]>),
    Other(Value),
}

struct ChildrenSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ChildrenSeed {
    type Value = Children;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Children, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ChildrenSeed {
    type Value = Children;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of nodes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Children, A::Error> {
        if self.depth > MAX_NESTING {
            return Err(A::Error::custom(format_args!(
                "rich text is nested more than {MAX_NESTING} deep"
            )));
        }
        let next = || seq.next_element_seed(NodeSeed { depth: self.depth });
        json::collect(next).map(Children::Nodes)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Children, A::Error> {
        any_value::object(map).map(Children::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Children, E> {
        Ok(Children::Other(text.into()))
    }

    any_value::scalars!(Children::Other, Children);
}

/// What a visitor does with JSON of no use to it: keep it.
pub(crate) mod any_value {
    use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
    use serde::de::{Deserialize, MapAccess, SeqAccess};
    use serde_json::Value;

    pub(crate) fn object<'de, A: MapAccess<'de>>(map: A) -> Result<Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map))
    }

    pub(crate) fn array<'de, A: SeqAccess<'de>>(seq: A) -> Result<Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq))
    }

    /// The visitor methods for null, booleans and numbers.
    macro_rules! scalars {
        ($keep:expr, $out:ty) => {
            fn visit_bool<E: Error>(self, value: bool) -> Result<$out, E> {
                Ok($keep(value.into()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<$out, E> {
                Ok($keep(value.into()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<$out, E> {
                Ok($keep(value.into()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<$out, E> {
                Ok($keep(value.into()))
            }

            fn visit_unit<E: Error>(self) -> Result<$out, E> {
                Ok($keep(serde_json::Value::Null))
            }
        };
    }
    pub(crate) use scalars;
}
