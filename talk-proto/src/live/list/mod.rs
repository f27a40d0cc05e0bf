//! Ordered lists and the windows that viewers have of them.

pub(crate) mod items;
pub(super) mod ordered_list;
pub(super) mod view;
pub(super) mod visible_items;
