//! The multipart form around a file.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use talk_proto::{
    HttpBody,
    upload::{Upload, UploadKind},
};

use crate::support::{World, form, unpaced};

fn kind() -> impl Strategy<Value = UploadKind> {
    let number = || option::of(prop_oneof![0.0..1e6_f64, any::<f64>()]);
    (0..5, number(), number(), number()).prop_map(|(kind, width, height, duration)| match kind {
        0 => UploadKind::File,
        1 => UploadKind::Image { width, height },
        2 => UploadKind::Video {
            width,
            height,
            duration,
        },
        3 => UploadKind::Audio { duration },
        _ => UploadKind::Voice { duration },
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn multipart_round_trips(
        seed: u64,
        kind in kind(),
        filename in prop_oneof![any::<String>(), "[a\"%\r\n\\\\;=-]{0,12}"],
        content_type in option::of(prop_oneof![any::<String>(), "[a-z]{1,5}/[a-z]{1,5}"]),
        bytes in prop_oneof![
            vec(any::<u8>(), 0..200),
            vec(prop::sample::select(b"\r\n-".to_vec()), 0..40),
        ],
    ) {
        let mut upload = Upload::new(kind, filename, bytes.len() as u64);
        upload.content_type = content_type;
        let mut world = World::seeded(unpaced(), seed);
        world.script.hold_http("/files");
        world.upload(upload.clone());
        world.run();
        let asked = world.http_of("/files")[0];
        let HttpBody::Upload { preamble, length, epilogue, .. } = &asked.body else {
            panic!("{:?}", asked.body);
        };
        prop_assert_eq!(*length, bytes.len() as u64);
        let whole = [preamble, bytes.as_slice(), epilogue].concat();
        let content_type = asked.headers["content-type"].to_str().expect("a header is ASCII");
        form::check(&upload, &bytes, content_type, &whole);
    }
}
