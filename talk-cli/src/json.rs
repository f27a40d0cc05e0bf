//! JSON from arguments, files and standard input.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use talk_proto::replace_lone_surrogates;

/// Reads JSON. Each unpaired surrogate becomes U+FFFD, as in data of the server. JavaScript writes
/// unpaired surrogates if a string was cut within a character.
pub(crate) fn from_str<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    serde_json::from_str(&replace_lone_surrogates(json))
}

/// Reads JSON like [`from_str`]. Invalid UTF-8 is an error.
pub(crate) fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(json) => from_str(json),
        Err(_) => serde_json::from_slice(json),
    }
}

/// Returns the message of an error in a request. It contains no strings of the request, because
/// they may be the texts of messages.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = without_variant(&message);
    without_strings(&message)
}

/// Removes the name of an unknown variant. The names of the known variants remain.
fn without_variant(message: &str) -> Cow<'_, str> {
    const START: &str = "unknown variant `";
    // The value may contain any text, also the text that follows it.
    let found = message.find(START).zip(message.rfind("`, expected "));
    let split = found.and_then(|(start, end)| {
        let before = message.get(..start)?;
        let value = start + START.len()..=end;
        (value.start() <= value.end()).then_some(())?;
        Some((before, message.get(end + 1..)?))
    });
    match split {
        Some((before, after)) => format!("{before}unknown variant{after}").into(),
        None => message.into(),
    }
}

/// Removes the values of strings, which serde writes with escaped quotation marks.
fn without_strings(message: &str) -> String {
    let mut kept = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, value)) = rest.split_once(" string \"") {
        kept.push_str(before);
        kept.push_str(" string");
        rest = after_quote(value);
    }
    kept.push_str(rest);
    kept
}

/// Returns the text after the next quotation mark that is not escaped.
fn after_quote(text: &str) -> &str {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => break,
            _ => {}
        }
    }
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Op {
        Send,
        Edit,
    }

    #[test]
    fn reason_contains_no_strings() {
        for secret in [
            "secret",
            r#"a \"secret\" b"#,
            r#"secret\\"#,
            "`secret`, expected x",
        ] {
            let json = format!("[\"{secret}\"]");
            let error = from_str::<Vec<u8>>(&json).unwrap_err();
            assert!(error.to_string().contains("secret"), "{error}");
            let message = reason(&error);
            assert!(!message.contains("secret"), "{message}");
            assert!(
                message.starts_with("invalid type: string, expected u8 at line 1"),
                "{message}"
            );

            let error = from_str::<Vec<Op>>(&json).unwrap_err();
            let message = reason(&error);
            assert!(!message.contains("secret"), "{message}");
            let expected = "unknown variant, expected `send` or `edit` at line 1";
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn reason_keeps_names_and_numbers() {
        let error = from_str::<String>("5").unwrap_err();
        assert_eq!(reason(&error), error.to_string());
        let error = from_str::<Op>("").unwrap_err();
        assert_eq!(reason(&error), error.to_string());
    }
}
