//! Checks of uploads. The contents of files are kept by the caller.

use serde::Deserialize;

use super::file::FileMetadata;
use super::refusal::Refusal;
use super::reply::{Body, Reply, done};
use super::request_cx::RequestCx;
use super::settings::Settings;

#[derive(Debug, Deserialize)]
struct ValidateParams {
    filename: String,
    filesize: f64,
}

/// `POST /files/validate`
pub(super) fn validate(cx: &RequestCx<'_>, body: Body<'_>) -> Reply {
    let ValidateParams { filename, filesize } = body.parse()?;
    if filesize < 0.0 || filesize.fract() != 0.0 {
        return Err(Refusal::invalid(
            "INVALID_FILE_SIZE",
            "A size is a whole number of bytes.",
        ));
    }
    check_allowed(cx, false)?;
    check_limits(cx.settings, &filename, filesize as u64)?;
    done()
}

/// Refuses uploads if the plan or the user's role forbids them.
pub(super) fn check_allowed(cx: &RequestCx<'_>, is_back_end: bool) -> Result<(), Refusal> {
    if !cx.settings.limits.files {
        return Err(Refusal::forbidden(
            "FILES_NOT_AVAILABLE",
            "Your plan has no files.",
        ));
    }
    cx.allow(|role| is_back_end || role.file_sharing, "send files")
}

/// Refuses this upload if the plan, the user's role or the limits forbid it.
pub(super) fn check_upload(
    cx: &RequestCx<'_>,
    file: &FileMetadata,
    is_back_end: bool,
) -> Result<(), Refusal> {
    check_allowed(cx, is_back_end)?;
    check_metadata(file)?;
    if file.subtype.as_deref() == Some("voice") {
        cx.allow(
            |role| is_back_end || role.voice_messages,
            "send voice messages",
        )?;
    }
    check_limits(cx.settings, &file.filename, file.size)
}

fn check_metadata(file: &FileMetadata) -> Result<(), Refusal> {
    let is_known = |it: &str| matches!(it, "image" | "video" | "audio" | "voice");
    if !file.subtype.as_deref().is_none_or(is_known) {
        return Err(Refusal::invalid(
            "INVALID_FILE",
            "A subtype is image, video, audio or voice.",
        ));
    }
    let mut numbers = [file.width, file.height, file.duration]
        .into_iter()
        .flatten();
    if numbers.any(|number| number < 0.0) {
        return Err(Refusal::invalid(
            "INVALID_FILE",
            "Width, height and duration must not be negative.",
        ));
    }
    Ok(())
}

/// Refuses a file that exceeds the limits.
fn check_limits(settings: &Settings, filename: &str, size: u64) -> Result<(), Refusal> {
    if filename.is_empty() {
        return Err(Refusal::invalid(
            "INVALID_FILENAME",
            "The filename is empty.",
        ));
    }
    let limits = &settings.limits;
    if let Some(max) = limits.max_file_size.filter(|max| size > *max) {
        let reason = format!("A file has at most {max} bytes.");
        return Err(Refusal::invalid("FILE_TOO_LARGE", reason));
    }
    let extension = filename
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension);
    match &limits.file_types {
        Some(types) if !types.contains(&extension.to_lowercase()) => Err(Refusal::invalid(
            "INVALID_FILE_TYPE",
            "Files of this type are not allowed in this app.",
        )),
        _ => Ok(()),
    }
}
