//! `talk upload`: uploads files for later messages.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use talk_tokio::outbox::{self, OutboxFile};
use talk_tokio::{FileToken, MediaKind, TransportError, UploadFuture, UploadMetadata};
use tokio::time::sleep;

use super::app::{App, run};
use crate::exit::{CliError, Outcome};
use crate::files;
use crate::session_plan::SessionPlan;
use crate::signals::stop_signal;
use crate::terminal::sanitize;

/// The number of simultaneous uploads, which keeps the connection busy between two files.
const AT_ONCE: usize = 4;

/// The arguments of `talk upload`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The files
    #[arg(required = true, value_name = "PATH")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    about: About,
}

/// The metadata of files.
#[derive(Debug, clap::Args)]
pub(super) struct About {
    /// The kind of file (default: from its name)
    #[arg(long = "as", value_enum)]
    kind: Option<Kind>,
    /// Read width and height from images
    #[arg(long)]
    probe: bool,
    /// The width of an image or a video
    #[arg(long, value_name = "PIXELS")]
    width: Option<u32>,
    /// The height of an image or a video
    #[arg(long, value_name = "PIXELS")]
    height: Option<u32>,
    /// The duration of a video or a recording
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Image,
    Video,
    Audio,
    Voice,
}

/// A file that was uploaded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Uploaded {
    path: String,
    kind: Kind,
    #[serde(rename = "fileToken")]
    pub(super) token: FileToken,
}

/// Uploads files, and prints their tokens in the order of the files.
pub(crate) fn run_upload(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        unless_stopped(async {
            let uploads = Uploads::new(app);
            let uploaded = uploads.make(&options.files, &options.about).await?;
            drop(uploads);
            for uploaded in uploaded {
                app.printer
                    .print_as(&uploaded, || sanitize::line(uploaded.token.as_str()))?;
            }
            Ok(())
        })
        .await
    })
}

/// Uploads, each with a progress bar if the output is a terminal.
pub(super) struct Uploads<'a> {
    app: &'a App,
    bars: MultiProgress,
}

impl<'a> Uploads<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            app,
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Uploads all files. Cancels the remaining ones if an upload fails.
    pub(super) async fn make(
        &self,
        files: &[PathBuf],
        about: &About,
    ) -> Result<Vec<Uploaded>, CliError> {
        stream::iter(files)
            .map(|path| self.make_one(path, about))
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn make_one(&self, path: &Path, about: &About) -> Result<Uploaded, CliError> {
        let filename = files::filename(path)
            .ok_or_else(|| CliError::Usage(format!("{} is no file", path.display())))?;
        let kind = about.kind.unwrap_or_else(|| Kind::of(&filename));
        let metadata = about.metadata(path, &filename, kind);
        let session = &self.app.session;
        let uploading = match kind {
            Kind::File => session.upload_file(path, metadata),
            Kind::Image => session.upload_image(path, metadata),
            Kind::Video => session.upload_video(path, metadata),
            Kind::Audio => session.upload_audio(path, metadata),
            Kind::Voice => session.upload_voice(path, metadata),
        };
        let bar = self.bars.add(bar(&filename));
        let token = self.watch(uploading, &bar).await;
        let wrong = |error| CliError::Upload {
            path: path.to_owned(),
            error,
        };
        Ok(Uploaded {
            path: path.to_string_lossy().into_owned(),
            kind,
            token: token.map_err(wrong)?,
        })
    }

    /// Shows the progress of an upload. The time limit of a call applies until the first byte is
    /// sent.
    async fn watch(
        &self,
        uploading: UploadFuture,
        bar: &ProgressBar,
    ) -> Result<FileToken, talk_tokio::Error> {
        let has_begun = Cell::new(false);
        let mut progress = uploading.progress();
        let show = async {
            // The first item is available before the upload starts.
            progress.next().await;
            while let Some(now) = progress.next().await {
                has_begun.set(true);
                bar.set_length(now.total);
                bar.set_position(now.sent);
            }
            pending::<Infallible>().await
        };
        let late = async {
            sleep(self.app.timeout).await;
            if has_begun.get() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            token = uploading => {
                bar.finish();
                token
            }
            () = late => Err(self.app.late(false)),
            never = show => match never {},
        }
    }
}

impl Drop for Uploads<'_> {
    fn drop(&mut self) {
        // A progress bar is not a result, so its errors are ignored.
        let _ = self.bars.clear();
    }
}

/// Does work that uploads files, until the process receives a stop signal. Afterwards the process
/// has handlers of these signals, so nothing may follow that would ignore them.
pub(super) async fn unless_stopped(
    work: impl Future<Output = Result<(), CliError>>,
) -> Result<(), CliError> {
    let stop = stop_signal()?;
    tokio::select! {
        outcome = work => outcome,
        exit_code = stop => Err(CliError::Interrupted(exit_code)),
    }
}

impl About {
    /// Returns `true` if a flag was given.
    pub(super) const fn is_given(&self) -> bool {
        self.kind.is_some()
            || self.probe
            || self.width.is_some()
            || self.height.is_some()
            || self.duration.is_some()
    }

    /// Returns a file to queue.
    pub(super) fn queued(&self, path: &Path) -> Result<OutboxFile, CliError> {
        let filename = files::filename(path)
            .ok_or_else(|| CliError::Usage(format!("{} is no file", path.display())))?;
        let kind = self.kind.unwrap_or_else(|| Kind::of(&filename));
        let metadata = self.metadata(path, &filename, kind).kind(kind.into());
        let file = outbox::file_at(path, metadata);
        file.map_err(|error| CliError::Upload {
            path: path.to_owned(),
            error: TransportError::Source(error.to_string()).into(),
        })
    }

    fn metadata(&self, path: &Path, filename: &str, kind: Kind) -> UploadMetadata {
        let mut metadata = files::metadata(filename);
        // An image of an unknown format is still uploaded as an image.
        if self.probe
            && kind == Kind::Image
            && let Some((width, height)) = files::dimensions(path)
        {
            metadata = metadata.size(width, height);
        }
        files::with_properties(metadata, self.width, self.height, self.duration)
    }
}

impl From<Kind> for MediaKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::File => Self::File,
            Kind::Image => Self::Image,
            Kind::Video => Self::Video,
            Kind::Audio => Self::Audio,
            Kind::Voice => Self::Voice,
        }
    }
}

impl Kind {
    /// Returns the kind of a file with this name. The name does not distinguish recordings from
    /// other audio.
    fn of(filename: &str) -> Self {
        let kind = mime_guess::from_path(filename).first_raw();
        match kind.and_then(|kind| kind.split_once('/')) {
            Some(("image", _)) => Self::Image,
            Some(("video", _)) => Self::Video,
            Some(("audio", _)) => Self::Audio,
            _ => Self::File,
        }
    }
}

fn bar(filename: &str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(sanitize::line(filename));
    let template = "{bar:30} {bytes:>11}/{total_bytes:11} {bytes_per_sec:>13} {eta:>4} {wide_msg}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
