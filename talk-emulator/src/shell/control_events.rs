//! The control API: the events that an inspector shows.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::control::Query;
use super::engine::{Core, Engine, Stopped};
use super::refusal::Refusal;
use super::state::Shell;
use crate::server::{InspectorEventBody, InspectorEvents};

/// The time for which events are collected. One write sends them all.
const COLLECT: Duration = Duration::from_millis(50);

/// The time after which a comment line shows that the stream is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The number of events that are taken from the log together.
const CHUNK: usize = 500;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Streams a greeting, and the events from now on. With the header `Last-Event-ID` or the parameter
/// `after`, the later events of the log come first.
pub(crate) async fn events(
    State(shell): State<Shell>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::read(query, &["after"])?;
    let last_id = headers.get(LAST_EVENT_ID);
    let last_id = last_id.and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let after: Option<u64> = last_id.or(query.number("after")?);
    let engine = shell.engine;
    let (news, last) = engine.call(|core, _| core.watch_events()).await?;
    let hello = json!({ "instance": shell.instance, "last": last, "recording": true });
    let stream = EventStream {
        engine,
        news,
        after: after.unwrap_or(last),
        next: Some(format!("event: hello\ndata: {hello}\n\n").into()),
    };
    let body = Body::from_stream(unfold(stream, EventStream::next));
    Ok(([(CONTENT_TYPE, "text/event-stream")], body).into_response())
}

/// Returns frames of the log.
pub(crate) async fn frames(
    State(shell): State<Shell>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = Query::read(query, &["after", "limit"])?;
    let after = query.number("after")?.unwrap_or(0);
    let limit = query.limit(CHUNK)?;
    let engine = &shell.engine;
    let (events, is_recording, end) = engine
        .call(move |core, _| {
            let events = core.server.events_after(after, usize::MAX);
            let end = core.server.last_event();
            (events, core.server.is_recording_events(), end)
        })
        .await?;
    let all = events.events.iter();
    let mut frames = all.filter_map(|event| match &event.body {
        InspectorEventBody::Frame(frame) => Some(frame),
        _ => None,
    });
    let page: Vec<_> = frames.by_ref().take(limit).collect();
    let has_more = frames.next().is_some();
    let last = page.last().map_or(after, |frame| frame.n);
    Ok(Json(json!({
        "frames": page,
        "last": if has_more { last } else { end },
        "dropped": events.dropped,
        "recording": is_recording,
        "instance": shell.instance,
    })))
}

struct EventStream {
    engine: Engine,
    /// Notified of new events. While there are receivers, the server records.
    news: watch::Receiver<u64>,
    after: u64,
    /// The text to send next.
    next: Option<Bytes>,
}

impl EventStream {
    async fn next(mut self) -> Option<(Result<Bytes, Stopped>, Self)> {
        if let Some(next) = self.next.take() {
            return Some((Ok(next), self));
        }
        loop {
            self.news.mark_unchanged();
            let after = self.after;
            let take = move |core: &mut Core, _| {
                let events = core.server.events_after(after, CHUNK);
                (events, core.server.last_event())
            };
            let (events, last) = self.engine.call(take).await.ok()?;
            // There may be a gap and no event after it yet.
            if !events.events.is_empty() || has_gap(&events) {
                self.after = events.events.last().map_or(last, |event| event.number);
                return Some((Ok(text_of(&events)), self));
            }
            match timeout(KEEP_ALIVE, self.news.changed()).await {
                Ok(Ok(())) => sleep(COLLECT).await,
                Ok(Err(_)) => return None,
                Err(_) => return Some((Ok(Bytes::from_static(b": alive\n\n")), self)),
            }
        }
    }
}

fn has_gap(events: &InspectorEvents) -> bool {
    events.dropped > 0 || events.is_restarted
}

/// Returns events in the format of server-sent events.
fn text_of(events: &InspectorEvents) -> Bytes {
    let mut text = Vec::new();
    if has_gap(events) {
        let gap = format!("event: gap\ndata: {{\"dropped\":{}}}\n\n", events.dropped);
        text.extend_from_slice(gap.as_bytes());
    }
    for event in &events.events {
        let head = format!("id: {}\nevent: {}\ndata: ", event.number, event.body.name());
        text.extend_from_slice(head.as_bytes());
        // Infallible: JSON in memory, with string keys. It has no line breaks.
        let _ = serde_json::to_writer(&mut text, &event.body);
        text.extend_from_slice(b"\n\n");
    }
    text.into()
}
