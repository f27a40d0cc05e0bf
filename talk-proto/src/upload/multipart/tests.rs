//! Forms: names, media types and fields.

use super::*;

fn form(upload: &Upload) -> (String, String) {
    let form = Form::new(upload, &mut Rng::with_seed(1));
    let (_, boundary) = form.content_type.split_once("boundary=").unwrap();
    let text = |bytes: &Bytes| {
        String::from_utf8(bytes.to_vec())
            .unwrap()
            .replace(boundary, "BOUNDARY")
    };
    (text(&form.preamble), text(&form.epilogue))
}

#[test]
fn filename_with_quotes_and_breaks_is_escaped() {
    let upload = Upload::new(UploadKind::File, "a\"b\r\né/x\\.txt", 3);
    let (preamble, epilogue) = form(&upload);
    assert_eq!(
        preamble,
        "--BOUNDARY\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0Aé/x\\.txt\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
    );
    assert_eq!(epilogue, "\r\n--BOUNDARY--\r\n");
}

/// Browsers escape no percent sign, so that a server stores `100%.txt` under this name.
#[test]
fn filename_percent_signs_are_not_escaped() {
    for name in ["100%.txt", "a%22b.txt", "%", "%0D%0A"] {
        let (preamble, _) = form(&Upload::new(UploadKind::File, name, 3));
        assert!(
            preamble.contains(&format!("filename=\"{name}\"\r\n")),
            "{preamble}"
        );
    }
}

#[test]
fn metadata_follows_the_file_in_published_order() {
    let kind = UploadKind::Video {
        width: Some(1.0),
        height: Some(2.0),
        duration: Some(1.5),
    };
    let (_, epilogue) = form(&Upload::new(kind, "v.mp4", 3));
    let names: Vec<_> = epilogue.split("name=\"").skip(1).collect();
    let values = [
        "subtype\"\r\n\r\nvideo",
        "width\"\r\n\r\n1",
        "height\"\r\n\r\n2",
    ];
    for (part, start) in names.iter().zip(values) {
        assert!(part.starts_with(start), "{part}");
    }
    assert!(names[3].starts_with("duration\"\r\n\r\n1.5\r\n"));
}

#[test]
fn media_type_with_a_line_break_is_replaced() {
    let upload = Upload::new(UploadKind::File, "x", 3).content_type("text/plain\r\nX: y");
    assert!(
        form(&upload)
            .0
            .contains("Content-Type: application/octet-stream\r\n")
    );
}
