use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use talk_proto::Timestamp;

use super::event::{InspectorEvent, InspectorEventBody};
use super::frame::RequestLine;
use super::frame_entry::{FrameEntry, FrameHead};
use super::text_ring::TextRing;
use crate::server::machine::Server;

/// The maximum number of events in the log, and of their bytes.
const MAX_EVENTS: usize = 5000;
const MAX_BYTES: usize = 8 << 20;

/// Events of the log of an inspector.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectorEvents {
    /// The events, oldest first.
    pub events: Vec<Arc<InspectorEvent>>,
    /// The number of events that came before and are no longer in the log. All events while nothing
    /// was recorded count as one.
    pub dropped: u64,
    /// Set if older events than the requested ones are part of the result, because the log was
    /// started after them.
    pub is_restarted: bool,
}

/// The latest events. It is empty and records nothing unless it is on.
#[derive(Debug, Default)]
pub(in crate::server) struct EventLog {
    is_on: bool,
    /// The time at which the log is turned off.
    until: Option<Timestamp>,
    events: VecDeque<Entry>,
    /// The texts of the frames.
    texts: TextRing,
    bytes: usize,
    last: u64,
    /// The number of the last event that was returned.
    last_returned: u64,
    /// The last change of the data of each app.
    data: BTreeMap<String, u64>,
}

/// An event in the log.
#[derive(Debug)]
enum Entry {
    Frame(FrameEntry),
    Event(Arc<InspectorEvent>),
}

impl EventLog {
    pub(in crate::server) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Ends the recording. The next number stands for the events that are not recorded, so that a
    /// reader of earlier events finds a gap.
    fn turn_off(&mut self) {
        *self = Self {
            last: self.last + 1,
            ..Self::default()
        };
    }

    /// Adds the event that `event` returns for its number.
    pub(in crate::server) fn push(
        &mut self,
        now: Timestamp,
        event: impl FnOnce(u64) -> InspectorEventBody,
    ) {
        if !self.begin(now) {
            return;
        }
        let event = InspectorEvent {
            number: self.last,
            body: event(self.last),
        };
        self.add(Entry::Event(Arc::new(event)));
    }

    /// Adds a frame with its masked content, and with the method and the path of a request. Returns
    /// the number of the event.
    pub(super) fn push_frame(
        &mut self,
        head: FrameHead,
        text: &str,
        line: Option<(&str, &str)>,
    ) -> Option<u64> {
        if !self.begin(head.at) {
            return None;
        }
        let frame = FrameEntry::new(&mut self.texts, head, text, line);
        self.add(Entry::Frame(frame));
        Some(self.last)
    }

    /// Takes the number of a new event. Returns `false` if none is recorded.
    fn begin(&mut self, now: Timestamp) -> bool {
        if !self.is_on {
            return false;
        }
        if self.until.is_some_and(|until| until <= now) {
            self.turn_off();
            return false;
        }
        self.last += 1;
        true
    }

    fn add(&mut self, entry: Entry) {
        self.bytes += entry.size();
        self.events.push_back(entry);
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.events.pop_front() else {
                return;
            };
            self.bytes -= oldest.size();
            if let Entry::Frame(frame) = &oldest {
                self.texts.remove(frame.text_size());
            }
        }
    }

    /// Adds the event that the data of an app has changed, unless there is one that was not
    /// returned yet.
    pub(in crate::server) fn push_data(&mut self, now: Timestamp, app: Option<&str>) {
        if !self.is_on {
            return;
        }
        let key = app.unwrap_or_default();
        let noted = self.data.get(key).copied().unwrap_or(0);
        if noted <= self.last_returned || noted < self.first() {
            let app = app.map(str::to_owned);
            self.push(now, |_| InspectorEventBody::Data { app });
            self.data.insert(key.to_owned(), self.last);
        }
    }

    /// Iterates over the entries with higher numbers, and their numbers.
    fn after(&self, number: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let first = number.max(self.first() - 1) + 1;
        let skip = usize::try_from(first - self.first()).unwrap_or(usize::MAX);
        (first..).zip(self.events.range(skip.min(self.events.len())..))
    }

    /// Returns the number of the oldest event in the log, or of the next one.
    fn first(&self) -> u64 {
        self.last + 1 - self.events.len() as u64
    }

    fn select(
        &self,
        number: u64,
        max: usize,
        is_selected: impl Fn(&Entry) -> bool,
    ) -> InspectorEvents {
        let is_restarted = number > self.last;
        let number = if is_restarted { 0 } else { number };
        let entries = self.after(number);
        let entries = entries.filter(|(_, entry)| is_selected(entry)).take(max);
        InspectorEvents {
            events: entries.map(|it| self.read(it)).collect(),
            dropped: (self.first() - 1).saturating_sub(number),
            is_restarted,
        }
    }

    /// Returns the event of an entry.
    fn read(&self, (number, entry): (u64, &Entry)) -> Arc<InspectorEvent> {
        let frame = match entry {
            Entry::Event(event) => return event.clone(),
            Entry::Frame(frame) => frame,
        };
        let request = frame.head.response.as_ref().and_then(|it| it.request);
        let line = match request {
            Some(request) => self.line(request.get()),
            None => frame.line(&self.texts),
        };
        let frame = frame.read(number, &self.texts, line);
        let body = InspectorEventBody::Frame(frame);
        Arc::new(InspectorEvent { number, body })
    }

    /// Returns the line of a request that the log still has.
    fn line(&self, number: u64) -> Option<RequestLine> {
        match self.after(number - 1).next() {
            Some((found, Entry::Frame(frame))) if found == number => frame.line(&self.texts),
            _ => None,
        }
    }
}

impl Entry {
    fn is_frame(&self) -> bool {
        match self {
            Self::Frame(_) => true,
            Self::Event(event) => matches!(event.body, InspectorEventBody::Frame(_)),
        }
    }

    /// Returns the approximate memory use.
    fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Frame(frame) => frame.text_size(),
                Self::Event(event) => match &event.body {
                    InspectorEventBody::Frame(frame) => frame.size(),
                    _ => size_of::<InspectorEvent>(),
                },
            }
    }
}

impl Server {
    /// Records the events for an inspector from now on: at most 5,000 of them and 8 MiB. A server
    /// records none by default.
    ///
    /// Call this for each new reader: later changes of data are then events, even if an earlier
    /// reader has not read those of the same app.
    pub fn record_events(&mut self) {
        let log = &mut self.inspector;
        log.is_on = true;
        log.until = None;
        log.last_returned = log.last;
    }

    /// Ends the recording after this time. The log is discarded then.
    pub fn record_events_for(&mut self, now: Timestamp, time: Duration) {
        if self.inspector.is_on {
            self.inspector.until = Some(now.max(self.now) + time);
        }
    }

    /// Returns `true` if events are recorded.
    pub fn is_recording_events(&self) -> bool {
        let is_over = |until: Timestamp| until <= self.now;
        self.inspector.is_on && !self.inspector.until.is_some_and(is_over)
    }

    /// Returns the number of the last event.
    pub fn last_event(&self) -> u64 {
        self.inspector.last
    }

    /// Returns up to `max` events with a higher number, oldest first. A number above the last one
    /// is of an earlier server, and counts as 0.
    pub fn events_after(&mut self, number: u64, max: usize) -> InspectorEvents {
        let events = self.inspector.select(number, max, |_| true);
        if let Some(last) = events.events.last() {
            let log = &mut self.inspector;
            log.last_returned = log.last_returned.max(last.number);
        }
        events
    }

    /// Returns up to `max` frames with a higher number, like [`Self::events_after`]. The changes of
    /// data between them do not count as returned.
    pub fn frames_after(&self, number: u64, max: usize) -> InspectorEvents {
        self.inspector.select(number, max, Entry::is_frame)
    }

    /// Adds the event that the clock was advanced.
    pub fn note_clock(&mut self) {
        let now = self.now;
        self.inspector
            .push(now, |_| InspectorEventBody::Clock { now });
    }
}
