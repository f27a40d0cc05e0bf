//! Requests of the client, read back from its frames by an independent reader of the protocol.

mod calls;

use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::{Value, json};

use calls::{about_conversations, about_messages, about_people};

use crate::support::{Request, World, unpaced};

/// A request in the form that its receiver understands.
#[derive(Clone, Debug, PartialEq)]
struct Understood {
    method: String,
    path: Vec<String>,
    data: Value,
}

fn understood<const N: usize>(method: &str, path: [&str; N], data: Value) -> Understood {
    Understood {
        method: method.to_owned(),
        path: path.map(str::to_owned).into(),
        data,
    }
}

/// Reads a request. Its idempotency key is random, so it is checked and removed.
fn read(request: &Request) -> Understood {
    let segments = request.path.strip_prefix('/').expect("a path").split('/');
    let path = segments.map(|segment| {
        let is_kept = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()%".contains(c);
        assert!(segment.chars().all(is_kept), "{segment} is not encoded");
        let decoded = percent_decode_str(segment).decode_utf8();
        decoded.expect("segments are UTF-8").into_owned()
    });
    assert_eq!(request.headers, json!({}));
    let mut data = request.data.clone();
    if let Some(members) = data.as_object_mut() {
        let key = members.remove("idempotencyKey");
        let is_send = request.method == "POST" && request.path.ends_with("/messages");
        assert_eq!(
            key.is_some(),
            is_send,
            "messages have keys, nothing else has"
        );
    }
    Understood {
        method: request.method.clone(),
        path: path.collect(),
        data,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn request_round_trips(
        (call, expected) in prop_oneof![about_conversations(), about_people(), about_messages()],
    ) {
        let mut world = World::new(unpaced());
        world.call(call);
        world.run();
        // Fetched entities stay subscribed for a while, which may lead to further requests.
        let asked = world.log.work().filter(|request| request.method != "SUBSCRIBE");
        let sent: Vec<_> = asked.take(expected.len()).map(read).collect();
        prop_assert_eq!(sent, expected);
    }
}
