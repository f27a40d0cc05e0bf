//! The answer of a search, line by line as it comes.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a line says.
#[derive(Debug, PartialEq)]
pub(crate) enum Line<T> {
    /// One result.
    Result(T),
    /// That was all of this page. The next one starts at the cursor, if there is one.
    End { cursor: Option<String> },
}

/// Why a stream cannot be read on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamError {
    /// A line is longer than the limit.
    TooLong,
    /// It ended before the line that closes it, or in the middle of that line.
    Cut,
}

/// Reads `{"data":[`, one result a line, from the second on behind a comma, and `],"cursor":"…"}`.
///
/// A line that is no result of the wanted kind is skipped: one bad result does not hide the
/// others. What follows the last line does not matter.
#[derive(Debug)]
pub(crate) struct SearchStream {
    buffer: Vec<u8>,
    /// Bytes at the start of the buffer in which there is no line break.
    searched: usize,
    limit: usize,
    is_open: bool,
    is_done: bool,
}

impl SearchStream {
    /// A stream whose lines have at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            searched: 0,
            limit,
            is_open: false,
            is_done: false,
        }
    }

    /// Takes a piece of the body and gives what its complete lines say.
    pub(crate) fn push<T: DeserializeOwned>(
        &mut self,
        chunk: &[u8],
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
            let line = read_line(&self.buffer[start..end], &mut self.is_open)?;
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

    /// The body is complete: its last line has no line break.
    pub(crate) fn finish<T: DeserializeOwned>(&mut self) -> Result<Option<Line<T>>, StreamError> {
        if self.is_done {
            return Ok(None);
        }
        match read_line(&self.buffer, &mut self.is_open)? {
            Some(end @ Line::End { .. }) => Ok(Some(end)),
            Some(Line::Result(_)) | None => Err(StreamError::Cut),
        }
    }
}

fn read_line<T: DeserializeOwned>(
    line: &[u8],
    is_open: &mut bool,
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
    Ok(serde_json::from_slice(result).ok().map(Line::Result))
}

/// The cursor in the line that closes the object: `]}` or `],"cursor":"…"}`, whatever follows.
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

    fn read(body: &str, chunk: usize) -> Result<Vec<Line<Value>>, StreamError> {
        let mut stream = SearchStream::new(1 << 20);
        let mut lines = Vec::new();
        for chunk in body.as_bytes().chunks(chunk) {
            lines.extend(stream.push(chunk)?);
        }
        lines.extend(stream.finish()?);
        Ok(lines)
    }

    #[test]
    fn the_pieces_do_not_matter() {
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
    fn without_a_cursor_that_was_all() {
        for end in ["]}", "]}\n", "],\"cursor\":null}", "]}\nmore", "]} more"] {
            let lines = read(&format!("{{\"data\":[\n{end}"), 7).unwrap();
            assert_eq!(lines, [Line::End { cursor: None }], "{end}");
        }
    }

    #[test]
    fn a_result_that_is_none_is_skipped() {
        let lines = read("{\"data\":[\n{\"n\":\n,{\"n\":2}\n]}", 9).unwrap();
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn every_cut_is_noticed() {
        for cut in 0..BODY.len() {
            assert_eq!(read(&BODY[..cut], 5), Err(StreamError::Cut), "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut stream = SearchStream::new(100);
        let chunk = [b'x'; 101];
        assert_eq!(stream.push::<Value>(&chunk), Err(StreamError::TooLong));
    }

    #[test]
    fn a_line_that_is_too_long_is_given_up_also_when_it_comes_with_its_end() {
        let mut stream = SearchStream::new(100);
        let line = format!("{{\n{}\n", "x".repeat(101));
        let read = stream.push::<Value>(line.as_bytes());
        assert_eq!(read, Err(StreamError::TooLong));
    }
}
