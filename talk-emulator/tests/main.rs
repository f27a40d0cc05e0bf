//! The tests of the emulator.

mod control;
mod control_data;
mod control_safety;
mod data;
mod errors;
mod files;
mod http;
mod inspector;
mod inspector_api;
mod limits;
mod openapi;
mod rest;
mod server;
mod sockets;
mod support;
mod unanswered;
mod webhooks;
