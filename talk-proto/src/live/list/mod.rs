//! Ordered lists and the windows of their viewers.

pub(crate) mod items;
pub(super) mod ordered_list;
mod tree;
pub(super) mod view;
pub(super) mod visible_items;
