//! `Debug` output shows kinds and sizes, but no private data.

use serde_json::json;
use talk_proto::{
    Call, HttpBody, Input, Output, ServerError, Session, SessionOptions, Timestamp,
    command::{EditMessage, SendMessage},
    content::{ContentBlock, TextNode},
    model::{Custom, MessageId, Patch, UserParams},
    upload::{Upload, UploadKind},
};

use crate::support::Transcript;

#[test]
fn send_message_debug_shows_sizes() {
    let message = SendMessage::text("my secret").custom("key", "my value");
    let expected = "SendMessage { body: text of 9 bytes, referenced_message: None, .. }";
    assert_eq!(format!("{message:?}"), expected);
    let blocks = [ContentBlock::file("my-token"), ContentBlock::text([])];
    let message = SendMessage::content(blocks).reply_to(MessageId::new("msg_1").unwrap());
    let expected = r#"SendMessage { body: 2 blocks, referenced_message: Some("msg_1"), .. }"#;
    assert_eq!(format!("{message:?}"), expected);
    let edit = EditMessage::text("my secret").custom("key", "my value");
    assert_eq!(
        format!("{edit:?}"),
        "EditMessage { body: Some(text of 9 bytes), .. }"
    );
}

#[test]
fn user_params_debug_shows_given_members() {
    let params = UserParams::named("Alice")
        .email("alice@example.com")
        .push_token("fcm:my-token");
    let expected = r#"UserParams{"name", "email", "push_tokens"}"#;
    assert_eq!(format!("{params:?}"), expected);
    let mut params = UserParams::default();
    assert_eq!(format!("{params:?}"), "UserParams{}");
    params.welcome_message = Patch::Reset;
    assert_eq!(format!("{params:?}"), r#"UserParams{"welcome_message"}"#);
}

#[test]
fn custom_data_debug_shows_keys() {
    let custom = Custom::from_iter([("a", "my secret"), ("b", "another")]);
    assert_eq!(format!("{custom:?}"), r#"{"a", "b"}"#);
}

#[test]
fn upload_debug_hides_the_filename() {
    let kind = UploadKind::Audio {
        duration: Some(1.5),
    };
    let upload = Upload::new(kind, "my secret.mp3", 7).content_type("audio/mpeg");
    let shown = format!("{upload:?}");
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("duration: Some(1.5)"), "{shown}");
    assert!(shown.contains("size: 7"), "{shown}");
    assert!(shown.contains("audio/mpeg"), "{shown}");
}

#[test]
fn content_debug_shows_sizes() {
    let body = HttpBody::Bytes("my secret".into());
    assert_eq!(format!("{body:?}"), "9 bytes");
    assert_eq!(format!("{:?}", HttpBody::Empty), "empty");
    let block: ContentBlock = serde_json::from_value(json!({
        "type": "text", "children": ["my secret", {"type": "link", "url": "https://x.com/secret",
            "children": ["another secret"]}],
    }))
    .unwrap();
    let shown = format!("{block:?}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn server_error_shows_reasons_without_tokens() {
    let reasons = vec!["not yet valid: eyJhbGciOiJub25lIn0.e30.c2ln".to_owned()];
    let refused = ServerError::new(400, "INVALID", reasons);
    let expected =
        r#"ServerError { status: 400, error_code: "INVALID", reasons: ["not yet valid: …"] }"#;
    assert_eq!(format!("{refused:?}"), expected);
    assert!(refused.to_string().contains("eyJhbGciOiJub25lIn0.e30.c2ln"));
}

#[test]
fn action_debug_shows_nothing() {
    let params = [("key".to_owned(), "my secret".to_owned())].into();
    let TextNode::ActionLink { action, .. } = TextNode::action_link("secret", params, []) else {
        panic!("an action link");
    };
    assert_eq!(format!("{action:?}"), "Action { .. }");
}

/// A transcript is complete.
#[test]
fn transcript_shows_whole_bodies_and_reasons() {
    let mut options = SessionOptions::new("app".try_into().unwrap(), "alice".try_into().unwrap());
    options.authentication.can_fetch_token = true;
    let now = Timestamp::from_millis(1_700_000_000_000);
    let mut session = Session::new(options, 0x5eed, now);
    let conversation = "c1".try_into().unwrap();
    session
        .call(now, Call::MarkAsRead { conversation })
        .unwrap();
    let mut transcript = Transcript::new();
    while let Some(output) = session.poll_output() {
        match output {
            Output::SendHttp { http, request } => {
                let request = Box::new(request.map(|_| HttpBody::Bytes("my secret\n".into())));
                transcript.output(&Output::SendHttp { http, request });
            }
            Output::FetchToken { fetch } => {
                let result = Err("my reason".to_owned());
                transcript.input(now, &Input::Token { fetch, result });
            }
            _ => {}
        }
    }
    let mut ends: Vec<_> = transcript
        .as_str()
        .lines()
        .map(|line| line.rsplit_once("my ").unwrap().1)
        .collect();
    ends.sort_unstable();
    assert_eq!(ends, ["reason", "secret\\n"]);
}
