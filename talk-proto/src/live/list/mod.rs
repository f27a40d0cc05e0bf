//! Ordered lists and the windows of their viewers.

pub(crate) mod items;
pub(crate) mod ordered_list;
mod tree;
pub(crate) mod view;
pub(crate) mod visible_items;
