//! Files to upload.

use std::path::Path;

use talk_tokio::UploadMetadata;

/// What a file's name says of it.
pub(crate) fn metadata(filename: &str) -> UploadMetadata {
    let metadata = UploadMetadata::named(filename);
    match mime_guess::from_path(filename).first_raw() {
        Some(content_type) => metadata.content_type(content_type),
        None => metadata,
    }
}

/// Width and height of an image in pixels, for the formats that are common.
pub(crate) fn dimensions(path: &Path) -> Option<(u32, u32)> {
    // Opening a pipe would wait for a writer.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let size = imagesize::size(path).ok()?;
    Some((size.width.try_into().ok()?, size.height.try_into().ok()?))
}

/// The file's own name.
pub(crate) fn filename(path: &Path) -> Option<String> {
    let name = path.file_name()?;
    Some(name.to_string_lossy().into_owned())
}
