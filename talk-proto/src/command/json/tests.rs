//! Messages from JSON.

use serde_json::json;

use super::*;

fn send(value: serde_json::Value) -> Result<SendMessage, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn send_message_json_is_string_or_object() {
    assert_eq!(send(json!("hi")), Ok("hi".into()));
    let given = json!({"text": "hi", "custom": {"k": "v"}, "referencedMessage": "m0"});
    let reply_to = MessageId::try_from("m0").unwrap();
    let expected = SendMessage::text("hi").custom("k", "v").reply_to(reply_to);
    assert_eq!(send(given), Ok(expected));
    let blocks = json!([{"type": "file", "fileToken": "t"}]);
    let content: Vec<ContentBlock> = serde_json::from_value(blocks.clone()).unwrap();
    let expected = SendMessage::content(content);
    assert_eq!(send(json!({"content": blocks})), Ok(expected));
}

#[test]
fn send_message_json_without_one_body_is_refused() {
    for given in [json!({}), json!({"custom": {}}), json!(7), json!(null)] {
        assert!(send(given.clone()).is_err(), "{given}");
    }
    let both = send(json!({"text": "a", "content": []})).unwrap_err();
    assert_eq!(both, "give either text or content, not both");
}

#[test]
fn edit_message_json_may_have_custom_data_only() {
    let edit: EditMessage = serde_json::from_value(json!({"custom": null})).unwrap();
    assert_eq!(edit.body, None);
    assert_eq!(edit.custom, Patch::Reset);
}
