//! Uploads. The bytes of a file do not pass through the core.

pub(crate) mod file;
mod multipart;
pub(crate) mod uploads;

pub use file::{FileToken, Upload, UploadKind};
