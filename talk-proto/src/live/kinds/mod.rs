//! Kinds of entities and user lists: how events change them and how they are shown.

pub(super) mod online;
pub(super) mod participants;
pub(super) mod reactions;
pub(super) mod typing;
