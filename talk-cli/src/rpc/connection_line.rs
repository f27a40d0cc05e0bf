//! The state of the connection in a line.

use serde::Serialize;
use talk_tokio::ConnectionState;

/// `{"session": STATE, "reason"?: TEXT, "retryAt"?: MS}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionLine {
    session: &'static str,
    /// The reason for which there is no connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The time of the next attempt in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<i64>,
}

/// The state of a new session, which is not printed.
impl Default for ConnectionLine {
    fn default() -> Self {
        Self::new("idle")
    }
}

impl ConnectionLine {
    const fn new(session: &'static str) -> Self {
        Self {
            session,
            reason: None,
            retry_at: None,
        }
    }

    /// Shows a new state. Returns `true` if the line has changed.
    pub(super) fn update(&mut self, state: ConnectionState) -> bool {
        let line = match state {
            ConnectionState::Idle => Self::new("idle"),
            ConnectionState::Ready => Self::new("connected"),
            ConnectionState::Waiting { until, reason, .. } => Self {
                session: "reconnecting",
                reason: Some(reason),
                retry_at: Some(until.as_millis()),
            },
            // The first attempt is no problem yet, and later ones were announced.
            _ if self.session != "connected" => return false,
            state => Self {
                reason: state.last_failure().map(str::to_owned),
                ..Self::new("reconnecting")
            },
        };
        let has_changed = line != *self;
        *self = line;
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};
    use talk_tokio::{ConnectionState, Timestamp};

    use super::ConnectionLine;

    fn waiting(until: i64, reason: &str) -> ConnectionState {
        ConnectionState::Waiting {
            since: Timestamp::from_millis(1),
            until: Timestamp::from_millis(until),
            attempt: 1,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn connection_line_shows_each_change_once() {
        let connecting = |last_failure: Option<&str>| ConnectionState::Connecting {
            last_failure: last_failure.map(str::to_owned),
        };
        let mut line = ConnectionLine::default();
        let steps = [
            (ConnectionState::Idle, None),
            (connecting(None), None),
            (
                waiting(5, "refused"),
                Some(json!({"session": "reconnecting", "reason": "refused", "retryAt": 5})),
            ),
            (connecting(Some("refused")), None),
            (
                waiting(9, "refused"),
                Some(json!({"session": "reconnecting", "reason": "refused", "retryAt": 9})),
            ),
            (
                ConnectionState::Ready,
                Some(json!({"session": "connected"})),
            ),
            (ConnectionState::Ready, None),
            (
                connecting(Some("lost")),
                Some(json!({"session": "reconnecting", "reason": "lost"})),
            ),
            (ConnectionState::Idle, Some(json!({"session": "idle"}))),
        ];
        for (state, expected) in steps {
            let shown = line.update(state).then(|| to_value(&line).unwrap());
            assert_eq!(shown, expected);
        }
    }
}
