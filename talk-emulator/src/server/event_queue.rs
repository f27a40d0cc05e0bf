use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::output::ConnectionId;

/// The events that one cause has so far, per connection: they go out in one frame each.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    events: BTreeMap<ConnectionId, Vec<Arc<str>>>,
}

impl EventQueue {
    /// Tells these connections; the event is serialised once, and not at all for nobody.
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
                    // An event has string keys and no numbers that JSON lacks: this does not fail.
                    let Ok(json) = serde_json::to_string(event) else {
                        return;
                    };
                    text.insert(json.into()).clone()
                }
            };
            self.events.entry(connection).or_default().push(text);
        }
    }

    /// Takes everything, in the order of connections.
    pub(super) fn take(&mut self) -> BTreeMap<ConnectionId, Vec<Arc<str>>> {
        std::mem::take(&mut self.events)
    }
}
