//! The table of control requests.

use axum::Extension;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, delete, get, on, post, put};

use super::control::{change_settings, disarm_faults, faults, inject_fault, settings};
use super::control_data::{
    MAX_IMPORT, advance_clock, clock, delete_snapshot, list_snapshots, reset, restore_snapshot,
    save_snapshot,
};
use super::control_events::{events, frames};
use super::control_extract::BodyLimit;
use super::control_inspect::{
    act, add_seed, apps, close_connection, connections, expire_connection, rest,
};
use super::control_wait::{requests, wait};
use super::control_webhooks::{list_webhooks, resend_webhook, webhook};
use super::inspector::{asset, index};
use super::openapi::openapi;
use super::snapshot_files::{export_snapshot, import_snapshot};
use super::state::Shell;

/// The maximum size of the body of most control requests.
const MAX_BODY: usize = 2 << 20;

/// A control request: its method, its path below `/_emulator` and its handler.
pub(super) struct ControlRoute {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the test of the description reads it")
    )]
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) handler: MethodRouter<Shell>,
}

/// Returns all control requests, except for the pages of the inspector.
pub(super) fn control_routes() -> Vec<ControlRoute> {
    vec![
        read("/openapi.json", openapi),
        read("/settings", settings),
        change("/settings", change_settings),
        read("/faults", faults),
        change("/faults", inject_fault),
        ControlRoute {
            method: "DELETE",
            path: "/faults",
            handler: delete(disarm_faults),
        },
        read("/events", events),
        read("/frames", frames),
        read("/connections", connections),
        change("/connections/{id}/close", close_connection),
        change("/connections/{id}/expire", expire_connection),
        read("/apps", apps),
        // The wildcard of the paths of the REST API is not empty.
        read("/rest/{app}", rest),
        read("/rest/{app}/", rest),
        to_rest("GET", MethodFilter::GET),
        to_rest("POST", MethodFilter::POST),
        to_rest("PUT", MethodFilter::PUT),
        to_rest("PATCH", MethodFilter::PATCH),
        to_rest("DELETE", MethodFilter::DELETE),
        change("/act", act),
        ControlRoute {
            method: "POST",
            path: "/seed",
            handler: limited(post(add_seed), MAX_IMPORT),
        },
        read("/requests", requests),
        change("/wait", wait),
        read("/clock", clock),
        change("/clock", advance_clock),
        change("/reset", reset),
        read("/snapshots", list_snapshots),
        read("/snapshots/{name}", export_snapshot),
        ControlRoute {
            method: "PUT",
            path: "/snapshots/{name}",
            handler: limited(put(import_snapshot), MAX_IMPORT),
        },
        ControlRoute {
            method: "DELETE",
            path: "/snapshots/{name}",
            handler: delete(delete_snapshot),
        },
        change("/snapshots/{name}/save", save_snapshot),
        change("/snapshots/{name}/restore", restore_snapshot),
        read("/webhooks", list_webhooks),
        read("/webhooks/{id}", webhook),
        change("/webhooks/{id}/resend", resend_webhook),
    ]
}

/// Limits the size of bodies, in bytes.
fn limited(handler: MethodRouter<Shell>, limit: usize) -> MethodRouter<Shell> {
    handler.layer((DefaultBodyLimit::max(limit), Extension(BodyLimit(limit))))
}

/// Returns the pages of the inspector. They need no control token.
pub(super) fn page_routes() -> Vec<ControlRoute> {
    vec![read("/", index), read("/assets/{file}", asset)]
}

/// Returns a GET request, which changes nothing.
fn read<H: Handler<T, Shell>, T: 'static>(path: &'static str, handler: H) -> ControlRoute {
    let handler = get(handler);
    ControlRoute {
        method: "GET",
        path,
        handler,
    }
}

/// Returns a request of the REST API.
fn to_rest(method: &'static str, filter: MethodFilter) -> ControlRoute {
    ControlRoute {
        method,
        path: "/rest/{app}/{*path}",
        handler: on(filter, rest),
    }
}

/// Returns a POST request.
fn change<H: Handler<T, Shell>, T: 'static>(path: &'static str, handler: H) -> ControlRoute {
    let handler = limited(post(handler), MAX_BODY);
    ControlRoute {
        method: "POST",
        path,
        handler,
    }
}
