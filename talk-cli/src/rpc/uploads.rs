//! Uploads and their progress.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use talk_tokio::outbox::{self, OutboxFile};
use talk_tokio::{Error, Session, TransportError, UploadFuture, UploadMetadata, UploadSource};

use super::action::Action;
use super::args::{Args, whole_number};
use super::calls::Job;
use super::output::{Output, json};
use crate::failure::Failure;
use crate::files;

/// The metadata of a file. The default filename is that of the path.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    filename: Option<String>,
    #[serde(default, deserialize_with = "pixels")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "pixels")]
    height: Option<u32>,
    duration: Option<f64>,
}

/// A file of a queued message. It must stay in its place until it is uploaded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueuedFile {
    path: PathBuf,
    filename: Option<String>,
    #[serde(default, deserialize_with = "pixels")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "pixels")]
    height: Option<u32>,
    duration: Option<f64>,
}

/// Reads a number of pixels. Some languages write `2.0` for 2.
fn pixels<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    let Some(given) = Option::<Box<RawValue>>::deserialize(input)? else {
        return Ok(None);
    };
    let pixels = whole_number(&given, "number of pixels").ok();
    let pixels = pixels.and_then(|pixels| u32::try_from(pixels).ok());
    let expected = "the width and the height must be whole numbers of pixels";
    pixels.map(Some).ok_or_else(|| D::Error::custom(expected))
}

impl QueuedFile {
    /// Reads the size and the time of modification of the file.
    pub(super) fn open(self) -> Result<OutboxFile, Failure> {
        let given = Metadata {
            filename: self.filename,
            width: self.width,
            height: self.height,
            duration: self.duration,
        };
        let file = outbox::file_at(&self.path, given.of_file(&self.path)?);
        file.map_err(|error| Error::from(TransportError::Source(error.to_string())).into())
    }
}

impl Metadata {
    fn of_file(self, path: &Path) -> Result<UploadMetadata, Failure> {
        let filename = self
            .filename
            .or_else(|| files::filename(path))
            .ok_or_else(|| Failure::usage("the filename is missing"))?;
        let metadata = files::metadata(&filename);
        let (width, height) = (self.width, self.height);
        Ok(files::with_properties(
            metadata,
            width,
            height,
            self.duration,
        ))
    }
}

/// Parses the arguments of an upload, which `begin` starts.
pub(super) fn prepare(
    session: &Session,
    args: &mut Args,
    begin: impl FnOnce(&Session, UploadSource, UploadMetadata) -> UploadFuture,
) -> Result<Action, Failure> {
    let path = PathBuf::from(args.text("path")?);
    let given: Metadata = args.strict_params()?;
    let metadata = given.of_file(&path)?;
    Ok(Action::Upload(begin(session, path.into(), metadata)))
}

/// Runs an upload. Progress is written as separate lines with the call's ID.
pub(super) fn job(mut uploading: UploadFuture, id: Box<RawValue>, output: Output) -> Job {
    Box::pin(async move {
        let mut progress = uploading.progress();
        loop {
            tokio::select! {
                biased;
                // The total is 0 until the size is known.
                Some(now) = progress.next() => if now.total > 0 {
                    output.progress(&id, now.sent, now.total).await;
                },
                outcome = &mut uploading => return json(&outcome?),
            }
        }
    })
}
