//! The upload command.

use super::Session;
use crate::command::{Reply, RequestId};
use crate::error::{CommandError, RequestError, TransportError};
use crate::http::HttpPurpose;
use crate::io::Output;
use crate::outbox::{FileSource, OutboxFile};
use crate::requests::{CallPurpose, upload_check};
use crate::timestamp::Timestamp;
use crate::upload::file::Upload;
use crate::upload::uploads::{EntryFile, Uploader};

impl Session {
    /// Uploads a file. The session first asks the server to accept the name and size of the file,
    /// then sends it with [`HttpBody::Upload`](crate::HttpBody::Upload). The request is resolved
    /// with [`Reply::Uploaded`].
    ///
    /// A refused file is not sent. After a network failure the file is sent again, up to five
    /// times, if it can be read again and the server cannot have received all of it. Otherwise a
    /// repetition might store it twice, because the protocol cannot mark two uploads as the same
    /// one.
    ///
    /// ```
    /// # use talk_proto::{Session, SessionOptions, Timestamp};
    /// # let now = Timestamp::from_millis(1_700_000_000_000);
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let mut session = Session::new(options, 0x5eed, now);
    /// use talk_proto::upload::{Upload, UploadKind};
    ///
    /// let report = Upload::new(UploadKind::File, "report.pdf", 12_345);
    /// let request = session.upload(now, report.content_type("application/pdf"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CommandError::Ended`], [`CommandError::TooManyCalls`].
    pub fn upload(&mut self, now: Timestamp, upload: Upload) -> Result<RequestId, CommandError> {
        self.accept_request(now)?;
        let request = RequestId(self.take_id());
        let check = upload_check(request, &upload.filename, upload.size);
        self.queue
            .push_call(request, CallPurpose::UploadCheck, vec![check]);
        self.uploads.insert(request, upload, None);
        Ok(request)
    }

    /// Handles the server's response to the validation of an upload.
    pub(super) fn on_upload_checked(
        &mut self,
        request: RequestId,
        result: Result<Reply, RequestError>,
    ) {
        if result.is_err() {
            if let Some((uploader, _)) = self.uploads.remove(request) {
                self.finish_upload(request, uploader, result);
            }
        } else if let Some(upload) = self.uploads.accept(request) {
            let purpose = HttpPurpose::Upload(request);
            self.http.enqueue(purpose, upload.can_rewind, None);
        }
    }

    /// Cancels an upload and returns `Some(true)` if a byte of the file may have been sent. Returns
    /// `None` if there is no such upload.
    pub(super) fn stop_upload(&mut self, request: RequestId) -> Option<bool> {
        let (_, was_sent) = self.uploads.remove(request)?;
        self.cancel_http(HttpPurpose::Upload(request));
        Some(was_sent)
    }

    /// Uploads the file of an entry of the outbox, if it is unchanged.
    pub(super) fn upload_file(&mut self, seq: u64, file: OutboxFile) {
        let request = RequestId(self.take_id());
        if let Some(outbox) = &mut self.durable.outbox {
            outbox.set_upload(seq, request);
        }
        let OutboxFile { upload, source } = file;
        let size = upload.size;
        let entry = EntryFile {
            seq,
            source: source.clone(),
        };
        self.uploads.insert(request, upload, Some(entry));
        match source {
            FileSource::Path { path, modified } => self.outputs.push_back(Output::CheckFile {
                request,
                path,
                size,
                modified,
            }),
            FileSource::Bytes(_) => self.handle_file_checked(request, Ok(())),
        }
    }

    /// Handles the driver's check of a file.
    pub(super) fn handle_file_checked(&mut self, request: RequestId, result: Result<(), String>) {
        let Some(upload) = self.uploads.end_check(request) else {
            return;
        };
        match result {
            Ok(()) => {
                let check = upload_check(request, &upload.filename, upload.size);
                self.queue
                    .push_call(request, CallPurpose::EntryUploadCheck, vec![check]);
            }
            Err(reason) => {
                if let Some((uploader, _)) = self.uploads.remove(request) {
                    let error = TransportError::Source(reason).into();
                    self.finish_upload(request, uploader, Err(error));
                }
            }
        }
    }

    /// Passes the result of an upload to its caller.
    pub(super) fn finish_upload(
        &mut self,
        request: RequestId,
        uploader: Uploader,
        mut result: Result<Reply, RequestError>,
    ) {
        match uploader {
            Uploader::User => self.resolve(request, result),
            Uploader::Entry(seq) => {
                self.mask_token(&mut result);
                if let Some(outbox) = &mut self.durable.outbox {
                    outbox.handle_upload(self.now, seq, request, result);
                }
            }
        }
    }

    /// Stops the upload of a file of an entry.
    pub(super) fn stop_file(&mut self, request: RequestId) {
        self.queue.cancel(request);
        self.stop_upload(request);
    }
}
