//! Markup and plaintext as recorded from the published client.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use talk_proto::content::{ContentBlock, MarkupSource, parse_markup, plaintext, to_wire_json};

fn rows<T: for<'de> Deserialize<'de>>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[derive(Deserialize)]
struct Row {
    op: String,
    text: String,
    content: Value,
    plaintext: Option<String>,
}

/// Compares every row and lists all differences.
fn check(file: &str, at_least: usize) {
    let rows: Vec<Row> = rows(file);
    assert!(rows.len() >= at_least, "{file} has {} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let source = match row.op.as_str() {
            "send" => MarkupSource::Send,
            "edit" => MarkupSource::Edit,
            op => panic!("unknown op {op}"),
        };
        let content = parse_markup(&row.text, source);
        let sent = serde_json::from_str::<serde_json::Value>(&to_wire_json(&content)).unwrap();
        if sent != row.content {
            wrong.push(format!(
                "{} {:?}\n  want {}\n  have {sent}",
                row.op, row.text, row.content
            ));
        }
        if let Some(want) = row.plaintext {
            let have = plaintext(&content);
            if have != want {
                wrong.push(format!(
                    "{} {:?}\n  want {want:?}\n  have {have:?}",
                    row.op, row.text
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn markup_is_read_as_recorded() {
    check("markup.jsonl", 1330);
}

/// Rows that were found by comparing random texts.
#[test]
fn more_markup_is_read_as_recorded() {
    check("markup-extra.jsonl", 1000);
}

#[test]
fn plaintext_is_as_recorded() {
    #[derive(Deserialize)]
    struct Row {
        message: Message,
        snapshot: Snapshot,
    }
    #[derive(Deserialize)]
    struct Message {
        content: Vec<ContentBlock>,
    }
    #[derive(Deserialize)]
    struct Snapshot {
        content: Value,
        plaintext: String,
    }

    let rows: Vec<Row> = rows("plaintext.jsonl");
    assert!(rows.len() >= 24);
    for row in rows {
        assert_eq!(plaintext(&row.message.content), row.snapshot.plaintext);
        assert_eq!(
            serde_json::to_value(&row.message.content).unwrap(),
            row.snapshot.content
        );
    }
}
