//! Files to upload.

use std::path::Path;

use talk_tokio::UploadMetadata;

/// Returns the name of a file and the content type of its extension, as metadata of an upload.
pub(crate) fn metadata(filename: &str) -> UploadMetadata {
    let metadata = UploadMetadata::named(filename);
    match mime_guess::from_path(filename).first_raw() {
        Some(content_type) => metadata.content_type(content_type),
        None => metadata,
    }
}

/// Adds the properties of a file that are given.
pub(crate) fn with_properties(
    mut metadata: UploadMetadata,
    width: Option<u32>,
    height: Option<u32>,
    duration: Option<f64>,
) -> UploadMetadata {
    if let Some(width) = width {
        metadata = metadata.width(width);
    }
    if let Some(height) = height {
        metadata = metadata.height(height);
    }
    if let Some(duration) = duration {
        metadata = metadata.duration(duration);
    }
    metadata
}

/// Returns width and height of an image in pixels, for common formats.
pub(crate) fn dimensions(path: &Path) -> Option<(u32, u32)> {
    // Opening a pipe would wait for a writer.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let size = imagesize::size(path).ok()?;
    Some((size.width.try_into().ok()?, size.height.try_into().ok()?))
}

/// Returns the name of a file without its folder.
pub(crate) fn filename(path: &Path) -> Option<String> {
    let name = path.file_name()?;
    Some(name.to_string_lossy().into_owned())
}
