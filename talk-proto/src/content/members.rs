//! Reading and writing of the members of a block or node: an object with a `type` member at any
//! position.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap};
use serde_json::{Map, Value};

use super::spelling::{Spelled, Spelling};
use super::unknown_fields::UnknownFields;
use crate::json::{self, collect, deserialize_name};

/// The maximum nesting of nodes. A level of nodes takes two levels of JSON, and common decoders
/// accept 128 levels in a whole frame. Deeper content fails to decode, and markup beyond this depth
/// is treated as text.
pub const MAX_NESTING: usize = 50;

/// The types of blocks.
const BLOCK_TYPES: [&str; 3] = ["text", "file", "location"];

/// A node as a child of a block or of another node.
pub(super) trait Node: Serialize + Sized {
    /// Returns the camelCase spelling of a known node type.
    fn known_type(name: &str) -> Option<&'static str>;

    /// Reads a node at a depth of `depth` nodes.
    fn read<'de, D: Deserializer<'de>>(json: D, depth: usize) -> Result<Self, D::Error>;
}

/// The type of a member of nodes of the type `N`.
pub(super) trait Member<N> {
    /// Returns `true` if the object has the member with a value of this type.
    fn is_in(members: &Members<N>, name: &str) -> bool;

    /// Removes and returns the member, or an empty value if [`is_in`](Self::is_in) returns `false`.
    fn take_from(members: &mut Members<N>, name: &str) -> Self;

    fn write<M: SerializeMap>(
        &self,
        name: &str,
        map: &mut M,
        spelling: Spelling,
    ) -> Result<(), M::Error>;

    /// Returns the member as the visible part of its node, if it is one. Of several, the last is
    /// used.
    fn visible(&self) -> Option<Visible<'_, N>>;
}

/// The visible part of a node.
pub(super) enum Visible<'a, N> {
    Text(&'a str),
    Children(&'a [N]),
}

impl<N: Node> Member<N> for Arc<str> {
    fn is_in(members: &Members<N>, name: &str) -> bool {
        members.has_text(name)
    }

    fn take_from(members: &mut Members<N>, name: &str) -> Self {
        members.take_text(name).unwrap_or_default()
    }

    fn write<M: SerializeMap>(&self, name: &str, map: &mut M, _: Spelling) -> Result<(), M::Error> {
        map.serialize_entry(name, self)
    }

    fn visible(&self) -> Option<Visible<'_, N>> {
        Some(Visible::Text(self))
    }
}

impl<N: Node> Member<N> for Arc<[N]>
where
    for<'a> Spelled<'a, N>: Serialize,
{
    fn is_in(members: &Members<N>, _: &str) -> bool {
        members.has_children()
    }

    fn take_from(members: &mut Members<N>, _: &str) -> Self {
        members.children.take().unwrap_or_default()
    }

    fn write<M: SerializeMap>(
        &self,
        name: &str,
        map: &mut M,
        spelling: Spelling,
    ) -> Result<(), M::Error> {
        let value = &**self;
        map.serialize_entry(name, &Spelled { value, spelling })
    }

    fn visible(&self) -> Option<Visible<'_, N>> {
        Some(Visible::Children(self))
    }
}

/// The members of an object. Children are read as nodes at once. The other members are small and
/// stay JSON until the type is known.
pub(super) struct Members<N> {
    /// The camelCase type if it is known. An unknown type is stored in `rest`.
    pub(super) kind: Option<&'static str>,
    children: Option<Arc<[N]>>,
    /// `None` if there are no other members, as in most blocks.
    rest: Option<Map<String, Value>>,
}

impl<N: Node> Members<N> {
    /// Reads an object whose children are at a depth of `depth` nodes.
    pub(super) fn read<'de, A: MapAccess<'de>>(mut map: A, depth: usize) -> Result<Self, A::Error> {
        let mut members = Self {
            kind: None,
            children: None,
            rest: None,
        };
        while let Some(name) = map.next_key::<MemberName>()? {
            match name {
                MemberName::Type => match map.next_value_seed(TypeSeed::<N>(PhantomData))? {
                    TypeName::Known(kind) => members.kind = Some(kind),
                    TypeName::Other(value) => members.put("type", value),
                },
                MemberName::Children => {
                    match map.next_value_seed(ChildrenSeed::<N>(depth, PhantomData))? {
                        Children::Nodes(nodes) => members.children = Some(nodes),
                        Children::Other(value) => members.put("children", value),
                    }
                }
                MemberName::Other(name) => {
                    let value = map.next_value()?;
                    members.rest.get_or_insert_default().insert(name, value);
                }
            }
        }
        Ok(members)
    }

    fn put(&mut self, name: &str, value: Value) {
        let rest = self.rest.get_or_insert_default();
        rest.insert(name.to_owned(), value);
    }

    /// Returns `true` if there is a member `name` that `is_wanted` accepts.
    pub(super) fn has(&self, name: &str, is_wanted: fn(&Value) -> bool) -> bool {
        let member = self.rest.as_ref().and_then(|rest| rest.get(name));
        member.is_some_and(is_wanted)
    }

    pub(super) fn has_children(&self) -> bool {
        self.children.is_some()
    }

    pub(super) fn has_text(&self, name: &str) -> bool {
        self.has(name, Value::is_string)
    }

    /// Removes and returns a string. Any other value stays among the unknown members.
    pub(super) fn take_text(&mut self, name: &str) -> Option<Arc<str>> {
        let rest = self.rest.as_mut()?;
        let Value::String(text) = rest.get_mut(name)? else {
            return None;
        };
        let text = std::mem::take(text);
        rest.remove(name);
        Some(text.into())
    }

    /// Removes and converts a member. A member that `convert` rejects stays.
    pub(super) fn take<T>(&mut self, name: &str, convert: fn(&Value) -> Option<T>) -> Option<T> {
        let rest = self.rest.as_mut()?;
        let taken = convert(rest.get(name)?)?;
        rest.remove(name);
        Some(taken)
    }

    /// Returns the remaining members.
    pub(super) fn into_unknown_fields<E: Error>(mut self) -> Result<UnknownFields, E> {
        self.restore_children()?;
        Ok(self.rest.map(UnknownFields::from).unwrap_or_default())
    }

    /// Returns the original object.
    pub(super) fn into_value<E: Error>(mut self) -> Result<Value, E> {
        self.restore_children()?;
        if let Some(name) = self.kind {
            self.put("type", Value::from(name));
        }
        Ok(Value::Object(self.rest.unwrap_or_default()))
    }

    fn restore_children<E: Error>(&mut self) -> Result<(), E> {
        if let Some(children) = self.children.take() {
            let value = serde_json::to_value(&children).map_err(E::custom)?;
            self.put("children", value);
        }
        Ok(())
    }
}

enum MemberName {
    Type,
    Children,
    Other(String),
}

deserialize_name! {
    MemberName ("a member's name") {
        "type" => Type,
        "children" => Children,
    }
    Other(String)
}

enum TypeName {
    Known(&'static str),
    Other(Value),
}

struct TypeSeed<N>(PhantomData<N>);

impl<'de, N: Node> DeserializeSeed<'de> for TypeSeed<N> {
    type Value = TypeName;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TypeName, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, N: Node> Visitor<'de> for TypeSeed<N> {
    type Value = TypeName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<TypeName, E> {
        let block = BLOCK_TYPES.into_iter().find(|known| *known == name);
        let known = block.or_else(|| N::known_type(name));
        Ok(known.map_or_else(|| TypeName::Other(name.into()), TypeName::Known))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<TypeName, A::Error> {
        json::array(seq).map(TypeName::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TypeName, A::Error> {
        json::object(map).map(TypeName::Other)
    }

    json::visit_scalars!(TypeName::Other, TypeName);
}

enum Children<N> {
    Nodes(Arc<[N]>),
    Other(Value),
}

struct NodeSeed<N>(usize, PhantomData<N>);

impl<'de, N: Node> DeserializeSeed<'de> for NodeSeed<N> {
    type Value = N;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<N, D::Error> {
        N::read(json, self.0)
    }
}

/// The seed for children at a depth of this many nodes.
struct ChildrenSeed<N>(usize, PhantomData<N>);

impl<'de, N: Node> DeserializeSeed<'de> for ChildrenSeed<N> {
    type Value = Children<N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Children<N>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, N: Node> Visitor<'de> for ChildrenSeed<N> {
    type Value = Children<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of nodes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Children<N>, A::Error> {
        if self.0 > MAX_NESTING {
            return Err(A::Error::custom(format_args!(
                "rich text is nested more than {MAX_NESTING} deep"
            )));
        }
        let next = || seq.next_element_seed(NodeSeed(self.0, PhantomData));
        collect(next).map(Children::Nodes)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Children<N>, A::Error> {
        json::object(map).map(Children::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Children<N>, E> {
        Ok(Children::Other(text.into()))
    }

    json::visit_scalars!(Children::Other, Children<N>);
}
