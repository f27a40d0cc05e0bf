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
use tokio::time::{Instant, sleep_until, timeout};

use super::control::Query;
use super::engine::{Core, Engine, Stopped};
use super::refusal::Refusal;
use super::state::Shell;
use crate::server::InspectorEvents;

/// The interval of the live events, and their maximum number in it. Writing an event costs more
/// than recording it, and a busy emulator records far more of them than a person reads. The others
/// follow in later intervals while the log has them.
const INTERVAL: Duration = Duration::from_millis(100);
const MAX_IN_INTERVAL: usize = 25;

/// The time between live events is at least this many times as long as writing them, so that a slow
/// machine writes fewer of them, and at most `MAX_INTERVAL`.
const PAUSE_FACTOR: u32 = 100;
const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// The time after which a comment line shows that the stream is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The number of earlier events that are taken from the log together.
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
        live_after: last,
        not_before: Instant::now(),
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
            let events = core.server.frames_after(after, limit.saturating_add(1));
            let end = core.server.last_event();
            (events, core.server.is_recording_events(), end)
        })
        .await?;
    let has_more = events.events.len() > limit;
    let page: Vec<_> = events.events.iter().take(limit).collect();
    let last = page.last().map_or(after, |event| event.number);
    let frames: Vec<_> = page.into_iter().map(|event| &event.body).collect();
    Ok(Json(json!({
        "frames": frames,
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
    /// The number of the last event before the stream began. Earlier events are sent at once.
    live_after: u64,
    /// The time of the next events.
    not_before: Instant,
    /// The text to send next.
    next: Option<Bytes>,
}

impl EventStream {
    async fn next(mut self) -> Option<(Result<Bytes, Stopped>, Self)> {
        if let Some(next) = self.next.take() {
            return Some((Ok(next), self));
        }
        loop {
            sleep_until(self.not_before).await;
            self.news.mark_unchanged();
            let after = self.after;
            let is_live = after >= self.live_after;
            let max = if is_live { MAX_IN_INTERVAL } else { CHUNK };
            let take = move |core: &mut Core, _| {
                let events = core.server.events_after(after, max);
                (events, core.server.last_event())
            };
            let (events, last) = self.engine.call(take).await.ok()?;
            // There may be a gap and no event after it yet.
            if !events.events.is_empty() || has_gap(&events) {
                self.after = events.events.last().map_or(last, |event| event.number);
                let began = Instant::now();
                let text = text_of(&events);
                if is_live {
                    let pause = began.elapsed() * PAUSE_FACTOR;
                    self.not_before = began + pause.clamp(INTERVAL, MAX_INTERVAL);
                }
                return Some((Ok(text), self));
            }
            match timeout(KEEP_ALIVE, self.news.changed()).await {
                // Events of a moment are sent together.
                Ok(Ok(())) => self.not_before = Instant::now() + INTERVAL,
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
