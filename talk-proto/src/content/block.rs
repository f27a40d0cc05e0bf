//! The blocks that a message is made of.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::any_value;
use super::members::{Member, Members};
use super::node::TextNode;
use super::number::{JsNumber, as_count};
use super::spelling::{Spelled, Spelling};
use super::unknown_fields::{RawJson, UnknownFields};

/// One block of a message's content. Today a message has exactly one; readers must bear several.
///
/// Serialises to the documented shape. `Debug` shows no text, token or url.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContentBlock {
    /// Rich text.
    Text(TextBlock),
    /// A file.
    File(Arc<FileBlock>),
    /// A place on earth.
    Location(LocationBlock),
    /// A block that this version does not know, kept as it came and passed on as it is.
    Unknown(RawJson),
}

/// Rich text.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TextBlock {
    /// The text, in order.
    pub children: Arc<[TextNode]>,
    /// Members unknown to this version.
    pub unknown_fields: UnknownFields,
}

/// A file. To send one, the token is enough; the server adds the rest.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct FileBlock {
    /// What kind of file it is; `None` for any that is no medium.
    pub subtype: Option<FileSubtype>,
    /// What the upload gave. Opaque, and as good as the file itself.
    pub file_token: Arc<str>,
    /// Where to download it.
    pub url: Option<Arc<str>>,
    /// In bytes.
    pub size: Option<u64>,
    /// Its name, extension included.
    pub filename: Option<Arc<str>>,
    /// In pixels; of images and videos, when known.
    pub width: Option<f64>,
    /// In pixels; of images and videos, when known.
    pub height: Option<f64>,
    /// In seconds; of videos, audio and voice recordings, when known.
    pub duration: Option<f64>,
    /// Members unknown to this version.
    pub unknown_fields: UnknownFields,
}

/// What kind of medium a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSubtype {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// Sound that was recorded to be sent.
    Voice,
    /// A kind that this version does not know.
    Other(Arc<str>),
}

/// A place on earth.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LocationBlock {
    /// In degrees, −90 to 90, north is positive.
    pub latitude: f64,
    /// In degrees, −180 to 180, east is positive.
    pub longitude: f64,
    /// Members unknown to this version.
    pub unknown_fields: UnknownFields,
}

impl ContentBlock {
    /// A block of rich text.
    pub fn text(children: impl Into<Arc<[TextNode]>>) -> Self {
        Self::Text(TextBlock {
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        })
    }

    /// A file to send, by the token that its upload gave.
    pub fn file(file_token: impl Into<Arc<str>>) -> Self {
        let file_token = file_token.into();
        Self::File(Arc::new(FileBlock {
            file_token,
            ..FileBlock::default()
        }))
    }

    /// A place: latitude (−90 to 90) and longitude (−180 to 180) in degrees.
    pub fn location(latitude: f64, longitude: f64) -> Self {
        Self::Location(LocationBlock {
            latitude,
            longitude,
            unknown_fields: UnknownFields::default(),
        })
    }

    /// A known block whose members are all there, or the object as it came.
    fn from_members<E: Error>(mut m: Members<TextNode>) -> Result<Self, E> {
        Ok(match m.kind {
            Some("text") if m.has_children() => Self::Text(TextBlock {
                children: Member::take_from(&mut m, "children"),
                unknown_fields: m.into_unknown_fields()?,
            }),
            Some("file") if m.has_text("fileToken") => Self::File(Arc::new(FileBlock {
                subtype: m.take_text("subtype").map(FileSubtype::from),
                file_token: m.take_text("fileToken").unwrap_or_default(),
                url: m.take_text("url"),
                size: m.take("size", as_count),
                filename: m.take_text("filename"),
                width: m.take("width", Value::as_f64),
                height: m.take("height", Value::as_f64),
                duration: m.take("duration", Value::as_f64),
                unknown_fields: m.into_unknown_fields()?,
            })),
            Some("location")
                if m.has("latitude", Value::is_number) && m.has("longitude", Value::is_number) =>
            {
                Self::Location(LocationBlock {
                    latitude: m.take("latitude", Value::as_f64).unwrap_or_default(),
                    longitude: m.take("longitude", Value::as_f64).unwrap_or_default(),
                    unknown_fields: m.into_unknown_fields()?,
                })
            }
            _ => Self::Unknown(m.into_value()?.into()),
        })
    }
}

impl From<Arc<str>> for FileSubtype {
    fn from(name: Arc<str>) -> Self {
        match &*name {
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Audio,
            "voice" => Self::Voice,
            _ => Self::Other(name),
        }
    }
}

impl FileSubtype {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::Other(name) => name,
        }
    }
}

impl<'de> Deserialize<'de> for ContentBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BlockVisitor)
    }
}

struct BlockVisitor;

impl<'de> Visitor<'de> for BlockVisitor {
    type Value = ContentBlock;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a type")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ContentBlock, A::Error> {
        ContentBlock::from_members(Members::read(map, 0)?)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ContentBlock, E> {
        Ok(ContentBlock::Unknown(Value::from(text).into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ContentBlock, A::Error> {
        Ok(ContentBlock::Unknown(any_value::array(seq)?.into()))
    }

    any_value::scalars!(
        |value: Value| ContentBlock::Unknown(value.into()),
        ContentBlock
    );
}

impl Serialize for ContentBlock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Spelled {
            value: self,
            spelling: Spelling::CamelCase,
        }
        .serialize(serializer)
    }
}

impl Serialize for Spelled<'_, ContentBlock> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            ContentBlock::Unknown(raw) => raw.serialize(serializer),
            ContentBlock::Text(block) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("type", "text")?;
                Member::<TextNode>::write(&block.children, "children", &mut map, self.spelling)?;
                block.unknown_fields.serialize_into(&mut map)?;
                map.end()
            }
            ContentBlock::File(file) => serialize_file(file, serializer),
            ContentBlock::Location(location) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("type", "location")?;
                map.serialize_entry("latitude", &JsNumber(location.latitude))?;
                map.serialize_entry("longitude", &JsNumber(location.longitude))?;
                location.unknown_fields.serialize_into(&mut map)?;
                map.end()
            }
        }
    }
}

fn serialize_file<S: Serializer>(file: &FileBlock, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("type", "file")?;
    if let Some(subtype) = &file.subtype {
        map.serialize_entry("subtype", subtype.as_str())?;
    }
    map.serialize_entry("fileToken", &file.file_token)?;
    if let Some(url) = &file.url {
        map.serialize_entry("url", url)?;
    }
    if let Some(size) = file.size {
        map.serialize_entry("size", &size)?;
    }
    if let Some(filename) = &file.filename {
        map.serialize_entry("filename", filename)?;
    }
    for (name, number) in [
        ("width", file.width),
        ("height", file.height),
        ("duration", file.duration),
    ] {
        if let Some(number) = number {
            map.serialize_entry(name, &JsNumber(number))?;
        }
    }
    file.unknown_fields.serialize_into(&mut map)?;
    map.end()
}

/// Without the token, the url and the name.
impl fmt::Debug for FileBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBlock")
            .field("subtype", &self.subtype)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Returns parsed content as the JSON that a client sends, in which node types are in lower case.
///
/// Content given as blocks is sent as it serialises.
///
/// ```
/// use talk_proto::content::{to_wire_json, ContentBlock, TextNode};
///
/// let content = [ContentBlock::text([TextNode::code_span("x = 1")])];
/// let sent = r#"[{"type":"text","children":[{"type":"codespan","text":"x = 1"}]}]"#;
/// assert_eq!(to_wire_json(&content), sent);
/// ```
pub fn to_wire_json(content: &[ContentBlock]) -> String {
    // Serialising to a string fails only for maps with keys that are not strings.
    serde_json::to_string(&for_wire(content)).unwrap_or_default()
}

/// Returns parsed content in the spelling that clients send.
pub(crate) fn for_wire(value: &[ContentBlock]) -> Spelled<'_, [ContentBlock]> {
    let spelling = Spelling::LowerCase;
    Spelled { value, spelling }
}
