//! IDs and timestamps.

use std::collections::BTreeMap;
use std::sync::Arc;

use talk_proto::model::{AppId, ConversationId, Emoji, MessageId, UserId};

#[test]
fn id_empty_is_refused() {
    let told = [
        AppId::new("").unwrap_err().to_string(),
        UserId::try_from("").unwrap_err().to_string(),
        ConversationId::try_from(String::new())
            .unwrap_err()
            .to_string(),
        MessageId::try_from(&String::new()).unwrap_err().to_string(),
        Emoji::new("").unwrap_err().to_string(),
    ];
    let expected = [
        "the app ID must not be empty",
        "the user ID must not be empty",
        "the conversation ID must not be empty",
        "the message ID must not be empty",
        "the emoji must not be empty",
    ];
    assert_eq!(told, expected);
}

#[test]
fn id_converts_to_its_text() {
    let id = UserId::try_from(&"alice".to_owned()).unwrap();
    assert_eq!(id.as_str(), "alice");
    assert_eq!(id.to_string(), "alice");
    assert_eq!(format!("{id:?}"), r#""alice""#);
    assert_eq!(id.as_ref(), "alice");
    assert_eq!(UserId::from(&id), id);
    assert_eq!(&*Arc::<str>::from(&id), "alice");
    let by_id = BTreeMap::from([(id, 1)]);
    assert_eq!(by_id.get("alice"), Some(&1));
    assert_eq!(by_id.get("bob"), None);
}
