//! Frames: a frame is a WebSocket message that contains a JSON array.

use std::fmt;
use std::fmt::Write as _;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::event_json::{EventError, EventSeed, Names, Published, read_event};
use super::request::Request;

/// A frame from the server. The body of an answer stays unparsed.
#[derive(Debug)]
pub(crate) enum ServerFrame<'a> {
    /// The answer to request `seq` of this connection.
    Answer {
        seq: u64,
        status: u16,
        body: Option<&'a RawValue>,
    },
    /// Events that are applied as one step.
    Publish { number: u64, events: Vec<Published> },
}

/// A reader of frames, with allocations that are reused for the next frame.
#[derive(Default)]
pub(crate) struct FrameReader {
    names: Names,
    /// The reused list of events.
    events: Vec<Published>,
}

impl FrameReader {
    /// Reads a frame; returns `None` if its shape is unknown. A frame whose events are all valid is
    /// read in one pass. Otherwise the events are read one by one, so that a malformed event does
    /// not affect the others.
    pub(crate) fn read<'a>(&mut self, text: &'a str) -> Option<ServerFrame<'a>> {
        self.try_read(text, false)
            .or_else(|| self.try_read(text, true))
    }

    fn try_read<'a>(&mut self, text: &'a str, one_by_one: bool) -> Option<ServerFrame<'a>> {
        let mut json = serde_json::Deserializer::from_str(text);
        let visitor = FrameVisitor {
            one_by_one,
            names: &mut self.names,
            events: std::mem::take(&mut self.events),
        };
        let frame = json.deserialize_seq(visitor);
        frame.and_then(|frame| json.end().map(|()| frame)).ok()
    }

    /// Takes the list of a publish's events back, to reuse its allocation.
    pub(crate) fn take_back(&mut self, mut events: Vec<Published>) {
        events.clear();
        self.events = events;
    }

    /// Releases the memory of the cache and the list.
    pub(crate) fn release_memory(&mut self) {
        *self = Self::default();
    }
}

/// The first two elements of a frame, which are also read from frames that are too large.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameHead {
    /// The answer to request `seq`.
    Answer { seq: u64 },
    /// Publish `number`.
    Publish { number: u64 },
}

impl FrameHead {
    /// Reads the first two elements, even if the status is invalid. Returns `None` if their shape
    /// is unknown.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.trim_start().strip_prefix('[')?.trim_start();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = rest.strip_suffix(after)?.parse().ok()?;
        let second = after.trim_start().strip_prefix(',')?.trim_start();
        if second.starts_with("\"PUBLISH\"") {
            Some(Self::Publish { number })
        } else {
            let status = second.strip_prefix('"').unwrap_or(second);
            let is_number = status.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            (is_number || second.starts_with("null")).then_some(Self::Answer { seq: number })
        }
    }
}

struct FrameVisitor<'n> {
    /// Set if every event is extracted as raw JSON before it is read.
    one_by_one: bool,
    names: &'n mut Names,
    events: Vec<Published>,
}

impl<'de> Visitor<'de> for FrameVisitor<'_> {
    type Value = ServerFrame<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[number, status, body] or [number, \"PUBLISH\", event…]")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
        let number: u64 = seq
            .next_element()?
            .ok_or_else(|| A::Error::custom("empty"))?;
        let second = seq
            .next_element()?
            .ok_or_else(|| A::Error::custom("too short"))?;
        match second {
            Second::Status(status) => {
                let body = seq.next_element()?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ServerFrame::Answer {
                    seq: number,
                    status,
                    body,
                })
            }
            Second::Publish => {
                while let Some(event) = self.next_event(&mut seq)? {
                    self.events.push(event);
                }
                let events = self.events;
                Ok(ServerFrame::Publish { number, events })
            }
        }
    }
}

impl FrameVisitor<'_> {
    fn next_event<'de, A: SeqAccess<'de>>(
        &mut self,
        seq: &mut A,
    ) -> Result<Option<Published>, A::Error> {
        let names = &mut *self.names;
        if self.one_by_one {
            let event: Option<&RawValue> = seq.next_element()?;
            let Some((event, is_damaged)) = event.map(|event| read_event(event, names)) else {
                return Ok(None);
            };
            if is_damaged {
                self.events.push(Err(EventError::Malformed));
            }
            Ok(Some(event))
        } else {
            seq.next_element_seed(EventSeed { names })
        }
    }
}

/// The second element of a frame, which determines the kind of frame.
enum Second {
    Status(u16),
    Publish,
}

impl<'de> Deserialize<'de> for Second {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecondVisitor;

        impl Visitor<'_> for SecondVisitor {
            type Value = Second;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status or \"PUBLISH\"")
            }

            fn visit_u64<E: Error>(self, status: u64) -> Result<Second, E> {
                u16::try_from(status)
                    .map(Second::Status)
                    .map_err(|_| E::custom("not a status"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Second, E> {
                if text == "PUBLISH" {
                    Ok(Second::Publish)
                } else {
                    Err(E::custom("unknown"))
                }
            }
        }

        deserializer.deserialize_any(SecondVisitor)
    }
}

/// Returns the frame that sends `request` with number `seq` of its connection.
pub(crate) fn encode_request(seq: u64, request: &Request) -> String {
    let Request { method, path, data } = request;
    let mut frame = String::with_capacity(path.len() + data.len() + 40);
    // Writing to a String cannot fail. A path needs no escapes: it is percent-encoded.
    let _ = write!(frame, "[{seq},\"{method}\",\"{path}\",{data},{{}}]");
    frame
}

/// Returns the frame that acknowledges publish `number`.
pub(crate) fn encode_ack(number: u64) -> String {
    let mut frame = String::with_capacity(24);
    frame.push('[');
    frame.push_str(itoa::Buffer::new().format(number));
    frame.push_str(",\"ACK\"]");
    frame
}
