//! A session that uploads one file.

use talk_proto::{
    HttpId, Reply, RequestError, RequestId,
    upload::{Upload, UploadKind},
};

use crate::support::{World, unpaced};

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) request: RequestId,
}

pub(crate) fn file() -> Upload {
    Upload::new(UploadKind::File, "notes.txt", 5)
}

impl Bench {
    /// Creates an accepted upload command, before the first drain.
    pub(crate) fn new(upload: Upload) -> Self {
        Self::in_world(World::new(unpaced()), upload)
    }

    pub(crate) fn in_world(mut world: World, upload: Upload) -> Self {
        world.script.hold_http("/files");
        let request = world.upload(upload);
        Self { world, request }
    }

    /// Creates an upload whose file is accepted by the server and whose HTTP request is pending.
    pub(crate) fn sending(upload: Upload) -> Self {
        let mut bench = Self::new(upload);
        bench.world.run();
        assert_eq!(bench.attempts(), 1);
        bench
    }

    /// Returns the number of times that the file was sent.
    pub(crate) fn attempts(&self) -> usize {
        self.world.http_of("/files").len()
    }

    pub(crate) fn http(&self) -> HttpId {
        self.world.last_http()
    }

    pub(crate) fn succeed(&mut self) {
        let http = self.http();
        let body = r#"{"fileToken": "a-file-token"}"#;
        self.world.http_answer(http, 200, body);
    }

    pub(crate) fn is_resolved(&self) -> bool {
        self.world.is_resolved(self.request)
    }

    pub(crate) fn token(&self) -> &str {
        match self.world.outcome(self.request) {
            Ok(Reply::Uploaded { file_token }) => file_token.as_str(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn error(&self) -> RequestError {
        self.world.outcome(self.request).clone().unwrap_err()
    }
}
