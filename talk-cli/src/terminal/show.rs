//! Snapshots on a terminal.

use std::fmt::Write;
use std::sync::Arc;

use talk_proto::model::Custom;
use talk_tokio::outbox::{Entry, HeldReason};
use talk_tokio::{
    Access, ConversationSnapshot, MessageHit, MessageSnapshot, Notify, OnlineSnapshot,
    ParticipantSnapshot, ReactionSnapshot, Translation, TypingSnapshot, User, Window,
};

use super::message::{message, quote};
use super::style::{Paint, Style};
use super::{rich, sanitize};

/// A type with a representation as text for terminals.
pub(crate) trait Show {
    /// Returns lines of text, without a line end after the last one. An empty string means that
    /// there is nothing to show.
    fn show(&self, style: Style) -> String;
}

impl<T: Show> Show for Arc<T> {
    fn show(&self, style: Style) -> String {
        (**self).show(style)
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, style: Style) -> String {
        match self {
            Some(thing) => thing.show(style),
            None => style.paint(Paint::Dim, "(none)"),
        }
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self, style: Style) -> String {
        list(self.iter(), true, style)
    }
}

impl<T: Show> Show for Window<T> {
    fn show(&self, style: Style) -> String {
        list(self.iter(), self.loaded_all(), style)
    }
}

fn list<'a, T: Show + 'a>(
    items: impl Iterator<Item = &'a T>,
    is_all: bool,
    style: Style,
) -> String {
    let mut lines: Vec<_> = items.map(|item| item.show(style)).collect();
    if lines.is_empty() {
        lines.push(style.paint(Paint::Dim, "(none)"));
    }
    if !is_all {
        lines.push(style.paint(Paint::Dim, "(and more)"));
    }
    lines.join("\n")
}

impl Show for User {
    fn show(&self, style: Style) -> String {
        let mut out = titled(&self.name, self.id.as_str(), style);
        field(&mut out, "role", Some(&self.role));
        field(&mut out, "locale", self.locale.as_deref());
        field(&mut out, "photo", self.photo_url.as_deref());
        field(&mut out, "welcome message", self.welcome_message.as_deref());
        custom(&mut out, &self.custom);
        out
    }
}

impl Show for ConversationSnapshot {
    fn show(&self, style: Style) -> String {
        let id = self.id.as_str();
        let mut out = titled(self.subject.as_deref().unwrap_or(id), id, style);
        if self.is_unread {
            let unread = match self.unread_message_count {
                // The user marked the conversation as unread.
                0 => "  unread".to_owned(),
                count => format!("  {count} unread"),
            };
            out.push_str(&style.paint(Paint::Yellow, &unread));
        }
        if let Some(last) = &self.last_message {
            let sender = last.sender.as_ref().map_or("(system)", |user| &user.name);
            field(
                &mut out,
                "last",
                Some(&format!("{sender}: {}", quote(last))),
            );
        }
        field(&mut out, "photo", self.photo_url.as_deref());
        for message in self.welcome_messages.iter() {
            field(&mut out, "welcome message", Some(message));
        }
        custom(&mut out, &self.custom);
        rights(&mut out, &self.access, &self.notify);
        out
    }
}

impl Show for ParticipantSnapshot {
    fn show(&self, style: Style) -> String {
        let mut out = titled(&self.user.name, self.user.id.as_str(), style);
        rights(&mut out, &self.access, &self.notify);
        out
    }
}

impl Show for MessageSnapshot {
    fn show(&self, style: Style) -> String {
        message(self, style)
    }
}

impl Show for MessageHit {
    fn show(&self, style: Style) -> String {
        let conversation = &self.conversation;
        let place = conversation
            .subject
            .as_deref()
            .unwrap_or(conversation.id.as_str());
        let place = style.paint(Paint::Dim, &sanitize::line(place));
        format!(
            "{place}\n  {}",
            message(&self.message, style).replace('\n', "\n  ")
        )
    }
}

impl Show for ReactionSnapshot {
    fn show(&self, style: Style) -> String {
        titled(&self.user.name, self.user.id.as_str(), style)
    }
}

impl Show for OnlineSnapshot {
    fn show(&self, style: Style) -> String {
        let state = match self.is_connected {
            true => style.paint(Paint::Green, "online"),
            false => style.paint(Paint::Dim, "offline"),
        };
        format!("{} is {state}", sanitize::line(&self.user.name))
    }
}

impl Show for TypingSnapshot {
    fn show(&self, style: Style) -> String {
        let text = match self {
            Self::Few(users) if users.is_empty() => "nobody is typing".to_owned(),
            Self::Few(users) => {
                let names: Vec<_> = users
                    .iter()
                    .map(|user| sanitize::line(&user.name))
                    .collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                format!("{} {verb} typing…", names.join(", "))
            }
            _ => "many people are typing…".to_owned(),
        };
        style.paint(Paint::Dim, &text)
    }
}

impl Show for Entry {
    fn show(&self, style: Style) -> String {
        let mut lines = vec![rich::content(&self.content, style).replace('\n', "\n  ")];
        lines.retain(|line| !line.is_empty());
        let files = self.files.iter();
        lines.extend(files.map(|file| format!("[{}]", sanitize::line(&file.filename))));
        let text = lines.join("\n  ");
        let id = style.paint(Paint::Dim, &sanitize::line(self.id.as_str()));
        let conversation = sanitize::line(self.conversation.as_str());
        let stage = style.paint(Paint::Yellow, &sanitize::line(&stage(self)));
        format!("{id}  {conversation}  {stage}\n  {text}")
    }
}

/// Returns the stage of an entry, with the reason for which the entry is not sent.
pub(crate) fn stage(entry: &Entry) -> String {
    match entry.held() {
        Some(HeldReason::Refused(refused)) => format!("held: {refused}"),
        Some(HeldReason::Uncertain) => {
            "held: it may have been sent; retry to send it again, or discard it".to_owned()
        }
        Some(HeldReason::Stale) => {
            "held: it is older than a day; retry to send it, or discard it".to_owned()
        }
        Some(HeldReason::SourceGone(reason)) => {
            format!("held: no file to upload: {reason}; restore the file and retry, or discard it")
        }
        Some(HeldReason::StoreFailed(reason)) => format!("held: not stored: {reason}"),
        Some(reason) => format!("held: {}", reason.kind()),
        None => match &entry.blocked_by {
            Some(entry) => format!("waits for {entry}"),
            None => entry.stage.name().to_owned(),
        },
    }
}

impl Show for Translation {
    fn show(&self, style: Style) -> String {
        rich::content(&self.content, style)
    }
}

/// Returns a name, and the ID if it differs.
fn titled(name: &str, id: &str, style: Style) -> String {
    let title = style.paint(Paint::Bold, &sanitize::line(name));
    if name == id {
        return title;
    }
    format!("{title}  {}", style.paint(Paint::Dim, &sanitize::line(id)))
}

fn field(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n  {name}: {}", sanitize::line(value));
    }
}

fn custom(out: &mut String, custom: &Custom) {
    for (key, value) in custom.iter() {
        field(out, &format!("custom.{}", sanitize::line(key)), Some(value));
    }
}

fn rights(out: &mut String, access: &Access, notify: &Notify) {
    if *access != Access::ReadWrite {
        field(out, "access", Some(&format!("{access:?}")));
    }
    match notify {
        Notify::Always => {}
        Notify::Never => field(out, "notify", Some("never")),
        Notify::MentionsOnly => field(out, "notify", Some("mentions only")),
        other => field(out, "notify", Some(&format!("{other:?}"))),
    }
}
