//! Content blocks of messages.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::members::{Member, Members};
use super::node::TextNode;
use super::number::{JsNumber, as_count};
use super::plaintext::plaintext_of_nodes;
use super::spelling::{Spelled, Spelling};
use super::unknown_fields::{RawJson, UnknownFields};
use crate::json;
use crate::upload::file::FileToken;

/// A block of a message's content. Messages currently have exactly one block, but readers must
/// accept several.
///
/// Serialises to the documented shape. `Debug` shows no text, token or URL.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContentBlock {
    /// Rich text.
    Text(TextBlock),
    /// A file.
    File(Arc<FileBlock>),
    /// A geographic location.
    Location(LocationBlock),
    /// A block of an unknown type, stored and passed on unchanged.
    Unknown(RawJson),
}

/// Rich text.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TextBlock {
    /// The nodes of the text, in order.
    pub children: Arc<[TextNode]>,
    /// Members unknown to this version.
    pub unknown_fields: UnknownFields,
}

/// A file. To send a file, set only the token; the server adds the other fields.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct FileBlock {
    /// The kind of medium; `None` if the file is not a known medium.
    pub subtype: Option<FileSubtype>,
    /// The opaque token from the upload. It grants access to the file.
    pub file_token: Arc<str>,
    /// The download URL.
    pub url: Option<Arc<str>>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The name, with its extension.
    pub filename: Option<Arc<str>>,
    /// The width in pixels, if known; for images and videos.
    pub width: Option<f64>,
    /// The height in pixels, if known; for images and videos.
    pub height: Option<f64>,
    /// The duration in seconds, if known; for videos, audio and voice recordings.
    pub duration: Option<f64>,
    /// Members unknown to this version.
    pub unknown_fields: UnknownFields,
}

/// The kind of medium of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSubtype {
    /// An image.
    Image,
    /// A video.
    Video,
    /// Audio.
    Audio,
    /// A voice recording.
    Voice,
    /// An unknown kind.
    Other(Arc<str>),
}

/// A geographic location.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LocationBlock {
    /// The latitude in degrees, −90 to 90. North is positive.
    pub latitude: f64,
    /// The longitude in degrees, −180 to 180. East is positive.
    pub longitude: f64,
    /// Members unknown to this version.
    pub unknown_fields: UnknownFields,
}

impl ContentBlock {
    /// Creates a block of rich text.
    pub fn text(children: impl Into<Arc<[TextNode]>>) -> Self {
        Self::Text(TextBlock {
            children: children.into(),
            unknown_fields: UnknownFields::default(),
        })
    }

    /// Creates a block for an uploaded file, from the token of the upload.
    pub fn file(file_token: impl Into<Arc<str>>) -> Self {
        let file_token = file_token.into();
        Self::File(Arc::new(FileBlock {
            file_token,
            ..FileBlock::default()
        }))
    }

    /// Creates a location from latitude (−90 to 90) and longitude (−180 to 180) in degrees.
    pub fn location(latitude: f64, longitude: f64) -> Self {
        Self::Location(LocationBlock {
            latitude,
            longitude,
            unknown_fields: UnknownFields::default(),
        })
    }

    /// Returns a known block if all its members are present, otherwise the original object.
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

impl TextBlock {
    /// Returns the text without its formatting, as [`plaintext`](super::plaintext()) does.
    ///
    /// ```
    /// use talk_proto::content::{ContentBlock, TextNode};
    ///
    /// let block = ContentBlock::text([TextNode::mention("bob", "Bob"), ", hi!".into()]);
    /// let ContentBlock::Text(text) = block else { unreachable!() };
    /// assert_eq!(text.plaintext(), "@Bob, hi!");
    /// ```
    pub fn plaintext(&self) -> String {
        plaintext_of_nodes(&self.children)
    }
}

impl From<FileToken> for ContentBlock {
    fn from(token: FileToken) -> Self {
        Self::file(token)
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
    /// Returns the name on the wire.
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
        Ok(ContentBlock::Unknown(json::array(seq)?.into()))
    }

    json::visit_scalars!(
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

/// Hides the token, the URL and the name.
impl fmt::Debug for FileBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBlock")
            .field("subtype", &self.subtype)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Returns parsed content as the JSON that clients send, with node types in lower case. Content
/// that the application passes as blocks is sent with its own serialisation instead.
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

/// Returns parsed content with node types in the spelling that clients send.
pub(crate) fn for_wire(value: &[ContentBlock]) -> Spelled<'_, [ContentBlock]> {
    let spelling = Spelling::LowerCase;
    Spelled { value, spelling }
}
