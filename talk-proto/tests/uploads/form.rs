//! The validation before a file is sent, and the request that sends it.

use serde_json::json;
use talk_proto::{
    HttpBody, HttpFailure, ServerError,
    upload::{Upload, UploadKind},
};

use super::bench::{Bench, file};
use crate::support::{Answer, Transcript, World, seconds, unpaced};

const VALIDATE: &str = "POST /files/validate";

#[test]
fn upload_is_checked_before_its_body() {
    let mut bench = Bench::new(Upload::new(UploadKind::File, "é \"1\".txt", 5));
    bench.world.script.add(|request| {
        (request.line() == VALIDATE).then(|| Answer::Late(seconds(3), 200, json!({})))
    });
    bench.world.run_for(seconds(2));
    let asked = bench.world.log.of(VALIDATE);
    assert_eq!(
        asked[0].data,
        json!({"filename": "é \"1\".txt", "filesize": 5})
    );
    assert_eq!(bench.attempts(), 0);
    bench.world.run_for(seconds(1));
    assert_eq!(bench.attempts(), 1);
    assert_eq!(bench.world.log.of(VALIDATE).len(), 1);
    bench.succeed();
    assert_eq!(bench.token(), "a-file-token");
}

#[test]
fn upload_refused_by_check_is_not_sent() {
    for status in [400, 403, 405] {
        let mut bench = Bench::new(file());
        bench.world.script.add(move |request| {
            (request.line() == VALIDATE).then(|| Answer::refuse(status, "FILE_TOO_LARGE"))
        });
        bench.world.run_for(seconds(60));
        let refused = ServerError::new(status, "FILE_TOO_LARGE", vec!["because".to_owned()]);
        assert_eq!(bench.error(), refused.into());
        assert_eq!(bench.attempts(), 0);
    }
}

#[test]
fn upload_form_surrounds_the_file() {
    let kind = UploadKind::Video {
        width: Some(640.0),
        height: Some(480.0),
        duration: Some(1.5),
    };
    let upload = Upload::new(kind, "a\"b\r\n.mp4", 1 << 40).content_type("video/mp4");
    let bench = Bench::sending(upload);
    let asked = bench.world.http_of("/files")[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.uri, "http://127.0.0.1:4000/public_api/v1/app/files");
    assert_eq!(asked.headers["authorization"], "Bearer token-1");
    let content_type = asked.headers["content-type"].to_str().unwrap();
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let HttpBody::Upload {
        request,
        source: None,
        preamble,
        length,
        epilogue,
    } = &asked.body
    else {
        panic!("{:?}", asked.body);
    };
    assert_eq!(*request, bench.request);
    assert_eq!(*length, 1 << 40);
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace(boundary, "B")
    };
    assert_eq!(
        text(preamble),
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0A.mp4\"\r\n\
         Content-Type: video/mp4\r\n\r\n"
    );
    let part = |name: &str, value: &str| {
        format!("\r\n--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}")
    };
    let parts = [
        part("subtype", "video"),
        part("width", "640"),
        part("height", "480"),
        part("duration", "1.5"),
    ];
    assert_eq!(text(epilogue), format!("{}\r\n--B--\r\n", parts.concat()));
}

#[test]
fn uploads_in_parallel_use_own_boundaries() {
    let mut bench = Bench::sending(file());
    let first = bench.http();
    let second = bench.world.upload(file());
    bench.world.run();
    let http = bench.http();
    bench
        .world
        .http_answer(http, 200, r#"{"fileToken": "of the second"}"#);
    assert!(bench.world.is_resolved(second));
    assert!(!bench.is_resolved());
    bench
        .world
        .http_answer(first, 200, r#"{"fileToken": "of the first"}"#);
    assert_eq!(bench.token(), "of the first");
}

#[test]
fn upload_form_has_metadata_per_kind() {
    let fields = |kind: UploadKind| {
        let bench = Bench::sending(Upload::new(kind, "f", 5));
        let asked = bench.world.http_of("/files")[0];
        let HttpBody::Upload { epilogue, .. } = &asked.body else {
            panic!("{:?}", asked.body);
        };
        let text = String::from_utf8(epilogue.to_vec()).unwrap();
        let parts = text.split("name=\"").skip(1);
        let fields = parts.map(|part| {
            let (name, rest) = part.split_once("\"\r\n\r\n").unwrap();
            let (value, _) = rest.split_once("\r\n").unwrap();
            format!("{name}={value}")
        });
        fields.collect::<Vec<_>>().join(" ")
    };
    let (width, height, duration) = (Some(640.0), Some(480.0), Some(2.5));
    assert_eq!(fields(UploadKind::File), "");
    assert_eq!(
        fields(UploadKind::Image { width, height }),
        "subtype=image width=640 height=480"
    );
    assert_eq!(
        fields(UploadKind::Image {
            width: None,
            height
        }),
        "subtype=image height=480"
    );
    assert_eq!(
        fields(UploadKind::Audio { duration }),
        "subtype=audio duration=2.5"
    );
    assert_eq!(
        fields(UploadKind::Voice { duration: None }),
        "subtype=voice"
    );
}

#[test]
fn upload_transcript_omits_file_content() {
    let mut world = World::new(unpaced());
    world.transcript = Some(Transcript::new());
    let mut bench = Bench::in_world(world, file());
    bench.world.run();
    let http = bench.http();
    let failure = HttpFailure::Source("no such file".to_owned());
    bench.world.http_fail(http, failure);
    let transcript = bench.world.transcript.unwrap();
    for told in [
        "authorization: Bearer token-1",
        "content-type: multipart/form-data; boundary=",
        "filename=\\\"notes.txt\\\"",
        "(5 bytes of ",
        "failed: no such file",
    ] {
        let text = transcript.as_str();
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
}

#[test]
fn upload_resolves_with_file_token() {
    let mut bench = Bench::sending(file());
    bench.succeed();
    let reply = bench.world.outcome(bench.request).as_ref().unwrap();
    assert_eq!(serde_json::to_value(reply).unwrap(), json!("a-file-token"));
}
