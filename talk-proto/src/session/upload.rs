//! The upload command.

use super::Session;
use crate::command::{Reply, RequestId};
use crate::error::{CommandError, RequestError};
use crate::http::HttpPurpose;
use crate::requests::{CallPurpose, upload_check};
use crate::timestamp::Timestamp;
use crate::upload::file::Upload;

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
        self.uploads.insert(request, upload);
        Ok(request)
    }

    /// Handles the server's response to the validation of an upload.
    pub(super) fn on_upload_checked(
        &mut self,
        request: RequestId,
        result: Result<Reply, RequestError>,
    ) {
        if result.is_err() {
            self.uploads.remove(request);
            self.resolve(request, result);
        } else if let Some(upload) = self.uploads.accept(request) {
            let purpose = HttpPurpose::Upload(request);
            self.http.enqueue(purpose, upload.can_rewind, None);
        }
    }

    /// Cancels an upload and returns `Some(true)` if a byte of the file may have been sent. Returns
    /// `None` if there is no such upload.
    pub(super) fn stop_upload(&mut self, request: RequestId) -> Option<bool> {
        let was_sent = self.uploads.remove(request)?;
        self.cancel_http(HttpPurpose::Upload(request));
        Some(was_sent)
    }
}
