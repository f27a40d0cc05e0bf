//! Uploads.

use std::fmt;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use talk_proto::upload::{FileToken, Form, Upload, UploadKind};

use crate::call::{Call, Payload, from_json};
use crate::path::path;

/// A file in memory to upload.
#[derive(Clone, PartialEq)]
#[must_use]
pub struct FileUpload {
    upload: Upload,
    bytes: Bytes,
}

impl FileUpload {
    /// Creates an upload of any kind of file.
    pub fn new(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let upload = Upload::new(UploadKind::File, filename, bytes.len() as u64);
        Self { upload, bytes }
    }

    /// Sets the media type (default `application/octet-stream`).
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.upload.content_type = Some(content_type.into());
        self
    }

    /// Sets the kind of the file with its metadata.
    pub fn kind(mut self, kind: UploadKind) -> Self {
        self.upload.kind = kind;
        self
    }

    /// Returns the form. The boundary is derived from the content, which therefore cannot contain
    /// it.
    fn form(&self) -> Payload {
        let filename = self.upload.filename.as_str();
        let mut hash = Sha256::new();
        hash.update(&self.bytes);
        hash.update(filename);
        let boundary = format!("----talk-{}", HEXLOWER.encode(&hash.finalize()));
        let form = Form::with_boundary(&self.upload, &boundary, &[("filename", filename)]);
        Payload::Form {
            content_type: form.content_type,
            body: [form.preamble, self.bytes.clone(), form.epilogue]
                .concat()
                .into(),
        }
    }
}

/// Hides the name and the bytes.
impl fmt::Debug for FileUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileUpload")
            .field("upload", &self.upload)
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
