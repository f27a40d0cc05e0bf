//! Serves the counters and connection states of sessions in the text format of Prometheus.
//!
//! ```text
//! cargo run -p talk-examples --bin metrics -- 127.0.0.1:4000
//! curl http://127.0.0.1:9000/metrics
//! ```

use std::env;
use std::fmt::Write;

use axum::Router;
use axum::routing::get;
use talk_tokio::{ConnectionState, Counters, Session, TalkOptions, get_talk_session};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = env::args().nth(1).ok_or("usage: metrics HOST:PORT")?;
    let sessions = ["alice", "bob"].map(|user| {
        let options = TalkOptions::new("my_app", user)?.host(&host);
        Ok::<_, talk_tokio::Error>(get_talk_session(options)?)
    });
    let sessions: Vec<Session> = sessions.into_iter().collect::<Result<_, _>>()?;
    // Subscriptions keep the sessions connected.
    let _subscriptions: Vec<_> = sessions
        .iter()
        .map(|session| session.subscribe_conversations(None))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:9000").await?;
    Ok(serve(listener, sessions).await?)
}

pub(crate) async fn serve(listener: TcpListener, sessions: Vec<Session>) -> std::io::Result<()> {
    let metrics = get(async move || render(&sessions));
    axum::serve(listener, Router::new().route("/metrics", metrics)).await
}

/// The name, the help text and the value of each counter.
type Metric = (&'static str, &'static str, fn(&Counters) -> u64);

const METRICS: [Metric; 5] = [
    (
        "talk_bytes_received_total",
        "Bytes of received frames.",
        |it| it.bytes_received,
    ),
    ("talk_bytes_sent_total", "Bytes of sent frames.", |it| {
        it.bytes_sent
    }),
    (
        "talk_reconnects_total",
        "Connection attempts after a loss.",
        |it| it.reconnects,
    ),
    (
        "talk_retries_total",
        "Requests that were sent again.",
        |it| it.retries,
    ),
    (
        "talk_token_refreshes_total",
        "Tokens sent on an open connection.",
        |it| it.token_refreshes,
    ),
];

pub(crate) fn render(sessions: &[Session]) -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    for (name, help, value) in METRICS {
        line(format_args!("# HELP {name} {help}"));
        line(format_args!("# TYPE {name} counter"));
        for session in sessions {
            let (user, value) = (session.user_id(), value(&session.counters()));
            line(format_args!("{name}{{user={:?}}} {value}", user.as_str()));
        }
    }
    line(format_args!(
        "# HELP talk_connected 1 while the session is connected."
    ));
    line(format_args!("# TYPE talk_connected gauge"));
    for session in sessions {
        let connected = u8::from(session.connection_state() == ConnectionState::Ready);
        let user = session.user_id().as_str();
        line(format_args!("talk_connected{{user={user:?}}} {connected}"));
    }
    text
}
