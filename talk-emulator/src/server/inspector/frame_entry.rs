//! Frames as the log stores them. The log stores the frames of all connections, and few of them are
//! read, so the rest of a [`RecordedFrame`] is made for its reader.

use std::num::NonZero;
use std::sync::Arc;

use talk_proto::Timestamp;

use super::frame::{FrameDirection, FrameKind, RecordedFrame, RequestLine, cut};
use super::text_ring::TextRing;
use crate::server::output::ConnectionId;

/// A frame of a connection. Its text is in a [`TextRing`], followed by the method and the path of a
/// request.
///
/// It has 128 bytes, up to which the compiler moves it without a call of `memcpy`. Frames are moved
/// several times, which was a third of the instructions of their recording.
#[derive(Debug)]
pub(super) struct FrameEntry {
    pub(super) head: FrameHead,
    position: u64,
    text: u32,
    is_cut: bool,
    /// The lengths of the method and the path.
    line: Option<(u32, u32)>,
}

/// The properties of a frame besides its text.
#[derive(Debug)]
pub(super) struct FrameHead {
    pub(super) at: Timestamp,
    pub(super) connection: ConnectionId,
    pub(super) app: Arc<str>,
    pub(super) user: Arc<str>,
    pub(super) direction: FrameDirection,
    pub(super) kind: FrameKind,
    pub(super) id: Option<u64>,
    pub(super) response: Option<ResponseHead>,
    /// The length of the frame.
    pub(super) bytes: u32,
}

/// The properties of a response.
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    /// The time since the request in milliseconds.
    pub(super) ms: u32,
    /// The number of the event of the request.
    pub(super) request: Option<NonZero<u64>>,
}

impl FrameEntry {
    /// Stores the text of a frame, which is masked, and the line of a request.
    pub(super) fn new(
        texts: &mut TextRing,
        head: FrameHead,
        text: &str,
        line: Option<(&str, &str)>,
    ) -> Self {
        let position = texts.end();
        let shown = push(texts, text);
        let line = line.map(|(method, path)| (push(texts, method), push(texts, path)));
        Self {
            head,
            position,
            text: shown,
            is_cut: (shown as usize) < text.len(),
            line,
        }
    }

    /// Returns the number of bytes in the ring.
    pub(super) fn text_size(&self) -> usize {
        let line = self.line.map_or(0, |(method, path)| method + path);
        (self.text + line) as usize
    }

    pub(super) fn line(&self, texts: &TextRing) -> Option<RequestLine> {
        let (method, path) = self.line?;
        let position = self.position + u64::from(self.text);
        Some(RequestLine {
            method: texts.get(position, method),
            path: texts.get(position + u64::from(method), path),
        })
    }

    /// Returns the frame. `request` is the line of its request.
    pub(super) fn read(
        &self,
        number: u64,
        texts: &TextRing,
        request: Option<RequestLine>,
    ) -> RecordedFrame {
        let head = &self.head;
        RecordedFrame {
            n: number,
            at: head.at,
            connection: Some(head.connection),
            app: head.app.clone(),
            user: Some(head.user.clone()),
            direction: head.direction,
            kind: head.kind,
            id: head.id,
            request,
            status: head.response.as_ref().map(|it| it.status),
            ms: head.response.as_ref().map(|it| it.ms.into()),
            bytes: head.bytes as usize,
            text: texts.get(self.position, self.text),
            cut: self.is_cut,
        }
    }
}

/// Stores the first 64 KiB of a string, and returns their length.
fn push(texts: &mut TextRing, text: &str) -> u32 {
    let shown = cut(text);
    texts.push(shown);
    length(shown)
}

/// Returns the length of a string that is shorter than 4 GiB.
pub(super) fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::FrameEntry;

    #[test]
    fn frame_entry_is_moved_without_memcpy() {
        assert!(size_of::<FrameEntry>() <= 128);
    }
}
