use axum::body::to_bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use http::{Method, StatusCode, Uri, header};
use tokio::time::timeout;

use super::control_access::{ControlAccess, guard, guard_pages};
use super::control_routes::{control_routes, page_routes};
use super::cors::allow_any_origin;
use super::download::download;
use super::drain::drain_body;
use super::fault::ConnectionHandle;
use super::inspector;
use super::large_body::{MAX_BODY, without_body};
use super::log::log_requests;
use super::refusal::{Refusal, into_response};
use super::socket;
use super::state::Shell;
use super::upgrade::WebSocketUpgrade;
use super::upload::upload;
use crate::server::HttpRequest;

/// Returns the routes of the emulator. Sockets and uploads have their own routes; the server
/// routes all other requests.
pub(crate) fn router(shell: Shell, access: ControlAccess) -> Router {
    Router::new()
        .route("/public_api/v1/{app}/realtime/{user}", get(open_socket))
        .route("/public_api/v1/{app}/files", uploads())
        .route("/public_api/v1/{app}/files/", uploads())
        .route("/v1/{app}/files", uploads())
        .route("/v1/{app}/files/", uploads())
        .route("/", get(home).fallback(answer))
        .layer(DefaultBodyLimit::disable())
        .fallback(answer)
        .layer(middleware::from_fn_with_state(
            shell.clone(),
            allow_any_origin,
        ))
        .layer(middleware::from_fn(log_requests))
        .nest("/_emulator", control(access.clone()))
        .merge(pages(access))
        .layer(middleware::from_fn(drain_body))
        .with_state(shell)
}

fn uploads() -> MethodRouter<Shell> {
    post(upload).fallback(answer)
}

/// Returns the routes of the inspector's pages.
fn pages(access: ControlAccess) -> Router<Shell> {
    let routes = page_routes().into_iter();
    let router = Router::new().route("/_emulator", get(inspector::redirect));
    routes
        .fold(router, |router, it| {
            router.route(&format!("/_emulator{}", it.path), it.handler)
        })
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn_with_state(access, guard_pages))
}

/// Returns the routes of the control API. It has no CORS headers.
fn control(access: ControlAccess) -> Router<Shell> {
    let routes = control_routes().into_iter();
    let router = Router::new();
    routes
        .fold(router, |router, it| router.route(it.path, it.handler))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn_with_state(access, guard))
}

async fn unknown() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "ROUTE_NOT_FOUND",
        "There is no such request.",
    )
}

/// Sends browsers to the inspector. The service has nothing at this address.
async fn home(
    shell: State<Shell>,
    handle: Extension<ConnectionHandle>,
    request: Request,
) -> Result<Response, Refusal> {
    let accept = request.headers().get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    match accept {
        Some(accept) if accept.contains("text/html") => {
            Ok(Redirect::temporary("/_emulator/").into_response())
        }
        _ => answer(shell, handle, request).await,
    }
}

async fn open_socket(
    State(shell): State<Shell>,
    handle: Extension<ConnectionHandle>,
    Path((app, user)): Path<(String, String)>,
    mut request: Request,
) -> Result<Response, Refusal> {
    let Some(upgrade) = WebSocketUpgrade::from_request(&mut request) else {
        return answer(State(shell), handle, request).await;
    };
    let Extension(handle) = handle;
    let connection = shell.next_connection();
    Ok(upgrade
        .accept(move |socket| socket::run(shell.engine, connection, (app, user), handle, socket)))
}

async fn answer(
    State(shell): State<Shell>,
    Extension(connection): Extension<ConnectionHandle>,
    request: Request,
) -> Result<Response, Refusal> {
    let (mut head, body) = request.into_parts();
    if head.method == Method::HEAD {
        // The HTTP library drops the body of a HEAD response.
        head.method = Method::GET;
    }
    let headers = head.headers.clone();
    let body = timeout(connection.stall_timeout(), to_bytes(body, MAX_BODY));
    let body = body.await.map_err(|_| {
        Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "REQUEST_TIMEOUT",
            "The body did not arrive in time.",
        )
    })?;
    let request = match body {
        Ok(body) => HttpRequest::from_parts(head, body),
        Err(_) if is_rest(&head.uri) => without_body(head),
        Err(_) => {
            let reason = format!("A body may have up to {MAX_BODY} bytes.");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Refusal::new(status, "BODY_TOO_LARGE", reason));
        }
    };
    let answer = shell
        .engine
        .call(move |core, now| match core.server.download(&request) {
            Some(file) => Ok(file),
            None => Err(Box::new(core.server.http(now, &request))),
        })
        .await?;
    match answer {
        Err(mut response) => {
            connection
                .apply_fault(response.extensions_mut().remove())
                .await;
            Ok(into_response(*response))
        }
        Ok(found) => match shell.files.get(&found.token).await? {
            Some(contents) => Ok(download(&headers, &found.file, contents)),
            None => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "FILE_NOT_FOUND",
                "The bytes of the file are not here.",
            )),
        },
    }
}

fn is_rest(uri: &Uri) -> bool {
    uri.path().starts_with("/v1/") || uri.path().starts_with("/public_api/v1/")
}
