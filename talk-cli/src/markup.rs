//! `talk markup`: converts text to the JSON that a client sends.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use talk_proto::content::{ContentBlock, MarkupSource, parse_markup, plaintext, to_wire_json};

use crate::exit::Outcome;
use crate::json;
use crate::rpc::input::{RawLine, Splitter, too_long};
use crate::terminal::sanitize;

/// The text at the end of `talk markup --help`.
pub(crate) const AFTER_HELP: &str = r#"Input: {"op": "send" or "edit", "text": TEXT}
Output: {"content": [...], "plaintext": TEXT}, or {"error": TEXT} for a bad line

Every line of input, of at most 16 MiB, has one line of output. Errors do not change the exit
code, which is 0."#;

/// An input line. Other members are ignored.
#[derive(Deserialize)]
struct Request {
    op: Op,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Send,
    Edit,
}

/// An output line.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Parsed {
        #[serde(serialize_with = "for_wire")]
        content: Vec<ContentBlock>,
        plaintext: String,
    },
    Failed {
        error: String,
    },
}

fn for_wire<S: serde::Serializer>(
    content: &[ContentBlock],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let json = RawValue::from_string(to_wire_json(content));
    json.map_err(serde::ser::Error::custom)?
        .serialize(serializer)
}

/// Answers every line of standard input with a line on standard output, until the input ends.
pub(crate) fn run() -> Outcome {
    let mut input = io::stdin().lock();
    let mut lines = Splitter::default();
    loop {
        let read = input.fill_buf()?;
        let count = read.len();
        if count == 0 {
            break;
        }
        let complete = lines.push(read);
        input.consume(count);
        write_answers(complete)?;
    }
    write_answers(lines.finish())?;
    Ok(ExitCode::SUCCESS)
}

fn write_answers(lines: Vec<RawLine>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in lines {
        let answer = match line {
            Ok(line) => answer(&line),
            Err(_) => Answer::Failed { error: too_long() },
        };
        let answer = serde_json::to_string(&answer).map_err(io::Error::from)?;
        writeln!(output, "{}", sanitize::json(&answer))?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &[u8]) -> Answer {
    let request = match parse(line) {
        Ok(request) => request,
        Err(error) => {
            let reason = json::reason(&error);
            return Answer::Failed {
                error: format!(
                    r#"expected {{"op": "send" or "edit", "text": "…"}} on one line: {reason}"#
                ),
            };
        }
    };
    let source = match request.op {
        Op::Send => MarkupSource::Send,
        Op::Edit => MarkupSource::Edit,
    };
    let content = parse_markup(&request.text, source);
    Answer::Parsed {
        plaintext: plaintext(&content),
        content,
    }
}

fn parse(line: &[u8]) -> serde_json::Result<Request> {
    // The line is read as a map first, because serde would accept an array for a struct.
    let members: Map<String, Value> = json::from_slice(line)?;
    serde_json::from_value(members.into())
}
