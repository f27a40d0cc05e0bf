//! Masking of a request's private words in a string that may quote the request.

use serde_json::Value;

use crate::collections::HashSet;

#[cfg(test)]
mod tests;

/// The replacement of a private word.
const MASK: &str = "…";
/// The length, in characters, from which a word is also masked if it is a part of a private word or
/// contains one. Servers truncate long tokens and texts.
const MIN_PART: usize = 8;
/// The prefix of every JWT: base64 of `{"`.
const JWT: &str = "eyJ";
/// The members of a request whose values are protocol names and need no masking.
const PUBLIC_MEMBERS: [&str; 2] = ["type", "method"];

/// The private words of a request.
#[derive(Default)]
pub(super) struct Mask {
    words: HashSet<String>,
}

impl Mask {
    /// Adds the words of all strings in `json`.
    pub(super) fn add_json(&mut self, json: &str) {
        match serde_json::from_str(json) {
            Ok(value) => self.add_value(&value),
            Err(_) => self.add_text(json),
        }
    }

    fn add_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_value(item)),
            Value::Object(members) => {
                for (name, value) in members {
                    if !PUBLIC_MEMBERS.contains(&name.as_str()) || !value.is_string() {
                        self.add_value(value);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Adds the words of `text`.
    pub(super) fn add_text(&mut self, text: &str) {
        let words = text.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        self.words.extend(words.map(str::to_lowercase));
    }

    /// Returns `text` with its private words masked.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_word) {
            let (between, word) = rest.split_at(start);
            // The parts of a JWT are joined by dots.
            let is_part = |c| is_word(c) || (c == '.' && word.starts_with(JWT));
            let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            masked.push_str(between);
            masked.push_str(if self.is_private(word) { MASK } else { word });
            rest = after;
        }
        masked.push_str(rest);
        masked
    }

    fn is_private(&self, word: &str) -> bool {
        let lower = word.to_lowercase();
        let is_long = |word: &str| word.chars().nth(MIN_PART - 1).is_some();
        let overlaps = |private: &String| {
            private.contains(&lower) || (is_long(private) && lower.contains(private.as_str()))
        };
        word.starts_with(JWT)
            || self.words.contains(&lower)
            || (is_long(word) && self.words.iter().any(overlaps))
    }
}

/// Returns `true` for the characters of words, base64url included.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}
