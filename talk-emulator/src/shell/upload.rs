use std::future::pending;

use axum::Extension;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_DISPOSITION;

use super::engine::Stopped;
use super::fault::{ConnectionHandle, faulty_body};
use super::files::TempFile;
use super::refusal::{Refusal, into_response};
use super::state::Shell;
use crate::server::{FileMetadata, HttpFault, HttpRequest, UploadPermit, refusal_response};

/// The maximum length of a part without a file, in bytes. Such a part contains a number or a word.
const MAX_TEXT_PART: usize = 1024;

/// The media type of a file without one.
const ANY_BYTES: &str = "application/octet-stream";

/// Handles an upload: streams the contents to memory or a file, and checks the metadata with the
/// server.
pub(crate) async fn upload(
    State(shell): State<Shell>,
    Extension(connection): Extension<ConnectionHandle>,
    request: Request,
) -> Result<Response, Refusal> {
    let head = head(&request);
    let permit = shell
        .engine
        .call(move |core, now| core.server.begin_upload(now, &head))
        .await??;
    let Some(fault) = permit.fault else {
        let received = match receive(&shell, request, &permit).await {
            Ok(received) => received,
            Err(refusal) => return refuse(&shell, permit, refusal).await,
        };
        return store(shell, permit, received).await;
    };
    let (head, body) = request.into_parts();
    let (body, refused) = faulty_body(body, fault, connection.clone());
    let received = receive(&shell, Request::from_parts(head, body), &permit);
    tokio::select! {
        received = received => {
            let received = match received {
                Ok(received) => received,
                Err(refusal) => return refuse(&shell, permit, refusal).await,
            };
            let answer = store(shell, permit, received).await;
            if let HttpFault::Refuse { status, code, reason } = fault.fault {
                return Err(injected(status, code, reason));
            }
            // A slow upload has been delayed while its body arrived.
            if !matches!(fault.fault, HttpFault::Slow(_)) {
                connection.apply_fault(Some(fault.fault)).await;
            }
            answer
        }
        () = refused.wait() => match fault.fault {
            HttpFault::Refuse { status, code, reason } => {
                refuse(&shell, permit, injected(status, code, reason)).await
            }
            _ => pending().await,
        },
    }
}

/// Records a refusal, and returns it as the response.
async fn refuse(
    shell: &Shell,
    permit: UploadPermit,
    refusal: Refusal,
) -> Result<Response, Refusal> {
    let response = refusal.into_http();
    let recorded = response.clone();
    let note = shell
        .engine
        .call(move |core, now| core.server.note_refused_upload(now, &permit, &recorded));
    note.await?;
    Ok(into_response(response))
}

async fn receive(
    shell: &Shell,
    request: Request,
    permit: &UploadPermit,
) -> Result<(FileMetadata, TempFile), Refusal> {
    let file_data = shell.files.create_temp(&permit.token).await?;
    read_form(
        Multipart::from_request(request, &()).await?,
        permit,
        file_data,
    )
    .await
}

/// Stores a complete file. The task continues if the client disconnects, so that the server never
/// stores the metadata of a file without its contents.
async fn store(
    shell: Shell,
    permit: UploadPermit,
    (file, file_data): (FileMetadata, TempFile),
) -> Result<Response, Refusal> {
    let stored = tokio::spawn(async move {
        let arrived = file_data.finish().await?;
        let stored = shell
            .engine
            .call(move |core, now| core.server.finish_upload(now, &permit, file))
            .await??;
        shell.files.keep(stored.token, arrived);
        Ok(into_response(stored.response))
    });
    stored.await.map_err(|_| Refusal::from(Stopped))?
}

fn head(request: &Request) -> HttpRequest {
    let mut head = HttpRequest::new(Bytes::new());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.headers_mut() = request.headers().clone();
    head
}

async fn read_form(
    mut form: Multipart,
    permit: &UploadPermit,
    mut file_data: TempFile,
) -> Result<(FileMetadata, TempFile), Refusal> {
    let mut file = FileMetadata {
        filename: String::new(),
        size: 0,
        content_type: ANY_BYTES.to_owned(),
        subtype: None,
        width: None,
        height: None,
        duration: None,
    };
    let mut has_file = false;
    let mut name_part = None;
    while let Some(field) = form.next_field().await? {
        match field.name() {
            Some("file") => {
                if has_file {
                    return Err(invalid("The form has two parts named file."));
                }
                has_file = true;
                file.filename = filename(&field).unwrap_or_default();
                if let Some(content_type) = field.content_type() {
                    content_type.clone_into(&mut file.content_type);
                }
                file.size = read_file(field, permit.max_size, &mut file_data).await?;
            }
            Some("filename") => name_part = Some(read_text(field).await?),
            Some("subtype") => file.subtype = Some(read_text(field).await?),
            Some("width") => file.width = Some(read_number(field).await?),
            Some("height") => file.height = Some(read_number(field).await?),
            Some("duration") => file.duration = Some(read_number(field).await?),
            _ => {}
        }
    }
    if !has_file {
        return Err(invalid("The form has no part named file."));
    }
    // Back ends send the name as a part of its own.
    file.filename = name_part
        .or(Some(file.filename).filter(|name| !name.is_empty()))
        .ok_or_else(|| invalid("The part named file has no filename."))?;
    Ok((file, file_data))
}

/// Writes the contents up to the maximum size and returns the total size.
///
/// A file that is too large is read to its end. Otherwise the client, which is still sending, would
/// see a failed connection instead of the response.
async fn read_file(
    mut field: Field<'_>,
    max_size: u64,
    file_data: &mut TempFile,
) -> Result<u64, Refusal> {
    let mut size = 0;
    while let Some(chunk) = field.chunk().await? {
        size += chunk.len() as u64;
        if size <= max_size {
            file_data.write(&chunk).await?;
        }
    }
    Ok(size)
}

/// Returns the part's filename, decoded as browsers encode it.
///
/// Browsers encode quotes and line breaks, but no percent signs. The names `a".txt` and `a%22.txt`
/// are therefore equal on the wire, and both are read as the former. Files with equal names never
/// replace each other, because contents and URLs contain the token instead of the name.
fn filename(field: &Field<'_>) -> Option<String> {
    let name = field
        .file_name()
        .or_else(|| filename_ending_in_backslash(field))?;
    let name = name.replace("%22", "\"");
    Some(name.replace("%0D", "\r").replace("%0A", "\n"))
}

/// Returns the filename if it ends in a backslash. Browsers do not escape backslashes, but the
/// parser of the form takes the last one as an escape of the closing quote.
fn filename_ending_in_backslash<'a>(field: &'a Field<'_>) -> Option<&'a str> {
    let header = field.headers().get(CONTENT_DISPOSITION)?;
    let (_, name) = str::from_utf8(header.as_bytes())
        .ok()?
        .split_once("; filename=\"")?;
    name.strip_suffix('"').filter(|name| name.ends_with('\\'))
}

async fn read_number(field: Field<'_>) -> Result<f64, Refusal> {
    let text = read_text(field).await?;
    match text.parse() {
        Ok(number) if f64::is_finite(number) => Ok(number),
        _ => Err(invalid(
            "Width, height and duration must be decimal numbers.",
        )),
    }
}

async fn read_text(mut field: Field<'_>) -> Result<String, Refusal> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        if text.len() + chunk.len() > MAX_TEXT_PART {
            return Err(invalid("A text part is too long."));
        }
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text).map_err(|_| invalid("A text part is not UTF-8."))
}

fn injected(status: u16, code: &'static str, reason: &str) -> Refusal {
    Box::new(refusal_response(status, code, reason)).into()
}

fn invalid(reason: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "INVALID_FILE", reason)
}
