//! Upload sources from tokio's readers.

use talk_client::UploadSource;
use tokio::io::{AsyncRead, AsyncSeek};
use tokio_util::compat::TokioAsyncReadCompatExt;

/// Creates an upload source from the first `length` bytes of a tokio reader, which can be read only
/// once. See [`UploadSource::reader`].
///
/// ```
/// let source = talk_tokio::reader_source(6, &b"Hello!"[..]);
/// ```
pub fn reader_source(length: u64, reader: impl AsyncRead + Send + 'static) -> UploadSource {
    UploadSource::reader(length, reader.compat())
}

/// Creates an upload source from the first `length` bytes of a seekable tokio reader. They are sent
/// again if an attempt fails. See [`UploadSource::seekable`].
///
/// ```
/// use std::io::Cursor;
///
/// let source = talk_tokio::seekable_source(6, Cursor::new("Hello!"));
/// ```
pub fn seekable_source(
    length: u64,
    reader: impl AsyncRead + AsyncSeek + Send + 'static,
) -> UploadSource {
    UploadSource::seekable(length, reader.compat())
}
