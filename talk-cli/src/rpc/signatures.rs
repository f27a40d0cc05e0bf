//! The arguments and results of the calls, for the documentation.

/// The calls in the order of the table in `dispatch`: name, arguments, result.
#[rustfmt::skip]
pub(super) const SIGNATURES: &[(&str, &str, &str)] = &[
    ("user.get", "user", "user snapshot or null"),
    ("user.set", "user, params", "null"),
    ("user.createIfNotExists", "user, params", "null"),
    ("user.subscribe", "user", r#"{"subscription": N}"#),
    ("user.subscribeOnline", "user", r#"{"subscription": N}"#),
    ("conversation.get", "conversation", "conversation snapshot or null"),
    ("conversation.set", "conversation, params?", "null"),
    ("conversation.createIfNotExists", "conversation, params?", "null"),
    ("conversation.markAsRead", "conversation", "null"),
    ("conversation.markAsUnread", "conversation", "null"),
    ("conversation.markAsTyping", "conversation", "null"),
    ("conversation.send", "conversation, text or params", r#"{"messageRef": message}"#),
    (
        "conversation.enqueue",
        r#"conversation, text or params, {"dedupKey"?, "at"?: ms, "ack"?: [N, D], "files"?: […]}?"#,
        r#"{"entry": entry}"#,
    ),
    ("conversation.subscribe", "conversation", r#"{"subscription": N}"#),
    ("conversation.subscribeMessages", "conversation", r#"{"subscription": N}"#),
    ("conversation.subscribeParticipants", "conversation", r#"{"subscription": N}"#),
    ("conversation.subscribeTyping", "conversation", r#"{"subscription": N}"#),
    ("participant.get", "conversation, user", "participant snapshot or null"),
    ("participant.set", "conversation, user, params?", "null"),
    ("participant.edit", "conversation, user, params", "null"),
    ("participant.createIfNotExists", "conversation, user, params?", "null"),
    ("participant.delete", "conversation, user", "null"),
    ("participant.subscribe", "conversation, user", r#"{"subscription": N}"#),
    ("message.get", "conversation, message", "message snapshot or null"),
    ("message.edit", "conversation, message, text or params", "null"),
    ("message.delete", "conversation, message", "null"),
    ("message.translate", "conversation, message, language", "translation or null"),
    ("reactions.add", "conversation, message, emoji", "null"),
    ("reactions.remove", "conversation, message, emoji", "null"),
    ("reactions.getFirstReactions", "conversation, message, emoji", "list of reactions or null"),
    ("reactions.subscribe", "conversation, message, emoji", r#"{"subscription": N}"#),
    ("session.subscribeConversations", r#"{"filter"?: filter}?"#, r#"{"subscription": N}"#),
    ("outbox.subscribe", "", r#"{"subscription": N}"#),
    ("outbox.retry", "entry", "true or false"),
    ("outbox.discard", "entry", "true or false"),
    ("outbox.cancel", "entry", "true or false"),
    ("outbox.edit", "entry, text or params", "true or false"),
    ("outbox.editAfter", "entry, text or params", "null"),
    ("outbox.deleteAfter", "entry", "null"),
    ("outbox.retryAll", "", "null"),
    ("outbox.pause", "conversation", "null"),
    ("outbox.resume", "conversation", "null"),
    ("outbox.sent", "entry", r#"{"messageRef": message}"#),
    (
        "session.inbox",
        concat!(
            r#"name, {"conversation"?: conversation, "filter"?: filter, "#,
            r#""start"?: "now" or "beginning" or ms, "own"?: bool, "system"?: bool, "#,
            r#""maxUnacked"?: count}?"#,
        ),
        r#"{"inbox": N}"#,
    ),
    ("inbox.ack", "N, D", "null"),
    ("inbox.close", "N", "null"),
    ("session.searchMessages", r#"query, {"conversation"?: filter}?"#, r#"{"search": N}"#),
    ("session.searchConversations", r#"query, {"conversation"?: filter}?"#, r#"{"search": N}"#),
    ("search.loadMore", "N, count?", "null"),
    ("search.setQuery", r#"N, query, {"conversation"?: filter}?"#, "null"),
    ("session.uploadFile", "path, metadata?", "file token"),
    ("session.uploadImage", "path, metadata?", "file token"),
    ("session.uploadVideo", "path, metadata?", "file token"),
    ("session.uploadAudio", "path, metadata?", "file token"),
    ("session.uploadVoice", "path, metadata?", "file token"),
    ("session.setToken", "token", "null"),
    ("session.networkChanged", "", "null"),
    ("subscription.loadMore", "N, count?", "null"),
    ("subscription.unsubscribe", "N", "null"),
    ("cancel", "id", "null"),
];

/// Returns the arguments of a call.
pub(super) fn arguments(call: &str) -> Option<&'static str> {
    let (_, arguments, _) = SIGNATURES.iter().find(|(name, ..)| *name == call)?;
    Some(arguments)
}

/// Returns the calls with their arguments, one per line.
pub(super) fn help() -> String {
    let width = SIGNATURES.iter().map(|(name, ..)| name.len());
    let width = width.max().unwrap_or(0);
    let mut text = "Calls and their arguments:\n".to_owned();
    for (name, arguments, _) in SIGNATURES {
        text.push_str(&format!("  {name:width$}  [{arguments}]\n"));
    }
    text.push_str(
        r#"
A line of input is {"id": ANY, "call": NAME, "args": [ARGS…]}. `?` marks arguments that
can be left out. Params, filters and snapshots have the shapes of the JavaScript API."#,
    );
    text
}

/// Returns the calls as the rows of a Markdown table.
#[cfg(test)]
pub(crate) fn table() -> String {
    let row = |(name, arguments, result): &(&str, &str, &str)| {
        let arguments = match *arguments {
            "" => String::new(),
            arguments => format!("`{arguments}`"),
        };
        format!("| `{name}` | {arguments} | `{result}` |\n")
    };
    SIGNATURES.iter().map(row).collect()
}
