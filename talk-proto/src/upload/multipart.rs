//! The multipart form around a file (RFC 7578), without the file itself.

use std::fmt::Write as _;

use bytes::Bytes;
use fastrand::Rng;

use super::file::{Upload, UploadKind};

/// The parts before and after the bytes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The value of the Content-Type header.
    pub(crate) content_type: String,
    pub(crate) preamble: Bytes,
    pub(crate) epilogue: Bytes,
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
        let boundary = format!("----talk-{random}");
        let preamble = format!(
            "--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            escape_filename(&upload.filename),
            media_type(upload.content_type.as_deref()),
        );
        let mut epilogue = String::from("\r\n");
        for (name, value) in fields(&upload.kind) {
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

/// Escapes the characters that would end the quoted name or the header line, as browsers do.
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
    let (subtype, width, height, duration) = match kind {
        UploadKind::File => return Vec::new(),
        UploadKind::Image { width, height } => ("image", *width, *height, None),
        UploadKind::Video {
            width,
            height,
            duration,
        } => ("video", *width, *height, *duration),
        UploadKind::Audio { duration } => ("audio", None, None, *duration),
        UploadKind::Voice { duration } => ("voice", None, None, *duration),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn form(upload: &Upload) -> (String, String) {
        let form = Form::new(upload, &mut Rng::with_seed(1));
        let (_, boundary) = form.content_type.split_once("boundary=").unwrap();
        let text = |bytes: &Bytes| {
            String::from_utf8(bytes.to_vec())
                .unwrap()
                .replace(boundary, "BOUNDARY")
        };
        (text(&form.preamble), text(&form.epilogue))
    }

    #[test]
    fn filename_with_quotes_and_breaks_is_escaped() {
        let upload = Upload::new(UploadKind::File, "a\"b\r\né/x\\.txt", 3);
        let (preamble, epilogue) = form(&upload);
        assert_eq!(
            preamble,
            "--BOUNDARY\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0Aé/x\\.txt\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        assert_eq!(epilogue, "\r\n--BOUNDARY--\r\n");
    }

    #[test]
    fn metadata_follows_the_file_in_published_order() {
        let kind = UploadKind::Video {
            width: Some(1.0),
            height: Some(2.0),
            duration: Some(1.5),
        };
        let (_, epilogue) = form(&Upload::new(kind, "v.mp4", 3));
        let names: Vec<_> = epilogue.split("name=\"").skip(1).collect();
        let values = [
            "subtype\"\r\n\r\nvideo",
            "width\"\r\n\r\n1",
            "height\"\r\n\r\n2",
        ];
        for (part, start) in names.iter().zip(values) {
            assert!(part.starts_with(start), "{part}");
        }
        assert!(names[3].starts_with("duration\"\r\n\r\n1.5\r\n"));
    }

    #[test]
    fn media_type_with_a_line_break_is_replaced() {
        let upload = Upload::new(UploadKind::File, "x", 3).content_type("text/plain\r\nX: y");
        assert!(
            form(&upload)
                .0
                .contains("Content-Type: application/octet-stream\r\n")
        );
    }
}
