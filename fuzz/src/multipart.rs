//! Fuzz target for the multipart form of an upload.

use std::hash::{DefaultHasher, Hash, Hasher};

use arbitrary::{Arbitrary, Unstructured};
use talk_proto::{HttpBody, HttpFailure, upload::{Upload, UploadKind}};

use crate::support::history::History;
use crate::support::{form, unpaced};

#[derive(Debug, Arbitrary)]
struct File<'a> {
    kind: u8,
    numbers: [Option<f64>; 3],
    content_type: Option<String>,
    filename: String,
    bytes: &'a [u8],
}

/// Uploads a file. A server must read the same file from the form.
pub fn multipart(data: &[u8]) {
    let Ok(file) = File::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let mut history = History::new(unpaced(), seed_of(data));
    let world = &mut history.world;
    let upload = upload(&file);
    let request = world.upload(upload.clone());
    world.run();
    let asked = world.http_of("/files")[0];
    let HttpBody::Upload {
        preamble,
        length,
        epilogue,
        ..
    } = &asked.body
    else {
        panic!("{:?}", asked.body);
    };
    assert_eq!(*length, file.bytes.len() as u64);
    let whole = [preamble, file.bytes, epilogue].concat();
    let content_type = asked.headers["content-type"]
        .to_str()
        .expect("a header is ASCII");
    form::check(&upload, file.bytes, content_type, &whole);

    let http = asked.id;
    world.http_fail(http, HttpFailure::Source("enough".to_owned()));
    assert!(world.outcome(request).is_err());
    history.heal();
}

/// Returns a seed for the form's boundary. It is a hash of the data, so that the file cannot
/// contain the boundary.
fn seed_of(data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}

fn upload(file: &File<'_>) -> Upload {
    let [width, height, duration] = file.numbers;
    let kind = match file.kind % 5 {
        0 => UploadKind::File,
        1 => UploadKind::Image { width, height },
        2 => UploadKind::Video {
            width,
            height,
            duration,
        },
        3 => UploadKind::Audio { duration },
        _ => UploadKind::Voice { duration },
    };
    let mut upload = Upload::new(kind, file.filename.clone(), file.bytes.len() as u64);
    upload.content_type = file.content_type.clone();
    upload
}
