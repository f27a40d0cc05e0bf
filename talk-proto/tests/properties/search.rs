//! The result of a search does not depend on the division of its response into parts.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use talk_proto::search::SearchKind;

use crate::support::data;
use crate::support::found::find;

/// Returns a line of a response: a result of either kind, or junk.
fn line() -> impl Strategy<Value = String> {
    let message = ("[a-c]", "[a-c]", "\\PC{0,8}").prop_map(|(id, conversation, text)| {
        let mut message = data::message(&id, 1);
        message["conversationId"] = json!(conversation);
        message["content"] = json!([{"type": "text", "children": [text]}]);
        message.to_string()
    });
    let conversation = "[a-c]".prop_map(|id| data::side(&id).to_string());
    prop_oneof![
        3 => message,
        3 => conversation,
        1 => Just(Value::Null.to_string()),
        1 => "[^\n]{0,20}",
        1 => (1_400..2_100_usize).prop_map(|length| "x".repeat(length)),
    ]
}

fn answer() -> impl Strategy<Value = String> {
    let end = prop_oneof![
        4 => Just("]}".to_owned()),
        4 => "[a-z/ ]{0,5}".prop_map(|cursor| format!("],\"cursor\":{}}}", json!(cursor))),
        1 => Just("]}\n".to_owned()),
        1 => Just("],\"cursor\":null} and more\n".to_owned()),
        1 => ".{0,10}",
    ];
    (vec(line(), 0..6), end).prop_map(|(lines, end)| {
        let lines = lines.join("\n,");
        let line_break = if lines.is_empty() { "" } else { "\n" };
        format!("{{\"data\":[\n{lines}{line_break}{end}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn search_response_in_any_pieces_reads_equal(
        is_of_messages: bool,
        answer in answer(),
        frame_size in prop_oneof![Just(1 << 20), 1_500..2_000_usize],
        pieces in vec(prop_oneof![1..80_usize, 1..3_000_usize], 1..6),
    ) {
        let kind = if is_of_messages { SearchKind::Messages } else { SearchKind::Conversations };
        let whole = find(kind, frame_size, answer.as_bytes(), &[usize::MAX]);
        prop_assert_eq!(find(kind, frame_size, answer.as_bytes(), &pieces), whole);
    }
}
