//! Uploads from tokio's readers.

use talk_client::UploadSource;
use tokio::io::{AsyncRead, AsyncSeek};
use tokio_util::compat::TokioAsyncReadCompatExt;

/// The first `length` bytes of one of tokio's readers, as [`UploadSource::reader`] has them of
/// futures' ones. They can be read only once.
///
/// ```
/// let source = talk_tokio::reader_source(6, &b"a text"[..]);
/// ```
pub fn reader_source(length: u64, reader: impl AsyncRead + Send + 'static) -> UploadSource {
    UploadSource::reader(length, reader.compat())
}

/// The first `length` bytes of one of tokio's readers that can go back to its start, as
/// [`UploadSource::seekable`] has them of futures' ones. They are sent again when the connection is
/// lost.
///
/// ```
/// use std::io::Cursor;
///
/// let source = talk_tokio::seekable_source(6, Cursor::new("a text"));
/// ```
pub fn seekable_source(
    length: u64,
    reader: impl AsyncRead + AsyncSeek + Send + 'static,
) -> UploadSource {
    UploadSource::seekable(length, reader.compat())
}
