use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::output::ConnectionId;

/// The pending events of each connection. They are sent in one frame per connection.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    events: BTreeMap<ConnectionId, Vec<Arc<str>>>,
}

impl EventQueue {
    /// Queues an event for these connections. It is serialised once, or not at all without
    /// connections.
    pub(super) fn push(
        &mut self,
        connections: impl IntoIterator<Item = ConnectionId>,
        event: &impl Serialize,
    ) {
        let mut text: Option<Arc<str>> = None;
        for connection in connections {
            let text = match &text {
                Some(text) => text.clone(),
                None => {
                    // Infallible: an event has string keys and finite numbers.
                    let Ok(json) = serde_json::to_string(event) else {
                        return;
                    };
                    text.insert(json.into()).clone()
                }
            };
            self.events.entry(connection).or_default().push(text);
        }
    }

    /// Queues events that were serialised earlier, before all others of the connection.
    pub(super) fn prepend(&mut self, connection: ConnectionId, events: Vec<Arc<str>>) {
        if !events.is_empty() {
            self.events
                .entry(connection)
                .or_default()
                .splice(0..0, events);
        }
    }

    /// Takes all pending events, ordered by connection.
    pub(super) fn take(&mut self) -> BTreeMap<ConnectionId, Vec<Arc<str>>> {
        std::mem::take(&mut self.events)
    }
}
