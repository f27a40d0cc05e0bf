//! Stores of entities and lists, each shared by all of its viewers.

pub(super) mod conversation;
pub(super) mod conversation_list;
pub(super) mod entity;
pub(super) mod list_filter;
mod list_pages;
pub(super) mod message_index;
pub(super) mod messages;
mod outdated;
mod packed;
pub(super) mod paged_list;
pub(super) mod sender_index;
pub(super) mod store;
pub(super) mod table;
pub(super) mod user_list;
pub(super) mod users;
pub(super) mod view_update;
pub(super) mod viewers;
