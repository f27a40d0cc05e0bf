//! The log of HTTP requests.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::info;

use crate::server::logged_method;

/// Logs each request with the status of its response. The query is not logged: it may contain a
/// search text or a signature.
pub(super) async fn log_requests(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let uri = request.uri().clone();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let method = format_args!("{}", logged_method(method.as_str()));
    info!(%method, path = uri.path(), status, "HTTP request");
    response
}
