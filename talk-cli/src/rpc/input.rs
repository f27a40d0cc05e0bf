//! Lines of input.

use std::io::{self, Read};
use std::thread;

use tokio::sync::mpsc;

use super::line::BadLine;

/// The longest accepted line in bytes. It equals the largest frame that a server accepts.
const MAX_LINE: usize = 16 << 20;

/// The size of the read buffer, which equals that of a pipe.
const READ_SIZE: usize = 64 << 10;

/// The maximum number of reads that wait for processing.
const WAITING_READS: usize = 4;

/// A line without its line ending.
pub(crate) type RawLine = Result<Vec<u8>, BadLine>;

/// Reads lines on a thread until the end of input. Lines that arrive together are returned
/// together.
pub(crate) fn start(
    mut source: impl Read + Send + 'static,
) -> io::Result<mpsc::Receiver<Vec<RawLine>>> {
    let (sender, lines) = mpsc::channel(WAITING_READS);
    thread::Builder::new().spawn(move || {
        let mut splitter = Splitter::default();
        let mut buffer = vec![0; READ_SIZE];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            let lines = match buffer.get(..count) {
                Some(read) if count > 0 => splitter.push(read),
                _ => splitter.finish(),
            };
            if !lines.is_empty() && sender.blocking_send(lines).is_err() {
                return;
            }
            if count == 0 {
                return;
            }
        }
    })?;
    Ok(lines)
}

/// Returns the message of the error of a line that is too long.
pub(crate) fn too_long() -> String {
    format!("the line is longer than {MAX_LINE} bytes")
}

/// Splits the input into lines.
#[derive(Default)]
pub(crate) struct Splitter {
    partial: Vec<u8>,
    /// Set while the current line is too long. Its bytes are discarded.
    skipping: bool,
}

impl Splitter {
    /// Returns the lines that end in `read`.
    pub(crate) fn push(&mut self, mut read: &[u8]) -> Vec<RawLine> {
        let mut lines = Vec::new();
        while let Some(end) = read.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = read.split_at(end);
            self.take(line);
            lines.push(self.end_line());
            read = rest.get(1..).unwrap_or_default();
        }
        self.take(read);
        lines
    }

    /// Returns the last line, which need not have a line ending.
    pub(crate) fn finish(&mut self) -> Vec<RawLine> {
        if self.partial.is_empty() && !self.skipping {
            return Vec::new();
        }
        vec![self.end_line()]
    }

    fn take(&mut self, piece: &[u8]) {
        if self.partial.len() + piece.len() > MAX_LINE {
            self.skipping = true;
            self.partial = Vec::new();
        }
        if !self.skipping {
            self.partial.extend_from_slice(piece);
        }
    }

    fn end_line(&mut self) -> RawLine {
        let line = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.skipping) {
            return Err(BadLine::too_long(too_long()));
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: Vec<RawLine>) -> Vec<String> {
        lines
            .into_iter()
            .map(|line| String::from_utf8(line.unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn splitter_returns_complete_lines() {
        let mut splitter = Splitter::default();
        assert_eq!(texts(splitter.push(b"one\ntwo\nthr")), ["one", "two"]);
        assert_eq!(texts(splitter.push(b"ee\n\nfour")), ["three", ""]);
        assert_eq!(texts(splitter.finish()), ["four"]);
        assert!(splitter.finish().is_empty());
    }

    #[test]
    fn splitter_long_line_is_one_error_without_memory() {
        let mut splitter = Splitter::default();
        let piece = vec![b'x'; MAX_LINE / 2 + 1];
        for _ in 0..4 {
            assert!(splitter.push(&piece).is_empty());
        }
        assert!(splitter.partial.is_empty());
        let lines = splitter.push(b"\nnext\n");
        assert!(lines[0].is_err());
        assert_eq!(lines[1].as_ref().unwrap(), b"next");
    }

    #[test]
    fn input_lines_of_one_read_are_returned_together() {
        let mut lines = start(&b"a\nb\nc"[..]).unwrap();
        assert_eq!(texts(lines.blocking_recv().unwrap()), ["a", "b"]);
        assert_eq!(texts(lines.blocking_recv().unwrap()), ["c"]);
        assert!(lines.blocking_recv().is_none());
    }
}
