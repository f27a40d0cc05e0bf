//! The pages of the inspector. They are in the binary and hold no data: they read and change it
//! with the control API.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::control_extract::ControlPath;
use super::refusal::Refusal;

const CSS: &str = "text/css; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// A file of the pages.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    contents: &'static [u8],
}

macro_rules! assets {
    ($($name:literal: $content_type:expr,)*) => {
        &[$(Asset {
            name: $name,
            content_type: $content_type,
            contents: include_bytes!(concat!("assets/", $name)),
        }),*]
    };
}

/// The page at `/_emulator/`.
const INDEX: &str = "index.html";

/// All files.
static ASSETS: &[Asset] = assets! {
    "index.html": HTML,
    "act-chat.js": JS,
    "act-composer.js": JS,
    "act-list.js": JS,
    "act-messages.js": JS,
    "act-page.js": JS,
    "action.js": JS,
    "api.js": JS,
    "apps.js": JS,
    "base.css": CSS,
    "clipboard.js": JS,
    "clock-page.js": JS,
    "command-panel.js": JS,
    "connections-page.js": JS,
    "content-view.js": JS,
    "conversation-data.js": JS,
    "curl.js": JS,
    "data-page.js": JS,
    "dialog.js": JS,
    "dom.js": JS,
    "faults-page.js": JS,
    "form.js": JS,
    "format.js": JS,
    "frame-detail.js": JS,
    "frame-filter.js": JS,
    "frame-row.js": JS,
    "frame-store.js": JS,
    "frames-page.js": JS,
    "frames.css": CSS,
    "growing-list.js": JS,
    "json-view.js": JS,
    "keys.js": JS,
    "layout.css": CSS,
    "main.js": JS,
    "message-data.js": JS,
    "pages.css": CSS,
    "patch.js": JS,
    "refresh.js": JS,
    "request.js": JS,
    "seed-form.js": JS,
    "settings-page.js": JS,
    "snapshots-page.js": JS,
    "sse.js": JS,
    "stream.js": JS,
    "token.js": JS,
    "user-data.js": JS,
    "virtual-list.js": JS,
    "webhooks-page.js": JS,
};

/// Returns the inspector's page.
pub(super) async fn index() -> Result<Response, Refusal> {
    find(INDEX)
}

/// Returns a file of the inspector's page.
pub(super) async fn asset(ControlPath(name): ControlPath<String>) -> Result<Response, Refusal> {
    find(&name)
}

/// Redirects to the address below which the page finds its files.
pub(super) async fn redirect() -> Redirect {
    Redirect::permanent("/_emulator/")
}

fn find(name: &str) -> Result<Response, Refusal> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let Some(asset) = asset else {
        let reason = "The inspector has no such file.";
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "FILE_NOT_FOUND",
            reason,
        ));
    };
    let content_type = [(CONTENT_TYPE, asset.content_type)];
    Ok((content_type, asset.contents).into_response())
}
