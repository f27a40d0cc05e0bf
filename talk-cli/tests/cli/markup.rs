use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::talk;

/// Runs `talk markup` on lines of input and returns the lines of output.
fn markup(input: &str) -> Vec<Value> {
    let mut process = talk()
        .arg("markup")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_owned();
    // A thread writes the input while the output is read, because neither pipe holds all of it.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let lines = output.stdout.lines();
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

#[test]
fn markup_matches_recorded_texts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/markup.jsonl");
    let recorded: Vec<Value> = fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let input: String = recorded
        .iter()
        .map(|case| format!("{}\n", json!({"op": case["op"], "text": case["text"]})))
        .collect();
    let answers = markup(&input);
    assert_eq!(answers.len(), recorded.len());
    for (answer, case) in answers.iter().zip(&recorded) {
        assert_eq!(answer["content"], case["content"], "{case}");
        if case.get("plaintext").is_some() {
            assert_eq!(answer["plaintext"], case["plaintext"], "{case}");
        }
    }
}

#[test]
fn markup_bad_line_is_answered_with_an_error() {
    let answers = markup(concat!(
        "nonsense\n",
        "\n",
        "{\"op\": \"shout\", \"text\": \"a\"}\n",
        "[\"send\", \"a\"]\n",
        "{\"op\": \"send\"}\n",
        "{\"op\": \"send\", \"text\": \"fine\"}",
    ));
    assert_eq!(answers.len(), 6);
    for answer in &answers[..5] {
        assert!(answer["error"].is_string(), "{answer}");
    }
    assert_eq!(answers[5]["plaintext"], "fine");
}

#[test]
fn markup_line_is_answered_before_the_next() {
    let mut process = talk()
        .arg("markup")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    for text in ["one", "two"] {
        writeln!(input, "{}", json!({"op": "edit", "text": text})).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.contains(text), "{line}");
    }
    drop(input);
    assert!(process.wait().unwrap().success());
}

#[test]
fn markup_lone_surrogates_are_replaced() {
    let answers = markup("{\"op\": \"send\", \"text\": \"a\\ud83d\"}\n");
    assert_eq!(answers[0]["plaintext"], "a\u{fffd}");
}

#[test]
fn markup_line_above_the_limit_is_an_error() {
    let long = "x".repeat((16 << 20) + 1);
    let answers = markup(&format!("{long}\n{{\"op\": \"send\", \"text\": \"fine\"}}"));
    let error = json!({"error": "the line is longer than 16777216 bytes"});
    assert_eq!(answers[0], error);
    assert_eq!(answers[1]["plaintext"], "fine");
}

#[test]
fn markup_errors_repeat_no_text() {
    for answer in markup(concat!(
        "\"secret\"\n",
        "[\"secret\"]\n",
        "{\"op\": \"secret\", \"text\": \"a\"}\n",
        "{\"op\": {\"secret\": \"secret\"}, \"text\": [\"secret\"]}\n",
    )) {
        let error = answer["error"].as_str().unwrap();
        assert!(!error.contains("secret"), "{error}");
    }
}
