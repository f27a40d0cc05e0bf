//! The response of a search, read line by line.

use serde_json::Value;

/// The meaning of a line.
#[derive(Debug, PartialEq)]
pub(crate) enum Line<T> {
    /// A result.
    Result(T),
    /// The end of the page. The next page starts at the cursor; without one this is the last page.
    End { cursor: Option<String> },
}

/// The reason why a stream is unreadable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamError {
    /// A line is longer than the limit.
    TooLong,
    /// It ended before or within its closing line.
    Cut,
}

/// Reads `{"data":[`, one result a line, from the second on behind a comma, and `],"cursor":"…"}`.
///
/// An unreadable result is skipped, so that it does not hide the others. Data after the last line
/// is ignored.
#[derive(Debug)]
pub(crate) struct SearchStream {
    buffer: Vec<u8>,
    /// The length of the start of the buffer that contains no line break.
    searched: usize,
    limit: usize,
    is_open: bool,
    is_done: bool,
}

impl SearchStream {
    /// Creates a stream whose lines have at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            searched: 0,
            limit,
            is_open: false,
            is_done: false,
        }
    }

    /// Handles a piece of the body. Returns its complete lines; `read` reads a result.
    pub(crate) fn push<T>(
        &mut self,
        chunk: &[u8],
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<Line<T>>, StreamError> {
        let mut lines = Vec::new();
        if self.is_done {
            return Ok(lines);
        }
        self.buffer.extend_from_slice(chunk);
        let mut start = 0;
        while let Some(length) = self.buffer[self.searched..]
            .iter()
            .position(|&b| b == b'\n')
        {
            let end = self.searched + length;
            if end - start > self.limit {
                return Err(StreamError::TooLong);
            }
            let line = read_line(&self.buffer[start..end], &mut self.is_open, &read)?;
            start = end + 1;
            self.searched = start;
            self.is_done |= matches!(line, Some(Line::End { .. }));
            lines.extend(line);
            if self.is_done {
                self.buffer = Vec::new();
                return Ok(lines);
            }
        }
        self.buffer.drain(..start);
        self.searched = self.buffer.len();
        if self.buffer.len() > self.limit {
            return Err(StreamError::TooLong);
        }
        Ok(lines)
    }

    /// Handles the end of the body. Returns the cursor in its last line, which has no line break,
    /// unless the end was in an earlier piece.
    pub(crate) fn finish(&mut self) -> Result<Option<Option<String>>, StreamError> {
        if self.is_done {
            return Ok(None);
        }
        match read_line(&self.buffer, &mut self.is_open, |_| None::<()>)? {
            Some(Line::End { cursor }) => Ok(Some(cursor)),
            Some(Line::Result(())) | None => Err(StreamError::Cut),
        }
    }
}

fn read_line<T>(
    line: &[u8],
    is_open: &mut bool,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Option<Line<T>>, StreamError> {
    let line = line.trim_ascii();
    if !*is_open {
        *is_open = line.first() == Some(&b'{');
        return Ok(None);
    }
    if line.starts_with(b"]") {
        let cursor = read_cursor(line)?;
        return Ok(Some(Line::End { cursor }));
    }
    let result = line.strip_prefix(b",").unwrap_or(line);
    Ok(read(result).map(Line::Result))
}

/// Reads the cursor in the line that closes the object: `]}` or `],"cursor":"…"}`. Ignores data
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

    fn value(line: &[u8]) -> Option<Value> {
        serde_json::from_slice(line).ok()
    }

    fn read(body: &str, chunk: usize) -> Result<Vec<Line<Value>>, StreamError> {
        let mut stream = SearchStream::new(1 << 20);
        let mut lines = Vec::new();
        for chunk in body.as_bytes().chunks(chunk) {
            lines.extend(stream.push(chunk, value)?);
        }
        lines.extend(stream.finish()?.map(|cursor| Line::End { cursor }));
        Ok(lines)
    }

    #[test]
    fn stream_in_pieces_reads_the_same_lines() {
        let whole = read(BODY, BODY.len());
        assert_eq!(whole.as_ref().map(Vec::len), Ok(3));
        assert_eq!(
            whole.as_ref().unwrap()[2],
            Line::End {
                cursor: Some("x y".to_owned())
            }
        );
        for size in 1..BODY.len() {
            assert_eq!(read(BODY, size), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn stream_without_cursor_is_the_last_page() {
        for end in ["]}", "]}\n", "],\"cursor\":null}", "]}\nmore", "]} more"] {
            let lines = read(&format!("{{\"data\":[\n{end}"), 7).unwrap();
            assert_eq!(lines, [Line::End { cursor: None }], "{end}");
        }
    }

    #[test]
    fn stream_unreadable_result_is_skipped() {
        let lines = read("{\"data\":[\n{\"n\":\n,{\"n\":2}\n]}", 9).unwrap();
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn stream_cut_anywhere_is_an_error() {
        for cut in 0..BODY.len() {
            assert_eq!(read(&BODY[..cut], 5), Err(StreamError::Cut), "cut at {cut}");
        }
    }

    #[test]
    fn stream_endless_line_is_too_long() {
        let mut stream = SearchStream::new(100);
        let chunk = [b'x'; 101];
        assert_eq!(stream.push(&chunk, value), Err(StreamError::TooLong));
    }

    #[test]
    fn stream_long_line_with_its_end_is_too_long() {
        let mut stream = SearchStream::new(100);
        let line = format!("{{\n{}\n", "x".repeat(101));
        let read = stream.push(line.as_bytes(), value);
        assert_eq!(read, Err(StreamError::TooLong));
    }
}
