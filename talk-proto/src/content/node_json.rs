//! Conversion of nodes to and from JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::members::{Member, Members, Node, Visible};
use super::node::{Action, TextNode};
use super::spelling::{Spelled, Spelling};
use crate::json;

/// A visitor for a node at a depth of `depth` nodes.
struct NodeVisitor {
    depth: usize,
}

impl Node for TextNode {
    fn known_type(name: &str) -> Option<&'static str> {
        Self::type_name(name)
    }

    fn read<'de, D: Deserializer<'de>>(json: D, depth: usize) -> Result<Self, D::Error> {
        json.deserialize_any(NodeVisitor { depth })
    }
}

impl<'de> Deserialize<'de> for TextNode {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Self::read(json, 0)
    }
}

impl<'de> Visitor<'de> for NodeVisitor {
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
        Ok(TextNode::Unknown(json::array(seq)?.into()))
    }

    json::visit_scalars!(|value: Value| TextNode::Unknown(value.into()), TextNode);
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

/// An action is stored as the two members `action` and `params`.
impl Member<TextNode> for Arc<Action> {
    fn is_in(members: &Members<TextNode>, name: &str) -> bool {
        let is_params = |params: &Value| {
            let params = params.as_object();
            params.is_some_and(|map| map.values().all(Value::is_string))
        };
        members.has_text(name) && members.has("params", is_params)
    }

    fn take_from(members: &mut Members<TextNode>, name: &str) -> Self {
        let params = members.take("params", |params| BTreeMap::deserialize(params).ok());
        let name = members.take_text(name);
        Action::new(name.unwrap_or_default(), params.unwrap_or_default())
    }

    fn write<M: SerializeMap>(&self, name: &str, map: &mut M, _: Spelling) -> Result<(), M::Error> {
        map.serialize_entry(name, &self.name)?;
        map.serialize_entry("params", &self.params)
    }

    fn visible(&self) -> Option<Visible<'_, TextNode>> {
        None
    }
}
