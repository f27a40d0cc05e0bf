//! The arguments of a call.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use talk_tokio::{
    ContentBlock, ConversationFilter, CustomPatch, EditMessage, MessageBody, MessageId, Patch,
    SendMessage,
};

use crate::failure::Failure;
use crate::{json, params};

/// Arguments, which are read one by one.
pub(crate) struct Args(IntoIter<Box<RawValue>>);

impl Args {
    pub(crate) fn new(args: Vec<Box<RawValue>>) -> Self {
        Self(args.into_iter())
    }

    /// Reads a string.
    pub(crate) fn text(&mut self, what: &str) -> Result<String, Failure> {
        let given = self.any(what)?;
        serde_json::from_str(given.get())
            .map_err(|_| Failure::usage(format!("the {what} must be a string")))
    }

    /// Reads any JSON value.
    pub(crate) fn any(&mut self, what: &str) -> Result<Box<RawValue>, Failure> {
        self.0
            .next()
            .ok_or_else(|| Failure::usage(format!("the {what} is missing")))
    }

    /// Reads the fields to set: an object without unknown fields. An absent or null argument sets
    /// nothing.
    pub(crate) fn params<T>(&mut self) -> Result<T, Failure>
    where
        T: DeserializeOwned + Serialize + Default,
    {
        let Some(given) = self.optional() else {
            return Ok(T::default());
        };
        params::read(given.get()).map_err(Failure::usage)
    }

    /// Reads fields like [`params`](Self::params), for a type that itself rejects unknown fields.
    pub(crate) fn strict_params<T: DeserializeOwned + Default>(&mut self) -> Result<T, Failure> {
        match self.optional() {
            Some(given) => params::read_strict(given.get()).map_err(Failure::usage),
            None => Ok(T::default()),
        }
    }

    /// Reads a filter of conversations: `{KEY: filter}`. An absent or null argument matches all
    /// conversations.
    pub(crate) fn filter(&mut self, key: &str) -> Result<ConversationFilter, Failure> {
        let mut given: BTreeMap<String, ConversationFilter> = match self.optional() {
            Some(given) => serde_json::from_str(given.get()).map_err(|error| {
                let reason = json::reason(&error);
                Failure::usage(format!("the filter is not understood: {reason}"))
            })?,
            None => BTreeMap::new(),
        };
        let filter = given.remove(key);
        match given.into_keys().next() {
            Some(unknown) => Err(Failure::usage(format!("there is no parameter {unknown:?}"))),
            None => Ok(filter.unwrap_or_default()),
        }
    }

    /// Reads a message to send: a string, or `{text or content, custom?, referencedMessage?}`.
    pub(crate) fn message(&mut self) -> Result<SendMessage, Failure> {
        let params: MessageParams = match self.text_or_params("message")? {
            TextOrParams::Text(text) => return Ok(SendMessage::text(text)),
            TextOrParams::Params(params) => params,
        };
        let referenced_message = params.referenced_message.map(MessageId::new).transpose()?;
        let Some(body) = body(params.text, params.content)? else {
            return Err(Failure::usage("a message needs text or content"));
        };
        let mut message = SendMessage::from(body);
        message.custom = params.custom;
        message.referenced_message = referenced_message;
        Ok(message)
    }

    /// Reads a change of a message: a string, or `{text or content, custom?}`.
    pub(crate) fn edit(&mut self) -> Result<EditMessage, Failure> {
        let params: EditParams = match self.text_or_params("edit")? {
            TextOrParams::Text(text) => return Ok(EditMessage::text(text)),
            TextOrParams::Params(params) => params,
        };
        let mut edit = EditMessage::default();
        edit.body = body(params.text, params.content)?;
        edit.custom = params.custom;
        Ok(edit)
    }

    /// Reads the number of a subscription or a search.
    pub(crate) fn number(&mut self, what: &str) -> Result<u64, Failure> {
        whole_number(&self.any(what)?, what)
    }

    /// Reads an optional count.
    pub(crate) fn count(&mut self) -> Result<Option<usize>, Failure> {
        let Some(given) = self.optional() else {
            return Ok(None);
        };
        let count = whole_number(&given, "count")?;
        usize::try_from(count)
            .map(Some)
            .map_err(|_| Failure::usage("the count is too large"))
    }

    /// Fails if there are more arguments. A trailing null or empty object is ignored.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        for given in self.0 {
            if !matches!(given.get(), "null" | "{}") {
                return Err(Failure::usage(
                    "there are more arguments than the call takes",
                ));
            }
        }
        Ok(())
    }

    fn optional(&mut self) -> Option<Box<RawValue>> {
        self.0.next().filter(|given| given.get() != "null")
    }

    fn text_or_params<T: DeserializeOwned>(
        &mut self,
        what: &str,
    ) -> Result<TextOrParams<T>, Failure> {
        let given = self.any(what)?;
        if let Ok(text) = serde_json::from_str(given.get()) {
            return Ok(TextOrParams::Text(text));
        }
        let params = params::read_strict(given.get()).map_err(Failure::usage)?;
        Ok(TextOrParams::Params(params))
    }
}

enum TextOrParams<T> {
    Text(String),
    Params(T),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageParams {
    text: Option<String>,
    content: Option<Vec<ContentBlock>>,
    #[serde(default)]
    custom: Patch<CustomPatch>,
    #[serde(alias = "referencedMessageId")]
    referenced_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditParams {
    text: Option<String>,
    content: Option<Vec<ContentBlock>>,
    #[serde(default)]
    custom: Patch<CustomPatch>,
}

fn body(
    text: Option<String>,
    content: Option<Vec<ContentBlock>>,
) -> Result<Option<MessageBody>, Failure> {
    match (text, content) {
        (Some(_), Some(_)) => Err(Failure::usage("give text or content, not both")),
        (Some(text), None) => Ok(Some(MessageBody::Text(text))),
        (None, Some(content)) => Ok(Some(MessageBody::Content(content))),
        (None, None) => Ok(None),
    }
}

/// Reads a whole number. Some languages write `2.0` for 2.
pub(super) fn whole_number(given: &RawValue, what: &str) -> Result<u64, Failure> {
    /// The greatest value up to which a float represents every integer.
    const MAX: f64 = (1_u64 << 53) as f64;

    match serde_json::from_str::<f64>(given.get()) {
        Ok(number) if number.fract() == 0.0 && (0.0..=MAX).contains(&number) =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in range"
            )]
            Ok(number as u64)
        }
        Ok(_) | Err(_) => Err(Failure::usage(format!("the {what} must be a whole number"))),
    }
}

#[cfg(test)]
mod tests {
    use talk_tokio::{ConversationParams, ParticipantParams, UserParams};

    use super::*;

    fn args(text: &str) -> Args {
        Args::new(serde_json::from_str(text).unwrap())
    }

    fn usage<T>(outcome: Result<T, Failure>) -> bool {
        outcome.is_err_and(|failure| failure.kind() == "usage")
    }

    #[test]
    fn args_text_must_be_a_string() {
        assert_eq!(args(r#"["bob"]"#).text("user ID").unwrap(), "bob");
        for bad in ["[]", "[1]", "[null]", r#"[["bob"]]"#] {
            assert!(usage(args(bad).text("user ID")), "{bad}");
        }
    }

    #[test]
    fn params_null_resets_and_absent_keeps() {
        let params: UserParams = args(r#"[{"name": "B", "photoUrl": null, "email": "b@x"}]"#)
            .params()
            .unwrap();
        assert_eq!(params.name, Patch::Set("B".to_owned()));
        assert_eq!(params.photo_url, Patch::Reset);
        assert_eq!(params.locale, Patch::Keep);
        for nothing in ["[]", "[null]", "[{}]"] {
            let params: ConversationParams = args(nothing).params().unwrap();
            assert_eq!(params, ConversationParams::default());
        }
    }

    #[test]
    fn params_invalid_is_a_usage_error() {
        for bad in [
            r#"[{"acces": "Read"}]"#,
            r#"[{"access": 1}]"#,
            r#"[["Read", true]]"#,
            r#"["Read"]"#,
        ] {
            assert!(usage(args(bad).params::<ParticipantParams>()), "{bad}");
        }
    }

    #[test]
    fn message_is_text_or_params() {
        assert_eq!(
            args(r#"["hi"]"#).message().unwrap(),
            SendMessage::text("hi")
        );
        let reply = args(r#"[{"text": "hi", "custom": {"k": "v"}, "referencedMessage": "m0"}]"#);
        let expected = SendMessage::text("hi")
            .custom("k", "v")
            .reply_to(MessageId::new("m0").unwrap());
        assert_eq!({ reply }.message().unwrap(), expected);
        let place = args(r#"[{"content": [{"type": "location", "latitude": 1, "longitude": 2}]}]"#);
        let expected = SendMessage::content([ContentBlock::location(1.0, 2.0)]);
        assert_eq!({ place }.message().unwrap(), expected);
        for bad in [
            "[]",
            "[1]",
            "[null]",
            "[{}]",
            r#"[{"custom": {}}]"#,
            r#"[{"text": "a", "content": []}]"#,
            r#"[{"text": "a", "referencedMessage": ""}]"#,
            r#"[{"txt": "a"}]"#,
        ] {
            assert!(usage(args(bad).message()), "{bad}");
        }
    }

    #[test]
    fn edit_may_change_custom_data_only() {
        assert_eq!(args(r#"["a"]"#).edit().unwrap(), EditMessage::text("a"));
        let edit = args(r#"[{"custom": null}]"#).edit().unwrap();
        assert_eq!((edit.body, edit.custom), (None, Patch::Reset));
        assert!(usage(args(r#"[{"referencedMessage": "m"}]"#).edit()));
    }

    #[test]
    fn args_number_must_be_whole() {
        assert_eq!(args("[7]").number("subscription").unwrap(), 7);
        assert_eq!(args("[7.0]").number("subscription").unwrap(), 7);
        assert_eq!(args("[]").count().unwrap(), None);
        assert_eq!(args("[null]").count().unwrap(), None);
        for bad in ["[-1]", "[1.5]", r#"["1"]"#, "[1e300]", "[[]]"] {
            assert!(usage(args(bad).count()), "{bad}");
        }
    }

    #[test]
    fn args_only_null_may_follow_the_last() {
        assert!(args("[null, {}]").finish().is_ok());
        assert!(usage(args("[1]").finish()));
    }
}
