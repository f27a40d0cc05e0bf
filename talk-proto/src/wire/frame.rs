//! Frames: one WebSocket text message, one JSON array.

use std::fmt;
use std::fmt::Write as _;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::request::Request;

/// A frame from the server, its payloads not yet read.
#[derive(Debug)]
pub(crate) enum ServerFrame<'a> {
    /// The answer to request `seq` of this connection.
    Answer {
        seq: u64,
        status: u16,
        body: Option<&'a RawValue>,
    },
    /// One or more events that are applied as one step.
    Publish {
        number: u64,
        events: Vec<&'a RawValue>,
    },
}

impl<'a> ServerFrame<'a> {
    /// Reads a frame; `None` when it has no known shape.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What the start of a frame tells of one that is too large to be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameHead {
    /// The answer to request `seq`.
    Answer { seq: u64 },
    /// Publish `number`.
    Publish { number: u64 },
}

impl FrameHead {
    /// Reads the first two elements; `None` when they have no known shape.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.trim_start().strip_prefix('[')?.trim_start();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = rest.strip_suffix(after)?.parse().ok()?;
        let second = after.trim_start().strip_prefix(',')?.trim_start();
        if second.starts_with("\"PUBLISH\"") {
            Some(Self::Publish { number })
        } else if second.starts_with(|c: char| c.is_ascii_digit()) {
            Some(Self::Answer { seq: number })
        } else {
            None
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ServerFrame<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FrameVisitor;

        impl<'de> Visitor<'de> for FrameVisitor {
            type Value = ServerFrame<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[number, status, body] or [number, \"PUBLISH\", event…]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                use serde::de::Error;
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
                        let mut events = Vec::with_capacity(1);
                        while let Some(event) = seq.next_element()? {
                            events.push(event);
                        }
                        Ok(ServerFrame::Publish { number, events })
                    }
                }
            }
        }

        deserializer.deserialize_seq(FrameVisitor)
    }
}

/// The second element of a frame, which tells its kind.
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

            fn visit_u64<E: serde::de::Error>(self, status: u64) -> Result<Second, E> {
                u16::try_from(status)
                    .map(Second::Status)
                    .map_err(|_| E::custom("not a status"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Second, E> {
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

/// The frame that carries `request` as number `seq` of its connection.
pub(crate) fn encode_request(seq: u64, request: &Request) -> String {
    let Request { method, path, data } = request;
    let mut frame = String::with_capacity(path.len() + data.len() + 40);
    // Writing to a String cannot fail. A path needs no escapes: it is percent-encoded.
    let _ = write!(frame, "[{seq},\"{method}\",\"{path}\",{data},{{}}]");
    frame
}

/// The frame that acknowledges publish `number`.
pub(crate) fn encode_ack(number: u64) -> String {
    format!("[{number},\"ACK\"]")
}
