//! Messages on a terminal.

use std::sync::Arc;

use talk_proto::content::plaintext;
use talk_tokio::{MessageSnapshot, User};

use super::style::{Paint, Style};
use super::{rich, sanitize};

/// The maximum number of characters of a quoted message.
const QUOTE_LENGTH: usize = 50;

/// Returns a message with its sender, its quote, its text and its reactions.
pub(crate) fn message(message: &MessageSnapshot, style: Style) -> String {
    let name = name(message.sender.as_ref());
    let mut lines = Vec::new();
    if let Some(quoted) = message.referenced_message.as_ref() {
        let text = format!(
            "↳ {}: {}",
            self::name(quoted.sender.as_ref()),
            quote(quoted)
        );
        lines.push(style.paint(Paint::Dim, &text));
    }
    let mut text = rich::content(&message.content, style);
    if message.edited_at.is_some() {
        text.push_str(&style.paint(Paint::Dim, " (edited)"));
    }
    lines.extend(text.lines().map(str::to_owned));
    let reactions = reactions(message);
    if !reactions.is_empty() {
        lines.push(reactions);
    }
    // The following lines are aligned with the text of the first one.
    let indent = " ".repeat(name.chars().count() + 2);
    format!(
        "{}  {}",
        style.paint(Paint::Bold, &name),
        lines.join(&format!("\n{indent}"))
    )
}

/// Returns a message, preceded by its time and its ID.
pub(crate) fn long_message(shown: &MessageSnapshot, style: Style) -> String {
    let prefix = format!(
        "{}  {}",
        shown.created_at,
        sanitize::line(shown.id.as_str())
    );
    // The text of the following lines stays aligned.
    let indent = format!("\n{}", " ".repeat(prefix.chars().count() + 2));
    let text = message(shown, style).replace('\n', &indent);
    format!("{}  {text}", style.paint(Paint::Dim, &prefix))
}

/// Returns the start of a message in one line.
pub(crate) fn quote(message: &MessageSnapshot) -> String {
    let text = plaintext(&message.content);
    let words: Vec<_> = text.split_whitespace().collect();
    let text = sanitize::line(&words.join(" "));
    match text.char_indices().nth(QUOTE_LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Returns the counts of all emoji in one line.
pub(crate) fn reactions(message: &MessageSnapshot) -> String {
    let reactions: Vec<_> = message
        .reactions
        .summaries()
        .iter()
        .map(|reaction| {
            format!(
                "{} {}",
                sanitize::line(reaction.emoji.as_str()),
                reaction.count
            )
        })
        .collect();
    reactions.join("  ")
}

fn name(sender: Option<&Arc<User>>) -> String {
    match sender {
        Some(user) => sanitize::line(&user.name),
        None => "(system)".to_owned(),
    }
}
