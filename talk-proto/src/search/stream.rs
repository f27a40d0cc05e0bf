//! The response of a search, read line by line.

use serde_json::Value;

/// The reason why a stream is unreadable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamError {
    /// The response has more results or bytes than a page may have.
    TooLarge,
    /// The response ended before its closing line was complete.
    Cut,
}

/// The bounds of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageLimits {
    /// The requested number of results. Unreadable ones are counted.
    pub(crate) results: usize,
    pub(crate) bytes: usize,
}

/// A line reader for the response of a search.
///
/// The first line is `{"data":[`. Each following line is one result, with a leading comma from the
/// second result on. The last line is `],"cursor":"…"}`. Data after the last line is ignored.
#[derive(Debug)]
pub(crate) struct SearchStream {
    buffer: Vec<u8>,
    /// The length of the buffer's prefix that is known to contain no line break.
    searched: usize,
    /// The number of results and bytes that may still arrive.
    room: PageLimits,
    is_open: bool,
    /// The cursor of the next page, once the last line is received.
    end: Option<Option<String>>,
}

impl SearchStream {
    pub(crate) fn new(limits: PageLimits) -> Self {
        Self {
            buffer: Vec::new(),
            searched: 0,
            room: limits,
            is_open: false,
            end: None,
        }
    }

    /// Returns the cursor of the next page once the last line is received. The last page has no
    /// cursor.
    pub(crate) fn end(&self) -> Option<Option<&str>> {
        self.end.as_ref().map(Option::as_deref)
    }

    /// Handles a part of the body. Passes each complete result to `result`.
    pub(crate) fn push(
        &mut self,
        chunk: &[u8],
        mut result: impl FnMut(&[u8]),
    ) -> Result<(), StreamError> {
        if self.end.is_some() {
            return Ok(());
        }
        let kept = &chunk[..chunk.len().min(self.room.bytes)];
        self.room.bytes -= kept.len();
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(kept);
        let mut start = 0;
        while let Some(length) = buffer[self.searched..].iter().position(|&b| b == b'\n') {
            let end = self.searched + length;
            self.read_line(&buffer[start..end], &mut result)?;
            if self.end.is_some() {
                return Ok(());
            }
            start = end + 1;
            self.searched = start;
        }
        if kept.len() < chunk.len() {
            return Err(StreamError::TooLarge);
        }
        buffer.drain(..start);
        self.searched = buffer.len();
        self.buffer = buffer;
        Ok(())
    }

    /// Handles the end of the body. The last line may have no line break.
    pub(crate) fn finish(&mut self) -> Result<(), StreamError> {
        let line = std::mem::take(&mut self.buffer);
        if self.end.is_none() && line.trim_ascii_start().starts_with(b"]") {
            self.read_line(&line, |_| {})?;
        }
        self.end.as_ref().map(|_| ()).ok_or(StreamError::Cut)
    }

    fn read_line(&mut self, line: &[u8], mut result: impl FnMut(&[u8])) -> Result<(), StreamError> {
        let line = line.trim_ascii();
        if !self.is_open {
            self.is_open = line.first() == Some(&b'{');
        } else if line.starts_with(b"]") {
            self.end = Some(read_cursor(line)?);
        } else if !line.is_empty() {
            self.room.results = (self.room.results)
                .checked_sub(1)
                .ok_or(StreamError::TooLarge)?;
            result(line.strip_prefix(b",").unwrap_or(line));
        }
        Ok(())
    }
}

/// Reads the cursor from the line that closes the object: `]}` or `],"cursor":"…"}`. Ignores data
/// after the object.
fn read_cursor(line: &[u8]) -> Result<Option<String>, StreamError> {
    let object = [b"{\"data\":[", line].concat();
    let mut values = serde_json::Deserializer::from_slice(&object).into_iter::<Value>();
    let Some(Ok(object)) = values.next() else {
        return Err(StreamError::Cut);
    };
    let cursor = object.get("cursor").and_then(Value::as_str);
    Ok(cursor.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "{\"data\":[\n{\"n\":1}\n,{\"n\":2}\n],\"cursor\":\"x y\"}";
    const LIMITS: PageLimits = PageLimits {
        results: 3,
        bytes: 100,
    };

    type Page = (Vec<String>, Result<Option<String>, StreamError>);

    /// Returns the results and the end of a body that arrives in chunks of this size.
    fn read(body: &str, chunk: usize) -> Page {
        let mut stream = SearchStream::new(LIMITS);
        let mut results = Vec::new();
        let mut push = |stream: &mut SearchStream, chunk: &[u8]| {
            stream.push(chunk, |line| {
                results.push(String::from_utf8_lossy(line).into_owned());
            })
        };
        let mut chunks = body.as_bytes().chunks(chunk);
        let read = chunks
            .try_for_each(|chunk| push(&mut stream, chunk))
            .and_then(|()| stream.finish());
        let end = read.map(|()| stream.end().flatten().map(str::to_owned));
        (results, end)
    }

    #[test]
    fn stream_in_pieces_reads_the_same_lines() {
        let whole = read(BODY, BODY.len());
        let results = [r#"{"n":1}"#, r#"{"n":2}"#].map(str::to_owned);
        assert_eq!(whole, (results.into(), Ok(Some("x y".to_owned()))));
        for size in 1..BODY.len() {
            assert_eq!(read(BODY, size), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn stream_without_cursor_is_the_last_page() {
        for end in ["]}", "]}\n", "],\"cursor\":null}", "]}\nmore", "]} more"] {
            let page = read(&format!("{{\"data\":[\n{end}"), 7);
            assert_eq!(page, (vec![], Ok(None)), "{end}");
        }
    }

    #[test]
    fn stream_cut_anywhere_is_an_error() {
        for cut in 0..BODY.len() {
            assert_eq!(
                read(&BODY[..cut], 5).1,
                Err(StreamError::Cut),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn stream_with_too_many_results_passes_the_allowed_ones() {
        let body = format!("{{\n{}", "0\n".repeat(40));
        for size in 1..body.len() {
            let (results, end) = read(&body, size);
            assert_eq!((results.len(), end), (3, Err(StreamError::TooLarge)));
        }
    }

    #[test]
    fn stream_with_too_many_bytes_is_too_large() {
        for endless in ["x", "\n", " \n", "{\n]", "{", "{\n]\u{7f}"] {
            let body = endless.repeat(101);
            for size in [1, 7, body.len()] {
                let (_, end) = read(&body, size);
                assert!(end.is_err(), "{endless:?} in pieces of {size}");
            }
        }
        assert_eq!(read(&"\n".repeat(101), 3).1, Err(StreamError::TooLarge));
    }
}
