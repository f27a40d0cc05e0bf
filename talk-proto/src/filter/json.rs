//! Conversion of filters to and from the documented JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::normal::by_object_key;
use super::{ConversationFilter, CustomFilter, NumberFilter, SimpleFilter, StringFilter};
use crate::content::JsNumber;

/// Reads a condition that is present. `null` is an error, and absent conditions use the default.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Writes the keys in the order of the normal form.
pub(super) fn in_order<S: Serializer>(
    custom: &BTreeMap<String, CustomFilter>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<_> = custom.iter().collect();
    entries.sort_by(|(a, _), (b, _)| by_object_key(a, b));
    serializer.collect_map(entries)
}

impl Serialize for ConversationFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All(filter) => filter.serialize(serializer),
            Self::Any(filters) => ("any", filters).serialize(serializer),
        }
    }
}

impl<T: Serialize> Serialize for StringFilter<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(value) => ("==", value).serialize(serializer),
            Self::IsNot(value) => ("!=", value).serialize(serializer),
            Self::OneOf(values) => ("oneOf", values).serialize(serializer),
            Self::NoneOf(values) => ("!oneOf", values).serialize(serializer),
        }
    }
}

impl Serialize for NumberFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (operator, operand) = match *self {
            Self::Above(n) => (">", n),
            Self::Below(n) => ("<", n),
            Self::AtLeast(n) => (">=", n),
            Self::AtMost(n) => ("<=", n),
            Self::Between(low, high) => {
                return ("between", (JsNumber(low), JsNumber(high))).serialize(serializer);
            }
            Self::NotBetween(low, high) => {
                return ("!between", (JsNumber(low), JsNumber(high))).serialize(serializer);
            }
        };
        (operator, JsNumber(operand)).serialize(serializer)
    }
}

impl Serialize for CustomFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exists => serializer.serialize_str("exists"),
            Self::Missing => serializer.serialize_str("!exists"),
            Self::Value(filter) => filter.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ConversationFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FilterVisitor;

        impl<'de> Visitor<'de> for FilterVisitor {
            type Value = ConversationFilter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"an object of conditions, or ["any", [object, …]]"#)
            }

            fn visit_unit<E>(self) -> Result<ConversationFilter, E> {
                Ok(ConversationFilter::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ConversationFilter, A::Error> {
                let filter = SimpleFilter::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ConversationFilter::All(filter))
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<ConversationFilter, A::Error> {
                let operator: String = next(&mut seq, &self)?;
                if operator != "any" {
                    return Err(A::Error::unknown_variant(&operator, &["any"]));
                }
                let filters = next(&mut seq, &self)?;
                end(seq, &self)?;
                Ok(ConversationFilter::Any(filters))
            }
        }

        deserializer.deserialize_any(FilterVisitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for StringFilter<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(StringVisitor(PhantomData))
    }
}

struct StringVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for StringVisitor<T> {
    type Value = StringFilter<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"["==", value], ["!=", value], ["oneOf", values] or ["!oneOf", values]"#)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<StringFilter<T>, A::Error> {
        let operator: String = next(&mut seq, &self)?;
        let filter = match operator.as_str() {
            "==" => StringFilter::Is(next(&mut seq, &self)?),
            "!=" => StringFilter::IsNot(next(&mut seq, &self)?),
            "oneOf" => StringFilter::OneOf(next(&mut seq, &self)?),
            "!oneOf" => StringFilter::NoneOf(next(&mut seq, &self)?),
            _ => {
                let known = &["==", "!=", "oneOf", "!oneOf"];
                return Err(A::Error::unknown_variant(&operator, known));
            }
        };
        end(seq, &self)?;
        Ok(filter)
    }
}

impl<'de> Deserialize<'de> for NumberFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl<'de> Visitor<'de> for NumberVisitor {
            type Value = NumberFilter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"[">", n], ["between", [low, high]], or the like"#)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NumberFilter, A::Error> {
                let operator: String = next(&mut seq, &self)?;
                let filter = match operator.as_str() {
                    ">" => NumberFilter::Above(next(&mut seq, &self)?),
                    "<" => NumberFilter::Below(next(&mut seq, &self)?),
                    ">=" => NumberFilter::AtLeast(next(&mut seq, &self)?),
                    "<=" => NumberFilter::AtMost(next(&mut seq, &self)?),
                    "between" => {
                        let (low, high) = next(&mut seq, &self)?;
                        NumberFilter::Between(low, high)
                    }
                    "!between" => {
                        let (low, high) = next(&mut seq, &self)?;
                        NumberFilter::NotBetween(low, high)
                    }
                    _ => {
                        let known = &[">", "<", ">=", "<=", "between", "!between"];
                        return Err(A::Error::unknown_variant(&operator, known));
                    }
                };
                end(seq, &self)?;
                Ok(filter)
            }
        }

        deserializer.deserialize_seq(NumberVisitor)
    }
}

impl<'de> Deserialize<'de> for CustomFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CustomVisitor;

        impl<'de> Visitor<'de> for CustomVisitor {
            type Value = CustomFilter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, r#""exists", "!exists", "#)?;
                StringVisitor::<String>(PhantomData).expecting(f)
            }

            fn visit_str<E: Error>(self, presence: &str) -> Result<CustomFilter, E> {
                match presence {
                    "exists" => Ok(CustomFilter::Exists),
                    "!exists" => Ok(CustomFilter::Missing),
                    _ => Err(E::unknown_variant(presence, &["exists", "!exists"])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<CustomFilter, A::Error> {
                StringVisitor(PhantomData)
                    .visit_seq(seq)
                    .map(CustomFilter::Value)
            }
        }

        deserializer.deserialize_any(CustomVisitor)
    }
}

fn next<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(
    seq: &mut A,
    expected: &impl Visitor<'de>,
) -> Result<T, A::Error> {
    seq.next_element()?
        .ok_or_else(|| A::Error::invalid_length(0, expected))
}

fn end<'de, A: SeqAccess<'de>>(mut seq: A, expected: &impl Visitor<'de>) -> Result<(), A::Error> {
    match seq.next_element::<IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(A::Error::invalid_length(3, expected)),
    }
}
