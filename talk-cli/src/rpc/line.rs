//! A line of input.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::json;

/// A parsed line.
#[derive(Debug)]
pub(crate) struct Line {
    /// The ID, which is echoed verbatim.
    pub(crate) id: Box<RawValue>,
    pub(crate) call: String,
    pub(crate) args: Vec<Box<RawValue>>,
}

/// An invalid line.
#[derive(Debug)]
pub(crate) struct BadLine {
    /// The ID, or `null` if there is none.
    pub(crate) id: Box<RawValue>,
    pub(crate) failure: Failure,
}

impl Line {
    /// Parses `{"id": ANY, "call": NAME, "args"?: [ANY…]}`. Other fields are ignored.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, BadLine> {
        // Only names of members are read here, so that the ID is echoed verbatim.
        let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(text)
            .or_else(|_| json::from_slice(text))
            .map_err(|error| {
                let reason = json::reason(&error);
                BadLine::new(None, format!("expected an object: {reason}"))
            })?;
        let Some(id) = members.remove("id") else {
            return Err(BadLine::new(None, "the id is missing".to_owned()));
        };
        let bad = |message| BadLine::new(Some(id.clone()), message);
        let call = members
            .remove("call")
            .ok_or_else(|| bad("the name of the call is missing".to_owned()))?;
        let call = json::from_str(call.get())
            .map_err(|_| bad("the name of the call is no string".to_owned()))?;
        let args = match members.remove("args") {
            None => Vec::new(),
            Some(args) => {
                json::from_str(args.get()).map_err(|_| bad("the args are no array".to_owned()))?
            }
        };
        Ok(Self { id, call, args })
    }
}

impl BadLine {
    /// Creates the error of a line that exceeds the limit.
    pub(crate) fn too_long(message: String) -> Self {
        Self::new(None, message)
    }

    fn new(id: Option<Box<RawValue>>, message: String) -> Self {
        Self {
            id: id.unwrap_or_else(|| RawValue::NULL.to_owned()),
            failure: Failure::usage(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad_id(text: &str) -> String {
        let bad = Line::parse(text.as_bytes()).unwrap_err();
        assert_eq!(bad.failure.kind(), "usage");
        bad.id.get().to_owned()
    }

    #[test]
    fn line_id_any_json_is_kept_unchanged() {
        for id in [
            "1",
            "1.0",
            "1e2",
            "123456789012345678901234567890",
            "null",
            "\"a\\u00e9\"",
            "[1, {\"a\": null}]",
        ] {
            let text = format!(r#"{{"id": {id}, "call": "user.get", "args": ["bob"]}}"#);
            let line = Line::parse(text.as_bytes()).unwrap();
            assert_eq!(line.id.get(), id);
            assert_eq!(line.call, "user.get");
            assert_eq!(line.args[0].get(), "\"bob\"");
        }
    }

    #[test]
    fn line_defaults_args_and_ignores_unknown_members() {
        let line = Line::parse(br#"{"call": "x", "id": 1, "extra": [1]}"#).unwrap();
        assert!(line.args.is_empty());
    }

    #[test]
    fn line_malformed_is_answered_to_its_id() {
        for text in [
            "",
            "hello",
            "[]",
            "1",
            "null",
            "{}",
            r#"{"id": 1"#,
            r#"[1, "user.get", []]"#,
            r#"{"call": "user.get", "args": []}"#,
        ] {
            assert_eq!(bad_id(text), "null", "{text}");
        }
        for text in [
            r#"{"id": 7}"#,
            r#"{"id": 7, "call": 5}"#,
            r#"{"id": 7, "call": "user.get", "args": {}}"#,
            r#"{"id": 7, "call": "user.get", "args": null}"#,
        ] {
            assert_eq!(bad_id(text), "7", "{text}");
        }
        assert!(Line::parse(b"{\"id\": \"\xff\"}").is_err());
    }

    #[test]
    fn line_lone_surrogates_become_replacement_characters() {
        let line =
            Line::parse(br#"{"call": "x", "id": "\ud83d", "args": ["a\ud83d", "\ud83d\udc4d"]}"#);
        let line = line.unwrap();
        assert_eq!(line.id.get(), r#""\ud83d""#);
        let args: Vec<String> = line
            .args
            .iter()
            .map(|arg| serde_json::from_str(arg.get()).unwrap())
            .collect();
        assert_eq!(args, ["a\u{fffd}", "\u{1f44d}"]);
    }

    #[test]
    fn line_lone_surrogates_in_names_are_replaced() {
        let line = Line::parse(br#"{"call": "x\ud83d", "id": 1, "\ud83d": 2}"#).unwrap();
        assert_eq!((line.id.get(), line.call.as_str()), ("1", "x\u{fffd}"));
    }
}
