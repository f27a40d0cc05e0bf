//! Helpers for reading JSON with few allocations.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Reads a string with a single allocation. serde's implementation for `Arc<str>` allocates a
/// `String` first.
pub(crate) fn text<'de, D: Deserializer<'de>>(json: D) -> Result<Arc<str>, D::Error> {
    struct TextVisitor;

    impl Visitor<'_> for TextVisitor {
        type Value = Arc<str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Arc<str>, E> {
            Ok(Arc::from(text))
        }
    }

    json.deserialize_str(TextVisitor)
}

/// Reads a list. A list of one item, the most common length, takes a single allocation.
pub(crate) fn list<'de, T, D>(json: D) -> Result<Arc<[T]>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct ListVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
        type Value = Arc<[T]>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Arc<[T]>, A::Error> {
            collect(|| seq.next_element())
        }
    }

    json.deserialize_seq(ListVisitor(PhantomData))
}

/// Collects all items of `next`, with a single allocation for a list of one item.
pub(crate) fn collect<T, E>(mut next: impl FnMut() -> Result<Option<T>, E>) -> Result<Arc<[T]>, E> {
    let Some(first) = next()? else {
        return Ok(Arc::default());
    };
    let Some(second) = next()? else {
        return Ok(Arc::new([first]));
    };
    let mut items = vec![first, second];
    while let Some(item) = next()? {
        items.push(item);
    }
    Ok(items.into())
}

/// Reads a count from any JSON number. Fractions are truncated, and negative numbers are zero.
pub(crate) fn count<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    struct CountVisitor;

    impl Visitor<'_> for CountVisitor {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a count")
        }

        fn visit_u64<E>(self, count: u64) -> Result<u64, E> {
            Ok(count)
        }

        fn visit_i64<E>(self, count: i64) -> Result<u64, E> {
            Ok(u64::try_from(count).unwrap_or(0))
        }

        fn visit_f64<E>(self, count: f64) -> Result<u64, E> {
            // `as` saturates.
            Ok(count as u64)
        }
    }

    json.deserialize_u64(CountVisitor)
}

/// Implements `Deserialize` for an enum by the names of its variants. Any other name is read as the
/// last variant, which may store it. The literal in parentheses describes the names in errors.
macro_rules! deserialize_name {
    (
        $type:ident $(($expected:literal))?
        { $($name:literal => $variant:ident,)* }
        $other:ident$(($text:ty))?
    ) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                struct NameVisitor;

                impl serde::de::Visitor<'_> for NameVisitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str([$($expected,)? "a name"][0])
                    }

                    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<$type, E> {
                        Ok(match name {
                            $($name => $type::$variant,)*
                            _ => $type::$other$((<$text>::from(name)))?,
                        })
                    }
                }

                json.deserialize_str(NameVisitor)
            }
        }
    };
}
pub(crate) use deserialize_name;

/// Implements the methods of a visitor that pass null, booleans and numbers to a closure.
macro_rules! visit_scalars {
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
pub(crate) use visit_scalars;

/// Reads the rest of an object as an untyped value.
pub(crate) fn object<'de, A: MapAccess<'de>>(map: A) -> Result<Value, A::Error> {
    Value::deserialize(MapAccessDeserializer::new(map))
}

/// Reads the rest of an array as an untyped value.
pub(crate) fn array<'de, A: SeqAccess<'de>>(seq: A) -> Result<Value, A::Error> {
    Value::deserialize(SeqAccessDeserializer::new(seq))
}
