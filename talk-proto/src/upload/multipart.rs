//! The multipart form around a file (RFC 7578), without the file itself.

use std::fmt::{self, Write as _};

use bytes::Bytes;
use fastrand::Rng;

use super::file::{Upload, UploadKind};

#[cfg(test)]
mod tests;

/// The multipart form of an upload, without the bytes of the file. `Debug` hides the name of the
/// file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// The value of the header Content-Type.
    pub content_type: String,
    /// The part of the form before the bytes of the file.
    pub preamble: Bytes,
    /// The part of the form after the bytes of the file.
    pub epilogue: Bytes,
}

/// The number of random letters and digits in a boundary, sufficient to make a collision with the
/// file improbable.
const BOUNDARY_LENGTH: usize = 32;

impl Form {
    /// Creates the form of `upload`, with the parts in the order of the published client.
    pub(crate) fn new(upload: &Upload, rng: &mut Rng) -> Self {
        let random: String = std::iter::repeat_with(|| rng.alphanumeric())
            .take(BOUNDARY_LENGTH)
            .collect();
        Self::with_boundary(upload, &format!("----talk-{random}"), &[])
    }

    /// Creates the form of `upload` with further fields before its metadata. No part of the form
    /// may contain the boundary.
    pub fn with_boundary(upload: &Upload, boundary: &str, further: &[(&str, &str)]) -> Self {
        let preamble = format!(
            "--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            escape_filename(&upload.filename),
            media_type(upload.content_type.as_deref()),
        );
        let mut epilogue = String::from("\r\n");
        let fields = fields(&upload.kind);
        let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in further.iter().copied().chain(fields) {
            // Writing to a String cannot fail.
            let _ = write!(
                epilogue,
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        let _ = write!(epilogue, "--{boundary}--\r\n");
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            preamble: preamble.into(),
            epilogue: epilogue.into(),
        }
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// Escapes the characters that would end the quoted name or the header line, as browsers do.
///
/// Browsers leave percent signs as they are, so `"` and a literal `%22` are equal on the wire. An
/// escape for them would change the names that the service stores. Files with equal names have
/// different tokens.
fn escape_filename(filename: &str) -> String {
    let mut escaped = String::with_capacity(filename.len());
    for character in filename.chars() {
        match character {
            '"' => escaped.push_str("%22"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns the media type, or the default if it is not a valid header value.
fn media_type(content_type: Option<&str>) -> &str {
    content_type
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)))
        .unwrap_or("application/octet-stream")
}

fn fields(kind: &UploadKind) -> Vec<(&'static str, String)> {
    let Some(subtype) = kind.subtype() else {
        return Vec::new();
    };
    let (width, height, duration) = match kind {
        UploadKind::File => (None, None, None),
        UploadKind::Image { width, height } => (*width, *height, None),
        UploadKind::Video {
            width,
            height,
            duration,
        } => (*width, *height, *duration),
        UploadKind::Audio { duration } | UploadKind::Voice { duration } => (None, None, *duration),
    };
    let numbers = [("width", width), ("height", height), ("duration", duration)];
    let given = numbers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .filter(|(_, value)| value.is_finite())
        .map(|(name, value)| (name, value.to_string()));
    std::iter::once(("subtype", subtype.to_owned()))
        .chain(given)
        .collect()
}
