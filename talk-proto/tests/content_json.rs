//! Conversion of blocks and nodes to and from JSON.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use talk_proto::content::{ContentBlock, MAX_NESTING, TextNode, plaintext, to_wire_json};

fn read(value: &Value) -> ContentBlock {
    serde_json::from_str(&value.to_string()).unwrap()
}

fn text_block(nodes: Value) -> Value {
    json!({"type": "text", "children": nodes})
}

#[test]
fn every_content_type_round_trips() {
    let blocks = [
        text_block(json!([
            "a",
            {"type": "bold", "children": ["b", {"type": "italic", "children": ["i"]}]},
            {"type": "strikethrough", "children": []},
            {"type": "bulletList", "children": [{"type": "bulletPoint", "children": ["p"]}]},
            {"type": "link", "url": "https://x.com", "children": ["x"]},
            {"type": "autoLink", "url": "https://x.com", "text": "x.com"},
            {"type": "codeSpan", "text": "c"},
            {"type": "customEmoji", "text": ":cat:"},
            {"type": "mention", "id": "bob", "text": "Bob"},
            {"type": "actionLink", "action": "go", "params": {"a": "1"}, "children": ["Go"]},
            {"type": "actionButton", "action": "go", "params": {}, "children": ["Go"]},
        ])),
        json!({"type": "file", "fileToken": "t"}),
        json!({"type": "file", "subtype": "video", "fileToken": "t", "url": "https://f/v.mp4",
               "size": 10, "filename": "v.mp4", "width": 1, "height": 2, "duration": 1.5}),
        json!({"type": "file", "subtype": "hologram", "fileToken": "t", "width": null}),
        json!({"type": "location", "latitude": 1.5, "longitude": -2}),
    ];
    for block in blocks {
        let read = read(&block);
        assert!(!matches!(read, ContentBlock::Unknown(_)), "{block}");
        assert_eq!(serde_json::to_value(&read).unwrap(), block);
    }
}

#[test]
fn block_type_in_last_position_is_read() {
    let first = r#"{"type":"text","children":[{"type":"mention","id":"b","text":"B"}]}"#;
    let last = r#"{"children":[{"text":"B","id":"b","type":"mention"}],"type":"text"}"#;
    let [first, last]: [ContentBlock; 2] = [first, last].map(|s| serde_json::from_str(s).unwrap());
    assert_eq!(first, last);
    assert!(matches!(first, ContentBlock::Text(_)));
}

#[test]
fn node_types_in_both_spellings_are_read() {
    let nodes = |[link, list, point, code, emoji, action, button]: [&str; 7]| {
        text_block(json!([
            {"type": link, "url": "https://x.com", "text": "x.com"},
            {"type": list, "children": [
                {"type": point, "children": [{"type": code, "text": "c"}]},
            ]},
            {"type": emoji, "text": ":cat:"},
            {"type": action, "action": "go", "params": {}, "children": []},
            {"type": button, "action": "go", "params": {}, "children": []},
        ]))
    };
    let camel = nodes([
        "autoLink",
        "bulletList",
        "bulletPoint",
        "codeSpan",
        "customEmoji",
        "actionLink",
        "actionButton",
    ]);
    let lower = nodes([
        "autolink",
        "bulletlist",
        "bulletpoint",
        "codespan",
        "customemoji",
        "actionlink",
        "actionbutton",
    ]);
    for given in [&camel, &lower] {
        let block = read(given);
        assert_eq!(serde_json::to_value(&block).unwrap(), camel);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&to_wire_json(&[block])).unwrap(),
            json!([lower])
        );
    }
}

#[test]
fn unknown_content_round_trips() {
    let blocks = [
        json!({"type": "poll", "children": {"a": 1}, "text": [null]}),
        json!({"type": 5}),
        json!({"type": ["text"], "children": []}),
        json!({"type": {"is": "text"}, "children": []}),
        json!("not even an object"),
        json!([1, {"type": "text"}]),
        json!(null),
        json!({"type": "text", "children": "not a list"}),
        json!({"type": "text"}),
        json!({"type": "file", "url": "https://f"}),
        json!({"type": "location", "latitude": "north", "longitude": 1}),
        text_block(json!([5, null, true, 1.5, [], {}, {"type": "spoiler", "children": ["x"]}])),
        text_block(json!([{"type": "bold"}, {"type": "link", "children": []}])),
        text_block(
            json!([{"type": "actionLink", "action": "a", "params": {"a": 1}, "children": []}]),
        ),
        text_block(json!([{"type": "bold", "children": ["b"], "weight": 700, "text": "b"}])),
        json!({"type": "text", "children": [], "language": "nl"}),
        json!({"type": "file", "fileToken": "t", "size": "large", "thumbnail": {"url": "u"}}),
        json!({"type": "location", "latitude": 1, "longitude": 2, "altitude": 3}),
    ];
    for block in blocks {
        assert_eq!(serde_json::to_value(read(&block)).unwrap(), block);
    }
}

#[test]
fn whole_numbers_are_written_without_a_fraction() {
    let location = ContentBlock::location(1.0, -0.5);
    let json = r#"{"type":"location","latitude":1,"longitude":-0.5}"#;
    assert_eq!(serde_json::to_string(&location).unwrap(), json);

    let file = r#"{"type":"file","fileToken":"t","size":10.0,"width":2.0,"duration":65.9}"#;
    let file: ContentBlock = serde_json::from_str(file).unwrap();
    let json = r#"{"type":"file","fileToken":"t","size":10,"width":2,"duration":65.9}"#;
    assert_eq!(serde_json::to_string(&file).unwrap(), json);
}

fn nested(depth: usize) -> String {
    let open = r#"{"type":"bold","children":["#.repeat(depth);
    format!(
        r#"{{"type":"text","children":[{open}"x"{}]}}"#,
        "]}".repeat(depth)
    )
}

#[test]
fn nesting_beyond_the_limit_is_an_error() {
    assert!(serde_json::from_str::<ContentBlock>(&nested(MAX_NESTING)).is_ok());
    let error = serde_json::from_str::<ContentBlock>(&nested(MAX_NESTING + 1)).unwrap_err();
    assert!(
        error.to_string().contains("nested more than 50 deep"),
        "{error}"
    );
    assert!(serde_json::from_str::<ContentBlock>(&nested(1_000_000)).is_err());
}

#[test]
fn debug_output_holds_no_text() {
    let secret = "s3cret";
    let block = read(&text_block(json!([
        secret,
        {"type": "bold", "children": [secret], "x": secret},
        {"type": "link", "url": secret, "children": [{"type": "codeSpan", "text": secret}]},
        {"type": "mention", "id": secret, "text": secret},
        {"type": "actionLink", "action": secret, "params": {"a": secret}, "children": []},
        {"type": "spoiler", "children": [secret]},
    ])));
    let file =
        read(&json!({"type": "file", "fileToken": secret, "url": secret, "filename": secret}));
    let debug = format!("{block:?} {file:?}");
    assert!(!debug.contains(secret), "{debug}");
    assert!(debug.contains("Bold([Text(6 bytes)])"), "{debug}");
}

#[test]
fn nodes_are_made_by_name() {
    let block = ContentBlock::text([
        "Hello ".into(),
        TextNode::bold([TextNode::mention("bob", "Bob")]),
        TextNode::bullet_list([TextNode::bullet_point(["one".into()])]),
    ]);
    let json = text_block(json!([
        "Hello ",
        {"type": "bold", "children": [{"type": "mention", "id": "bob", "text": "Bob"}]},
        {"type": "bulletList", "children": [{"type": "bulletPoint", "children": ["one"]}]},
    ]));
    assert_eq!(serde_json::to_value(block).unwrap(), json);
}

#[test]
fn plaintext_of_foreign_nodes_keeps_text() {
    for (node, said) in [
        (json!({"type": "emoji", "text": "🙂"}), "🙂"),
        (
            json!({"type": "codeBlock", "text": "let x;", "language": "rust"}),
            "let x;",
        ),
        (json!({"type": "codeblock", "text": "let x;"}), "let x;"),
        (
            json!({"type": "blockquote", "children": [
                "said ",
                {"type": "mention", "id": "bob", "text": "Bob"},
                {"type": "blockquote", "children": [{"type": "bold", "children": ["!"]}]},
            ]}),
            "said @Bob!",
        ),
        (json!({"type": "emoji", "children": ["x"]}), ""),
        (json!({"type": "blockquote", "text": "x"}), ""),
        (json!({"type": "suppressed", "text": "x"}), ""),
        (
            json!({"type": "spoiler", "text": "x", "children": ["x"]}),
            "",
        ),
        (json!(5), ""),
    ] {
        let block = read(&text_block(json!(["a|", node, "|z"])));
        assert_eq!(plaintext(&[block]), format!("a|{said}|z"), "{node}");
    }
}
