//! Validation of message content.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;
use talk_proto::content::{ContentBlock, FileBlock, FileSubtype, RawJson, TextNode};

use super::auto_link;
use super::dirty_map::DirtyMap;
use super::file::{self, FileMetadata};
use super::message::ContentJson;
use super::refusal::Refusal;
use super::settings::Role;

/// Validated content, and the features that its sender needs.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) json: Box<ContentJson>,
    uses: BTreeSet<Feature>,
}

/// A feature that a role allows or forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Feature {
    Files,
    VoiceMessages,
    Locations,
    Mentions,
    Links,
    Actions,
}

/// The uploaded files that a message can contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attachments<'a> {
    pub(super) files: &'a DirtyMap<FileMetadata>,
    pub(super) app: &'a str,
    pub(super) origin: &'a str,
}

impl Content {
    /// Reads and validates content. Unknown types and unknown members are kept; a known type
    /// without its required members is refused.
    pub(super) fn read(json: &RawValue, attachments: Attachments<'_>) -> Result<Self, Refusal> {
        if json_depth(json.get()) > MAX_DEPTH {
            return Err(invalid(format!(
                "The content is nested more than {MAX_DEPTH} levels deep."
            )));
        }
        let blocks: Vec<ContentBlock> = serde_json::from_str(json.get())
            .map_err(|error| invalid(format!("The content is not a list of blocks: {error}.")))?;
        let [block] = blocks.as_slice() else {
            return Err(invalid(format!(
                "A message has exactly one block, not {}.",
                blocks.len()
            )));
        };
        let mut uses = BTreeSet::new();
        let value: Value = serde_json::from_str(json.get())
            .map_err(|error| invalid(format!("The content cannot be read: {error}.")))?;
        collect_features(&value, &mut uses);
        Self::check(std::slice::from_ref(block), attachments, uses)
    }

    /// Validates the blocks of a back end, to which no role applies.
    pub(super) fn of_back_end(
        blocks: &[ContentBlock],
        attachments: Attachments<'_>,
    ) -> Result<Self, Refusal> {
        Self::check(blocks, attachments, BTreeSet::new())
    }

    fn check(
        blocks: &[ContentBlock],
        attachments: Attachments<'_>,
        mut uses: BTreeSet<Feature>,
    ) -> Result<Self, Refusal> {
        let blocks: Vec<ContentBlock> = blocks
            .iter()
            .map(|block| check_block(block, attachments, &mut uses))
            .collect::<Result<_, _>>()?;
        let json = serde_json::value::to_raw_value(&blocks)
            .map_err(|error| invalid(format!("The content cannot be stored: {error}.")))?;
        Ok(Self { json, uses })
    }

    /// Refuses content with a feature that the role forbids.
    pub(super) fn check_allowed(&self, role: &Role) -> Result<(), Refusal> {
        let refused = self.uses.iter().find(|feature| !feature.is_allowed(role));
        refused.map_or(Ok(()), |feature| {
            Err(Refusal::forbidden(
                "FORBIDDEN_BY_ROLE",
                format!("Your role does not allow you to send {}.", feature.name()),
            ))
        })
    }
}

/// The maximum nesting of content, in levels of JSON. Common decoders take 128 levels in all, and
/// a frame adds up to 7.
const MAX_DEPTH: usize = 110;

/// Returns the number of nested arrays and objects of a JSON text.
fn json_depth(json: &str) -> usize {
    let (mut depth, mut max) = (0_usize, 0);
    let mut is_string = false;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_string = !is_string,
            b'\\' if is_string => {
                bytes.next();
            }
            b'[' | b'{' if !is_string => {
                depth += 1;
                max = max.max(depth);
            }
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    max
}

/// Adds the features of all blocks and nodes, also of those inside unknown nodes: a client that
/// knows the outer node may show them.
fn collect_features(value: &Value, uses: &mut BTreeSet<Feature>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_features(value, uses)),
        Value::Object(members) => {
            let kind = members.get("type").and_then(Value::as_str);
            uses.extend(kind.and_then(Feature::of_kind));
            members
                .values()
                .for_each(|value| collect_features(value, uses));
        }
        _ => {}
    }
}

impl Feature {
    /// Returns the feature of a block or node type, in any spelling.
    fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind.to_ascii_lowercase().as_str() {
            "file" => Self::Files,
            "location" => Self::Locations,
            "mention" => Self::Mentions,
            "link" => Self::Links,
            "actionlink" | "actionbutton" => Self::Actions,
            _ => return None,
        })
    }

    fn is_allowed(self, role: &Role) -> bool {
        match self {
            Self::Files => role.file_sharing,
            Self::VoiceMessages => role.voice_messages,
            Self::Locations => role.location_sharing,
            Self::Mentions => role.mentions,
            Self::Links => role.links,
            Self::Actions => role.actions,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::VoiceMessages => "voice messages",
            Self::Locations => "locations",
            Self::Mentions => "mentions",
            Self::Links => "links",
            Self::Actions => "action links and buttons",
        }
    }
}

/// Returns `false` for content without a file.
pub(super) fn may_have_file(json: &RawValue) -> bool {
    json.get().contains("\"fileToken\"")
}

/// Returns stored content with the current URL of its file, or `None` if it contains no file.
pub(super) fn moved(json: &RawValue, attachments: Attachments<'_>) -> Option<Box<ContentJson>> {
    if !may_have_file(json) {
        return None;
    }
    let mut blocks: Vec<ContentBlock> = serde_json::from_str(json.get()).ok()?;
    for block in &mut blocks {
        if let ContentBlock::File(file) = block {
            *file = fill_in(file, attachments).ok()?.into();
        }
    }
    serde_json::value::to_raw_value(&blocks).ok()
}

fn check_block(
    block: &ContentBlock,
    attachments: Attachments<'_>,
    uses: &mut BTreeSet<Feature>,
) -> Result<ContentBlock, Refusal> {
    match block {
        ContentBlock::Text(text) => check_nodes(&text.children)?,
        ContentBlock::File(file) => {
            let file = fill_in(file, attachments)?;
            if file.subtype == Some(FileSubtype::Voice) {
                uses.insert(Feature::VoiceMessages);
            }
            return Ok(ContentBlock::File(file.into()));
        }
        ContentBlock::Location(location)
            if !(-90.0..=90.0).contains(&location.latitude)
                || !(-180.0..=180.0).contains(&location.longitude) =>
        {
            return Err(invalid(
                "A latitude lies between -90 and 90, a longitude between -180 and 180.",
            ));
        }
        ContentBlock::Unknown(raw) => check_unknown(raw, &["text", "file", "location"])?,
        _ => {}
    }
    Ok(block.clone())
}

fn check_nodes(nodes: &[TextNode]) -> Result<(), Refusal> {
    nodes.iter().try_for_each(check_node)
}

fn check_node(node: &TextNode) -> Result<(), Refusal> {
    match node {
        TextNode::Bold { children, .. }
        | TextNode::Italic { children, .. }
        | TextNode::Strikethrough { children, .. }
        | TextNode::BulletList { children, .. }
        | TextNode::BulletPoint { children, .. }
        | TextNode::Link { children, .. }
        | TextNode::ActionLink { children, .. }
        | TextNode::ActionButton { children, .. } => check_nodes(children),
        TextNode::AutoLink { url, text, .. } if !auto_link::agrees(url, text) => {
            Err(invalid("The text and the url of an autoLink disagree."))
        }
        TextNode::Unknown(raw) => check_unknown(raw, KNOWN_NODES),
        _ => Ok(()),
    }
}

const KNOWN_NODES: &[&str] = &[
    "bold",
    "italic",
    "strikethrough",
    "bulletList",
    "bulletPoint",
    "link",
    "autoLink",
    "codeSpan",
    "customEmoji",
    "mention",
    "actionLink",
    "actionButton",
];

/// Checks a block or node of an unknown type, and the nodes inside it.
fn check_unknown(raw: &RawJson, known: &[&str]) -> Result<(), Refusal> {
    match raw.kind() {
        None => return Err(invalid("A block or node is an object with a type.")),
        Some(kind) if known.contains(&kind) => {
            return Err(invalid(format!(
                "This is no valid `{kind}`: members are missing."
            )));
        }
        Some(_) => {}
    }
    let Some(children) = raw.value().get("children") else {
        return Ok(());
    };
    let children: Vec<TextNode> = serde::Deserialize::deserialize(children)
        .map_err(|error| invalid(format!("The children of a node are no nodes: {error}.")))?;
    check_nodes(&children)
}

/// Completes a file block with the metadata of the upload. Only the token is taken from the
/// client.
fn fill_in(sent: &FileBlock, attachments: Attachments<'_>) -> Result<FileBlock, Refusal> {
    let file = attachments.files.get(&*sent.file_token).ok_or_else(|| {
        Refusal::invalid("INVALID_FILE_TOKEN", "There is no file with this token.")
    })?;
    let url = file::url(
        attachments.origin,
        attachments.app,
        &sent.file_token,
        &file.filename,
    );
    let mut block = FileBlock::default();
    block.file_token = sent.file_token.clone();
    block.subtype = file
        .subtype
        .as_deref()
        .map(|subtype| FileSubtype::from(Arc::from(subtype)));
    block.url = Some(url.into());
    block.size = Some(file.size);
    block.filename = Some(file.filename.as_str().into());
    block.width = file.width;
    block.height = file.height;
    block.duration = file.duration;
    Ok(block)
}

fn invalid(reason: impl Into<String>) -> Refusal {
    Refusal::invalid("INVALID_CONTENT", reason)
}
