//! System messages, as posted by an app's back end.

use serde_json::json;
use serde_json::value::to_raw_value;
use talk_proto::Timestamp;

use super::machine::Server;
use super::message::Message;
use super::messages;
use super::request_cx::RequestCx;

impl Server {
    /// Appends a system message to a conversation. It has no sender, never counts as unread and
    /// cannot be referenced. `text` is literal.
    ///
    /// Returns the message's id, or `None` if the conversation does not exist.
    pub fn post_system_message(
        &mut self,
        now: Timestamp,
        app: &str,
        conversation: &str,
        text: &str,
    ) -> Option<String> {
        self.advance(now);
        self.apps.get(app)?.store.conversations.get(conversation)?;
        let id = self.with_cx(app, "", |cx| post(cx, conversation, text));
        self.flush();
        id
    }
}

fn post(cx: &mut RequestCx<'_>, conversation: &str, text: &str) -> Option<String> {
    let content = json!([{ "type": "text", "children": [text] }]);
    let message = Message::new(
        cx.random.id("msg_"),
        None,
        cx.store.clock.stamp(cx.millis()),
        to_raw_value(&content).ok()?,
    );
    let id = message.id.clone();
    messages::post(cx, conversation, message).ok()?;
    Some(id)
}
