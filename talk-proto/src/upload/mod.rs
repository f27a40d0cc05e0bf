//! Uploads of files. The driver streams the bytes, which never pass through the core.

pub(crate) mod file;
mod multipart;
pub(crate) mod uploads;

pub use file::{FileToken, Upload, UploadKind};
pub use multipart::Form;
