//! The commands to try that the emulator prints.

use std::net::SocketAddr;

use serde_json::{Map, Value};
use talk_emulator::Emulator;
use talk_emulator::server::{Seed, Settings};

/// Returns an introduction and three commands, one per line, which work in this order.
pub(super) fn hints(host: &str, seed: Option<&Seed>, needs_token: bool) -> String {
    let data = seed.and_then(|seed| {
        let conversation = seed.conversations.first()?;
        let user = conversation.participants.first()?;
        Some((seed.app.as_str(), user.as_str(), conversation.id.as_str()))
    });
    let (app, user, commands) = match data {
        Some((app, user, conversation)) => {
            let conversation = quoted(conversation);
            let commands = [
                "conversations --once".to_owned(),
                format!("messages {conversation} --once"),
                format!("send {conversation} 'Hello, *world*!'"),
            ];
            (app, user, commands)
        }
        None => (
            "demo",
            "alice",
            [
                "user set alice --name Alice",
                "conversation create lobby",
                "send lobby 'Hello, *world*!'",
            ]
            .map(str::to_owned),
        ),
    };
    let (app, user) = (quoted(app), quoted(user));
    let mut text = "try in another terminal, until Ctrl-C here:\n".to_owned();
    for command in commands {
        text.push_str(&format!("  talk --host {host} --app {app} --user {user}"));
        if needs_token {
            let mint = format!("TALK_SECRET=KEY talk token mint --app {app} --user {user}");
            text.push_str(&format!(" --token \"$({mint})\""));
        }
        text.push_str(&format!(" {command}\n"));
    }
    text
}

/// Returns a line with the address of the inspector. It answers to loopback addresses and to the
/// names of `--control-host` only.
pub(super) fn inspector(emulator: &Emulator, control_host: Option<&str>) -> Option<String> {
    let is_loopback = |host: SocketAddr| host.ip().is_loopback();
    let host = match control_host {
        _ if emulator.host().parse().is_ok_and(is_loopback) => emulator.host().to_owned(),
        Some(name) => format!(
            "{}:{}",
            crate::terminal::sanitize::line(name),
            emulator.port()
        ),
        None => return None,
    };
    Some(format!("inspector at http://{host}/_emulator/\n"))
}

/// Returns a line with the address and the key of webhooks. Only a key that the emulator has
/// created is printed.
pub(super) fn webhooks(settings: &Settings) -> Option<String> {
    let webhooks = &settings.webhooks;
    let url = crate::terminal::sanitize::line(webhooks.url.as_deref()?);
    let key = match &webhooks.secret {
        Some(key) if webhooks.has_created_secret() => crate::terminal::sanitize::line(key),
        _ => "the secret key".to_owned(),
    };
    Some(format!("webhooks go to {url}, signed with {key}\n"))
}

/// Returns a line with the names of the settings that come from an earlier start. `given` are the
/// names of those that come from this one.
pub(super) fn stored(settings: &Settings, given: &[&str]) -> Option<String> {
    let mut settings = settings.clone();
    if settings.webhooks.has_created_secret() {
        settings.webhooks.secret = None;
    }
    let members = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let default = members(&Settings::default());
    let stored = members(&settings).into_iter();
    let stored = stored.filter(|(name, value)| default.get(name) != Some(value));
    let names: Vec<_> = stored
        .map(|(name, _)| name)
        .filter(|name| !given.contains(&name.as_str()))
        .collect();
    let names = (!names.is_empty()).then(|| names.join(", "))?;
    Some(format!(
        "settings of an earlier start apply: {names}; replace them with --config\n"
    ))
}

/// Quotes a string without control characters as a word of a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let text = crate::terminal::sanitize::line(text);
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_settings_of_earlier_start_are_named() {
        let mut settings = Settings {
            origin: "http://127.0.0.1:4000".to_owned(),
            secret: Some("sk_test_1".to_owned()),
            ..Settings::default()
        };
        settings.limits.search = false;
        let note = stored(&settings, &["origin"]).unwrap();
        assert!(note.contains("apply: limits, secret;"), "{note}");
        assert!(!note.contains("sk_test_1"), "{note}");
        let note = stored(&settings, &["origin", "secret"]).unwrap();
        assert!(note.contains("apply: limits;"), "{note}");
        assert_eq!(stored(&Settings::default(), &[]), None);
    }

    #[test]
    fn quoted_word_is_safe_in_a_shell() {
        assert_eq!(quoted("lobby-1"), "lobby-1");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
