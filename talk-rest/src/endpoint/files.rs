//! Uploads.

use std::fmt;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use talk_proto::upload::{FileToken, UploadKind};

use crate::call::{Call, Payload, from_json};
use crate::path::path;

/// A file in memory to upload.
#[derive(Clone, PartialEq)]
#[must_use]
pub struct FileUpload {
    bytes: Bytes,
    filename: String,
    content_type: Option<String>,
    kind: UploadKind,
}

impl FileUpload {
    /// Creates an upload of any kind of file.
    pub fn new(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            filename: filename.into(),
            content_type: None,
            kind: UploadKind::File,
        }
    }

    /// Sets the media type (default `application/octet-stream`).
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets the kind of the file with its metadata.
    pub fn kind(mut self, kind: UploadKind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns the parts of the form with text.
    fn texts(&self) -> Vec<(&'static str, String)> {
        let (subtype, width, height, duration) = match self.kind {
            UploadKind::Image { width, height } => ("image", width, height, None),
            UploadKind::Video {
                width,
                height,
                duration,
            } => ("video", width, height, duration),
            UploadKind::Audio { duration } => ("audio", None, None, duration),
            UploadKind::Voice { duration } => ("voice", None, None, duration),
            _ => ("", None, None, None),
        };
        let mut texts = vec![("filename", self.filename.clone())];
        if !subtype.is_empty() {
            texts.push(("subtype", subtype.to_owned()));
        }
        let numbers = [("width", width), ("height", height), ("duration", duration)];
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, number)| Some((name, number.filter(|it| it.is_finite())?)));
        texts.extend(numbers.map(|(name, number)| (name, number.to_string())));
        texts
    }

    /// Returns the form (RFC 7578). The boundary is derived from the content, which therefore
    /// cannot contain it.
    fn form(&self) -> Payload {
        let texts = self.texts();
        let mut hash = Sha256::new();
        hash.update(&self.bytes);
        for (_, text) in &texts {
            hash.update(text);
        }
        let boundary = format!("----talk-{}", HEXLOWER.encode(&hash.finalize()));
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            escape(&self.filename),
            self.media_type(),
        )
        .into_bytes();
        body.extend_from_slice(&self.bytes);
        for (name, text) in texts {
            let part = format!(
                "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}"
            );
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        Payload::Form {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            body: body.into(),
        }
    }

    /// Returns the media type, or the default if it is not a valid header value.
    fn media_type(&self) -> &str {
        let given = self.content_type.as_deref();
        let is_valid = |text: &&str| !text.is_empty() && text.bytes().all(|b| matches!(b, 32..127));
        given.filter(is_valid).unwrap_or("application/octet-stream")
    }
}

/// Escapes the characters that would end the quoted name or the header line, as browsers do.
fn escape(filename: &str) -> String {
    let filename = filename.replace('"', "%22");
    filename.replace('\r', "%0D").replace('\n', "%0A")
}

/// Hides the name and the bytes.
impl fmt::Debug for FileUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileUpload")
            .field("length", &self.bytes.len())
            .field("content_type", &self.content_type)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Returns the call that uploads a file. Its token makes a message.
///
/// ```
/// use talk_rest::{FileToken, FileUpload, NewMessage, conversation, upload_file};
///
/// let upload = upload_file(&FileUpload::new("terms.txt", "…").content_type("text/plain"));
/// # let token = FileToken::from("");
/// // With the token of the answer:
/// let message = NewMessage::content(Some("alice".try_into()?), token);
/// let send = conversation("order_1")?.send([message])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn upload_file(file: &FileUpload) -> Call<FileToken> {
    Call::new(Method::POST, path(&["files"]), file.form(), file_token)
}

fn file_token(json: Value) -> Result<FileToken, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Uploaded {
        file_token: FileToken,
    }
    from_json(json).map(|uploaded: Uploaded| uploaded.file_token)
}
