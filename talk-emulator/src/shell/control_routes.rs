//! The table of control requests.

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, post, put};

use super::control::{change_settings, inject_fault, settings};
use super::control_data::{
    MAX_IMPORT, advance_clock, clock, delete_snapshot, export_snapshot, import_snapshot,
    list_snapshots, reset, restore_snapshot, save_snapshot,
};
use super::control_webhooks::{list_webhooks, resend_webhook, webhook};
use super::inspector::{asset, index};
use super::openapi::openapi;
use super::state::Shell;

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
        change("/faults", inject_fault),
        read("/clock", clock),
        change("/clock", advance_clock),
        change("/reset", reset),
        read("/snapshots", list_snapshots),
        read("/snapshots/{name}", export_snapshot),
        ControlRoute {
            method: "PUT",
            path: "/snapshots/{name}",
            handler: put(import_snapshot).layer(DefaultBodyLimit::max(MAX_IMPORT)),
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

/// Returns a POST request.
fn change<H: Handler<T, Shell>, T: 'static>(path: &'static str, handler: H) -> ControlRoute {
    let handler = post(handler);
    ControlRoute {
        method: "POST",
        path,
        handler,
    }
}
