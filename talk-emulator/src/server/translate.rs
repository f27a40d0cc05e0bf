//! A stand-in for translation: the text is prefixed with the language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use talk_proto::content::{ContentBlock, TextNode};

use super::message::ContentJson;
use super::refusal::Refusal;
use super::reply::{Body, Reply, reply};
use super::request_cx::RequestCx;

/// The maximum number of messages in a request.
const MAX_IDS: usize = 100;

#[derive(Debug, Deserialize)]
struct TranslateParams {
    ids: Vec<String>,
    lang: String,
}

#[derive(Debug, Serialize)]
struct Translations<'a> {
    data: BTreeMap<&'a str, Option<Translation>>,
}

#[derive(Debug, Serialize)]
struct Translation {
    content: Vec<ContentBlock>,
}

/// `GET /me/conversations/{c}/translate`
pub(super) fn get(cx: &RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let TranslateParams { ids, lang } = body.parse()?;
    if ids.len() > MAX_IDS {
        let reason = format!("At most {MAX_IDS} messages at a time, not {}.", ids.len());
        return Err(Refusal::invalid("INVALID_REQUEST", reason));
    }
    let lang = language(&lang)?;
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    if !cx.settings.limits.translation {
        return Err(Refusal::forbidden(
            "TRANSLATION_NOT_AVAILABLE",
            "Your plan has no translation.",
        ));
    }
    let translation = |message: &String| {
        let message = conversation.messages.get(message)?;
        Some(translate(&message.content, lang))
    };
    let data = ids
        .iter()
        .map(|message| (message.as_str(), translation(message)))
        .collect();
    reply(&Translations { data })
}

/// Returns the language without its region, except for the one language with two variants.
fn language(lang: &str) -> Result<&str, Refusal> {
    if lang.eq_ignore_ascii_case("zh-TW") {
        return Ok("zh-TW");
    }
    let language = lang.split_once('-').map_or(lang, |(language, _)| language);
    if language.len() == 2 && language.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        return Ok(language);
    }
    Err(Refusal::invalid(
        "INVALID_LANGUAGE",
        "A language is an ISO 639-1 code, like `nl`.",
    ))
}

fn translate(content: &ContentJson, lang: &str) -> Translation {
    let blocks: Vec<ContentBlock> = serde_json::from_str(content.get()).unwrap_or_default();
    let translated = blocks.into_iter().map(|block| match block {
        ContentBlock::Text(text) => {
            let mark = TextNode::text(format!("[{lang}] "));
            let children: Vec<TextNode> = std::iter::once(mark)
                .chain(text.children.iter().cloned())
                .collect();
            ContentBlock::text(children)
        }
        other => other,
    });
    Translation {
        content: translated.collect(),
    }
}
