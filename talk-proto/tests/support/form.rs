//! A reader of multipart forms with files (RFC 7578), as servers implement it.

use std::collections::BTreeMap;

use talk_proto::upload::{Upload, UploadKind};

/// A part of a form.
#[derive(Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// The name exactly as written between its quotes.
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Returns the parts of a form. Panics if the form is malformed.
pub(crate) fn parts(content_type: &str, form: &[u8]) -> Vec<Part> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=");
    let boundary = boundary.expect("a form says its boundary");
    assert!((1..=70).contains(&boundary.len()), "{boundary}");
    let mut rest = form
        .strip_prefix(format!("--{boundary}").as_bytes())
        .expect("a form starts with its boundary");
    let mut parts = Vec::new();
    while rest != b"--\r\n" {
        let part = rest.strip_prefix(b"\r\n").expect("a boundary ends a line");
        let (part, after) = split(part, format!("\r\n--{boundary}").as_bytes());
        parts.push(part_of(part));
        rest = after;
    }
    parts
}

/// Panics unless a server reads the original upload from the form.
pub(crate) fn check(upload: &Upload, bytes: &[u8], content_type: &str, form: &[u8]) {
    let parts = parts(content_type, form);
    let [file, fields @ ..] = parts.as_slice() else {
        panic!("a form without parts");
    };
    assert_eq!((file.name.as_str(), file.body.as_slice()), ("file", bytes));
    let filename = file.filename.as_deref().expect("a file has a name");
    // The encoding of browsers is ambiguous: a name may contain the text of an escape.
    assert_eq!(unescape(filename), unescape(&upload.filename));
    assert_eq!(file.content_type.as_deref(), Some(media_type(upload)));
    let text = |part: &Part| String::from_utf8(part.body.clone()).expect("a field is UTF-8");
    let mut fields = fields.iter();
    let (subtype, numbers) = expected_fields(&upload.kind);
    if let Some(subtype) = subtype {
        let field = fields.next().expect("the subtype is present");
        assert_eq!(
            (field.name.as_str(), text(field).as_str()),
            ("subtype", subtype)
        );
    }
    for (name, number) in numbers {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            let field = fields.next().expect("a number is present");
            assert_eq!(
                (field.name.as_str(), text(field).parse()),
                (name, Ok(number))
            );
        }
    }
    assert_eq!(fields.next(), None);
}

/// Returns the media type, or the default if it does not fit in a header.
fn media_type(upload: &Upload) -> &str {
    let fits =
        |text: &&str| !text.is_empty() && text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    let given = upload.content_type.as_deref().filter(fits);
    given.unwrap_or("application/octet-stream")
}

type Fields = (Option<&'static str>, Vec<(&'static str, Option<f64>)>);

fn expected_fields(kind: &UploadKind) -> Fields {
    match *kind {
        UploadKind::File => (None, vec![]),
        UploadKind::Image { width, height } => {
            (Some("image"), vec![("width", width), ("height", height)])
        }
        UploadKind::Video {
            width,
            height,
            duration,
        } => {
            let numbers = vec![("width", width), ("height", height), ("duration", duration)];
            (Some("video"), numbers)
        }
        UploadKind::Audio { duration } => (Some("audio"), vec![("duration", duration)]),
        UploadKind::Voice { duration } => (Some("voice"), vec![("duration", duration)]),
        _ => panic!("an unknown kind of file"),
    }
}

/// Decodes a quoted name as a server does, in the encoding of browsers.
pub(crate) fn unescape(filename: &str) -> String {
    let unescaped = filename.replace("%22", "\"");
    unescaped.replace("%0D", "\r").replace("%0A", "\n")
}

fn part_of(part: &[u8]) -> Part {
    let (head, body) = split(part, b"\r\n\r\n");
    let head = std::str::from_utf8(head).expect("headers are UTF-8");
    let headers = head.split("\r\n").map(|line| {
        let (name, value) = line.split_once(": ").expect("a header has a value");
        (name.to_ascii_lowercase(), value)
    });
    let mut headers: BTreeMap<_, _> = headers.collect();
    let disposition = headers.remove("content-disposition");
    let disposition = disposition.expect("a part says what it is");
    let quoted = disposition.strip_prefix("form-data; name=\"");
    let (name, rest) = quoted
        .and_then(|rest| rest.split_once('"'))
        .expect("a part of a form has a name");
    let filename = rest.strip_prefix("; filename=\"").map(|rest| {
        let (filename, rest) = rest.split_once('"').expect("quotes are closed");
        assert_eq!(rest, "", "nothing follows the name of the file");
        filename.to_owned()
    });
    let content_type = headers.remove("content-type").map(str::to_owned);
    assert!(headers.is_empty(), "{headers:?}");
    Part {
        name: name.to_owned(),
        filename,
        content_type,
        body: body.to_owned(),
    }
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> (&'a [u8], &'a [u8]) {
    let mut places = bytes.windows(at.len());
    let place = places.position(|window| window == at);
    let place = place.expect("a form is complete");
    (&bytes[..place], &bytes[place + at.len()..])
}
